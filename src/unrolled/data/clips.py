"""Clips as arrays `(time, height, width, channel)` of bytes: video files, and folders of frames."""

from __future__ import annotations

import io
import re
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unrolled.data.example import Source
from unrolled.data.features import features_of, in_parallel
from unrolled.data.folders import media_within, medium_of
from unrolled.data.images import Header, PictureForm, Pictures, chosen, opened, pixels, place, settled
from unrolled.errors import DataError, MissingDependencyError

if TYPE_CHECKING:
    from PIL import Image

_VERSION = 1
"""Part of the cache's keys: a change of what frames are made of must raise it."""


def read_clips(files: Sequence[Path | bytes], sources: Sequence[Source], form: PictureForm) -> Pictures:
    """Clips as `(time, height, width, channel)` uint8, in the order of the files.

    Args:
        files: folders of frames, or video files or their contents, which need PyAV but for GIF.
        sources: where each is, for messages.
        form: what their frames are brought to; what it leaves open is settled by all first frames together.

    Raises:
        DataError: a clip has no frames, or one that cannot be decoded; names the file.
        MissingDependencyError: PyAV is not installed.
    """
    places = dict(zip(files, map(place, files, sources), strict=True))
    form, notes = settled(form, (_header(file, source) for file, source in places.items()))

    def decode(file: Path | bytes) -> np.ndarray:
        with closing(_frames(file, places[file], form.frames)) as frames:
            return np.stack([pixels(image, form) for image in frames])

    if all(isinstance(file, Path) and file.is_dir() for file in files):
        # A folder's time does not tell whether a frame in it was changed, so these are not kept.
        return Pictures(in_parallel(decode, files, "clips"), notes)
    settings = {"kind": "frames", "version": _VERSION, **asdict(form)}
    return Pictures(features_of(files, decode, settings), notes)


def _header(file: Path | bytes, source: Source) -> Header:
    """The header of the first frame."""
    with closing(_frames(file, source, most=1)) as frames:
        return Header.of(next(frames))


def _frames(file: Path | bytes, source: Source, most: int) -> Generator[Image.Image]:
    """At most so many frames of a clip, evenly spread."""
    if isinstance(file, Path) and file.is_dir():
        return _frames_of_folder(file, most)
    gif = file.suffix.lower() == ".gif" if isinstance(file, Path) else file.startswith(b"GIF8")
    return _frames_of_gif(file, source, most) if gif else _frames_of_video(file, source, most)


def _frames_of_folder(folder: Path, most: int) -> Generator[Image.Image]:
    paths = [path for path in media_within(folder) if medium_of(path) == "image"]
    if not paths:
        raise _without_frames(Source(folder))
    paths.sort(key=_numbered)
    for position in chosen(len(paths), most):
        path = paths[position]
        with opened(path, Source(path)) as image:
            # Decoded here, where the frame's own file can be named.
            image.load()
            yield image


def _numbered(path: Path) -> list[tuple[str, int]]:
    """Sorts frame 2 before frame 10."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", path.stem)]


def _frames_of_gif(file: Path | bytes, source: Source, most: int) -> Generator[Image.Image]:
    with opened(file, source) as image:
        for position in chosen(getattr(image, "n_frames", 1), most):
            image.seek(position)
            yield image.copy()


def _frames_of_video(file: Path | bytes, source: Source, most: int) -> Generator[Image.Image]:
    try:
        import av
        from av.error import FFmpegError
    except ModuleNotFoundError as error:
        raise MissingDependencyError.of("reading video files", extra="video") from error

    def frames() -> Generator[av.VideoFrame]:
        with av.open(str(file) if isinstance(file, Path) else io.BytesIO(file), mode="r") as container:
            if container.streams.video:
                yield from container.decode(video=0)

    try:
        # The number in a file's header may be missing or wrong, so the frames are counted.
        count = sum(1 for _ in frames()) if most > 1 else 1
        wanted = set(chosen(count, most))
        found = 0
        for position, frame in enumerate(frames()):
            if position in wanted:
                found += 1
                yield frame.to_image()
            if found == len(wanted):
                break
    except (FFmpegError, OSError, ValueError, LookupError, ArithmeticError) as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise source.error(
            f"expected a video that can be decoded, but PyAV says: {said:.100}",
            remedy="replace it or leave it out",
        ) from error
    if not found:
        raise _without_frames(source)


def _without_frames(source: Source) -> DataError:
    return source.error("expected a clip of one frame at least, found none", remedy="leave it out")
