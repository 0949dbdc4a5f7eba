"""Images as arrays `(height, width, channel)` of bytes, all brought to one size and one kind of colour."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unrolled.data.example import Examples, Source
from unrolled.data.features import in_parallel

if TYPE_CHECKING:
    from PIL import Image

LONGEST = 64
"""Pixels along the longer side of an image, where its size is not asked for."""

_GREY = frozenset({"1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L"})
_ALPHA = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_WHITE = 255
_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)
"""The orientations that exchange height and width."""


@dataclass(frozen=True, slots=True)
class PictureForm:
    """The form that all images of a data set are brought to.

    Attributes:
        size: height and width; None takes the most frequent size, made smaller where a side has more than
            `LONGEST` pixels.
        colour: three channels rather than one; None takes colour where any image has it.
        frames: frames of a clip at most, evenly spread.
    """

    size: tuple[int, int] | None = None
    colour: bool | None = None
    frames: int = 32


class Header(NamedTuple):
    """What can be known of an image before it is decoded."""

    height: int
    width: int
    colour: bool

    @classmethod
    def of(cls, image: Image.Image) -> Header:
        """The header of an opened image: its size as a viewer shows it, turned as its EXIF tag says."""
        height, width = image.height, image.width
        # Of TIFF Pillow gives the size as shown from the start.
        if image.format != "TIFF" and image.getexif().get(_ORIENTATION) in _TURNED:
            height, width = width, height
        return cls(height, width, image.mode not in _GREY)


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Decoded images or clips, and what was done to them, in sentences for the user."""

    arrays: list[np.ndarray]
    notes: tuple[str, ...] = ()


def is_picture(inputs: Any) -> bool:
    """Whether an example's inputs are an image, or a clip, as arrays of bytes."""
    return isinstance(inputs, np.ndarray) and inputs.dtype == np.uint8 and inputs.ndim in (3, 4)


def read_images(files: Sequence[Path | bytes], sources: Sequence[Source], form: PictureForm) -> Pictures:
    """Images as `(height, width, channel)` uint8, in the order of the files.

    Args:
        files: paths, or the files' contents.
        sources: where each is, for messages.
        form: what they are brought to; what it leaves open is settled by all of them together.

    Raises:
        DataError: a file is not an image that can be decoded; names it.
    """
    places = [place(file, source) for file, source in zip(files, sources, strict=True)]
    form, notes = settled(form, map(_header, files, places))

    def decode(place: tuple[Path | bytes, Source]) -> np.ndarray:
        with opened(*place) as image:
            return pixels(image, form)

    return Pictures(in_parallel(decode, list(zip(files, places, strict=True)), "images"), notes)


def formed(examples: Examples, form: PictureForm) -> Examples:
    """Images and clips given as arrays, brought to one form as those of files are; other examples stay.

    Raises:
        DataError: an array has neither 1, 3 nor 4 channels, or a clip has no frames.
    """
    if not examples or not all(is_picture(example.inputs) for example in examples):
        return examples
    for example in examples:
        if example.inputs.shape[-1] not in (1, 3, 4) or not len(example.inputs):
            raise example.source.error(
                "expected an image (height, width, channel) or frames of such, with 1, 3 or 4 channels, got "
                f"the shape {example.inputs.shape}"
            )
    shapes = (example.inputs.shape[-3:] for example in examples)
    form, notes = settled(form, (Header(height, width, channels > 1) for height, width, channels in shapes))
    items = (replace(each, inputs=_arranged(each.inputs, form)) for each in examples)
    return replace(examples, items=tuple(items), notes=(*examples.notes, *notes))


def _arranged(array: np.ndarray, form: PictureForm) -> np.ndarray:
    if array.ndim == 4:
        return np.stack([_arranged(array[at], form) for at in chosen(len(array), form.frames)])
    if array.shape == (*(form.size or ()), 3 if form.colour else 1):
        return array
    return pixels(image_of(array), form)


def chosen(count: int, most: int) -> list[int]:
    """The positions of at most so many of `count` frames, evenly spread from the first to the last.

    Example:
        >>> chosen(3, 8), chosen(9, 3)
        ([0, 1, 2], [0, 4, 8])
    """
    return sorted(set(np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()))


