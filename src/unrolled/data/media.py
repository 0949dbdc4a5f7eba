"""Media files decoded to arrays, whatever they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from unrolled.data.clips import read_clips
from unrolled.data.folders import MediaFiles, Medium
from unrolled.data.images import PictureForm, Pictures, read_images


@dataclass(frozen=True, slots=True)
class MediaForms:
    """What media are brought to.

    Attributes:
        picture: images, and the frames of clips.
        progress: show a bar on standard error where decoding takes long.
    """

    picture: PictureForm = field(default_factory=PictureForm)
    progress: bool = False


def decoded(files: MediaFiles, forms: MediaForms) -> Pictures:
    """The files as arrays: images `(height, width, channel)` uint8, clips `(time, height, width, channel)`.

    Raises:
        DataError: a file cannot be decoded, or is a clip without frames; names it.
        MissingDependencyError: a library that decodes it is not installed; names the extra that brings it.
    """
    return _DECODERS[files.medium](files, forms)


def _images(files: MediaFiles, forms: MediaForms) -> Pictures:
    return read_images(files.files, files.sources, forms.picture)


def _clips(files: MediaFiles, forms: MediaForms) -> Pictures:
    return read_clips(files.files, files.sources, forms.picture, progress=forms.progress)


_DECODERS: Mapping[Medium, Callable[[MediaFiles, MediaForms], Pictures]] = {
    "image": _images,
    "video": _clips,
    "frames": _clips,
}
