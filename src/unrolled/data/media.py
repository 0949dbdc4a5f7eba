"""Media files as what a network's inputs are made of, whatever they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unrolled.data.clips import read_clips
from unrolled.data.folders import MediaFiles, Medium
from unrolled.data.images import PictureForm, read_images
from unrolled.data.number_files import read_numbers
from unrolled.data.sound import Recording


@dataclass(frozen=True, slots=True)
class MediaForms:
    """What media are brought to.

    Attributes:
        picture: images, and the frames of clips.
    """

    picture: PictureForm = field(default_factory=PictureForm)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The inputs made of some files, and what was done to them, in sentences for the user.

    Attributes:
        arrays: images `(height, width, channel)` uint8, clips `(time, height, width, channel)` uint8,
            sequences of numbers `(time, channel)` float64; or `unrolled.data.sound.Recording`, which is read
            when the sampling rate is settled.
        notes: the sentences.
    """

    arrays: Sequence[Any]
    notes: tuple[str, ...] = ()


def decoded(files: MediaFiles, forms: MediaForms) -> Decoded:
    """The files, decoded.

    Raises:
        DataError: a file cannot be decoded, or is a clip without frames; names it.
        MissingDependencyError: a library that decodes it is not installed; names the extra that brings it.
    """
    made = _DECODERS[files.medium](files, forms)
    return Decoded(made.arrays, (*files.notes, *made.notes))


def _images(files: MediaFiles, forms: MediaForms) -> Decoded:
    pictures = read_images(files.files, files.sources, forms.picture)
    return Decoded(pictures.arrays, pictures.notes)


def _clips(files: MediaFiles, forms: MediaForms) -> Decoded:
    pictures = read_clips(files.files, files.sources, forms.picture)
    return Decoded(pictures.arrays, pictures.notes)


def _recordings(files: MediaFiles, forms: MediaForms) -> Decoded:
    return Decoded([Recording(*each) for each in zip(files.files, files.sources, strict=True)])


def _numbers(files: MediaFiles, forms: MediaForms) -> Decoded:
    return Decoded([read_numbers(*each) for each in zip(files.files, files.sources, strict=True)])


_DECODERS: Mapping[Medium, Callable[[MediaFiles, MediaForms], Decoded]] = {
    "image": _images,
    "video": _clips,
    "frames": _clips,
    "audio": _recordings,
    "numbers": _numbers,
}