def settled(form: PictureForm, headers: Iterable[Header]) -> tuple[PictureForm, tuple[str, ...]]:
    """The form with its size and colour filled in by the images, and what there is to say of that.

    No header is read where nothing is left open.
    """
    if form.size is not None and form.colour is not None:
        return form, ()
    found = Counter(headers)
    sizes: Counter[tuple[int, int]] = Counter()
    for header, count in found.items():
        sizes[header.height, header.width] += count
    colour = any(header.colour for header in found) if form.colour is None else form.colour
    form = replace(form, size=form.size or _bounded(*sizes.most_common(1)[0][0]), colour=colour)
    assert form.size is not None
    if sizes.keys() == {form.size}:
        return form, ()
    listed = f"{_times(min(sizes))} to {_times(max(sizes))}" if len(sizes) > 1 else _times(*sizes)
    return form, (f"Pictures of {listed} pixels (height × width) are resized to {_times(form.size)}.",)


def pixels(image: Image.Image, form: PictureForm) -> np.ndarray:
    """An image as `(height, width, channel)` uint8 in a settled form; what is transparent becomes white."""
    from PIL import ImageOps

    assert form.size is not None
    height, width = form.size
    image = _eight_bits(ImageOps.exif_transpose(image))
    if form.size != (image.height, image.width):
        image = image.resize((width, height))
    array = np.asarray(image.convert("RGB" if form.colour else "L"))
    return array if form.colour else array[:, :, None]


def reduced(pixels: np.ndarray, most: int) -> np.ndarray:
    """An image with at most so many pixels a side, the means of blocks, as numbers from 0 to 1.

    Example:
        >>> reduced(np.array([[[0], [255]], [[0], [255]]], dtype=np.uint8), most=1)[0, 0]
        array([0.5], dtype=float32)
    """
    height, width, channels = pixels.shape
    block = -(-max(height, width) // most)
    rows, columns = max(1, height // block), max(1, width // block)
    cut = pixels[: rows * block, : columns * block].astype(np.float32) / _WHITE
    return cut.reshape(rows, -1, columns, cut.shape[1] // columns, channels).mean(axis=(1, 3))


def image_of(array: np.ndarray) -> Image.Image:
    """The image of an array `(height, width)` or `(height, width, channel)` uint8; see `pixels`."""
    from PIL import Image

    return Image.fromarray(array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array)


def _bounded(height: int, width: int) -> tuple[int, int]:
    """The size with the longer side of at most `LONGEST` pixels.

    Example:
        >>> _bounded(28, 28), _bounded(480, 640)
        ((28, 28), (48, 64))
    """
    share = min(1.0, LONGEST / max(height, width))
    return max(1, round(height * share)), max(1, round(width * share))


def _times(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"


def _header(file: Path | bytes, source: Source) -> Header:
    with opened(file, source) as image:
        return Header.of(image)


def place(file: Path | bytes, source: Source) -> Source:
    """What a message about a file names: the file itself, or where its content was found."""
    return Source(file) if isinstance(file, Path) else source


@contextmanager
def opened(file: Path | bytes, source: Source) -> Iterator[Image.Image]:
    """An image whose header was read, and which is decoded inside the `with`.

    Raises:
        DataError: it cannot be decoded; names the file.
    """
    from PIL import Image

    try:
        # By its name Pillow maps some files to memory, and turned ones of TIFF wrongly.
        stream = file.open("rb") if isinstance(file, Path) else io.BytesIO(file)
        with stream, Image.open(stream) as image:
            yield image
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError) as error:
        raise source.error(
            f"expected an image that can be decoded, but {_said(error)}", remedy="replace it or leave it out"
        ) from error


def _said(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return "it is of no known format" if text.startswith("cannot identify") else f"Pillow says: {text}"


def _eight_bits(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.mode[0] in "IF":
        return Image.fromarray(_of_eight_bits(np.asarray(image), image.mode))
    if image.mode in _ALPHA or "transparency" in image.info:
        above = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", above.size, "white"), above)
    return image


def _of_eight_bits(array: np.ndarray, mode: str) -> np.ndarray:
    """Numbers of more bits as bytes: 16 bits by their upper half; where a format has no range, as it looks.

    Fractions are of white where none is above 1; 32 bits hold bytes where none is above 255, else 16 bits.
    """
    if mode == "F":
        scaled = np.nan_to_num(array) * (_WHITE if np.nanmax(array) <= 1 else 1)
        return scaled.round().clip(0, _WHITE).astype(np.uint8)
    if mode == "I" and array.max() <= _WHITE:
        return array.clip(0, _WHITE).astype(np.uint8)
    return (array >> 8).clip(0, _WHITE).astype(np.uint8)
