"""What every task that reads pictures has to know of them: their size, and the scale of their bytes."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.data.example import Example
from unrolled.data.images import PictureForm, chosen, image_of, is_picture
from unrolled.models.frames import PictureEncoder, Scaled
from unrolled.saving.schema import ENTRIES, Finite, Positive, Size

_SHOWN_FRAMES = 6


class _PictureEntries(TypedDict):
    height: Size
    width: Size
    mean: list[Finite]
    scale: list[Positive]


@with_config(ENTRIES)
class SavedImages(_PictureEntries):
    """A `PictureScale` of images in a model folder."""

    axes: Literal[3]


@with_config(ENTRIES)
class SavedClips(_PictureEntries):
    """A `PictureScale` of clips in a model folder."""

    axes: Literal[4]


@dataclass(frozen=True, slots=True)
class PictureScale:
    """The size of the training data's images or frames, and mean and deviation of each channel's bytes.

    Attributes:
        axes: 3 for images, 4 for clips.
    """

    axes: int
    height: int
    width: int
    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def measure(cls, examples: Sequence[Example], axes: int) -> Self:
        """That of some examples, all brought to the size of the first.

        Raises:
            DataError: an input is no picture of so many axes.
        """
        height, width, channels = _pixels(examples[0], axes).shape[-3:]
        sums, count = np.zeros((2, channels)), 0
        for example in examples:
            pixels = _pixels(example, axes).reshape(-1, channels).astype(np.float64)
            sums += pixels.sum(axis=0), np.square(pixels).sum(axis=0)
            count += len(pixels)
        mean, square = sums / count
        deviation = np.sqrt(np.maximum(square - mean**2, 0))
        scale = np.where(deviation > 0, deviation, 1.0)
        return cls(axes, height, width, tuple(mean.tolist()), tuple(scale.tolist()))

    def pixels(self, example: Example) -> np.ndarray:
        """An example's bytes.

        Raises:
            DataError: it is no picture of this size and so many channels.
        """
        pixels = _pixels(example, self.axes)
        shape = (self.height, self.width, len(self.mean))
        if pixels.shape[-3:] != shape:
            raise example.source.error(
                f"expected pictures of {' × '.join(map(str, shape))} (height, width, channels) as in "
                f"training, got {' × '.join(map(str, pixels.shape[-3:]))}"
            )
        return pixels

    def scaled(self) -> Scaled:
        """What brings bytes to mean 0 and deviation 1 inside the network."""
        return Scaled(self.mean, self.scale)

    def encoder(self, size: int) -> PictureEncoder:
        """A fresh convolutional network that makes a vector of ``size`` of such a picture."""
        return PictureEncoder(self.height, self.width, self.scaled(), size)

    def options(self) -> dict[str, Any]:
        """The options that bring other pictures to the same form."""
        return {"image_size": (self.height, self.width), "colour": len(self.mean) > 1}

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {**asdict(self), "mean": list(self.mean), "scale": list(self.scale)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`.

        Raises:
            ValueError: it is of no picture.
        """
        channels = len(value["mean"])
        if channels not in (1, 3) or channels != len(value["scale"]):
            raise ValueError("expected a mean and a scale for each of one or three channels")
        return cls(
            value["axes"], value["height"], value["width"], tuple(value["mean"]), tuple(value["scale"])
        )


def picture_form(
    image_size: int | tuple[int, int] | None, colour: bool | None, frames: int = PictureForm.frames
) -> PictureForm:
    """The form that the options of a task ask for; one number is both height and width."""
    return PictureForm(
        (image_size, image_size) if isinstance(image_size, int) else image_size, colour, frames
    )


def shown_picture(pixels: np.ndarray) -> str:
    """An image, or some frames of a clip side by side, as the address of a PNG that holds it."""
    if pixels.ndim == 4:
        pixels = np.concatenate([pixels[at] for at in chosen(len(pixels), _SHOWN_FRAMES)], axis=1)
    buffer = io.BytesIO()
    image_of(pixels).save(buffer, "png")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _pixels(example: Example, axes: int) -> np.ndarray:
    if not is_picture(example.inputs) or example.inputs.ndim != axes:
        raise example.source.error(f"expected {'an image' if axes == 3 else 'a clip'} as in training")
    return example.inputs
