"""Images, read row by row, and clips, read frame by frame."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.images import is_picture, reduced
from unrolled.models.frames import FrameInput, PictureEncoder, RowInput, Scaled
from unrolled.models.inputs import InputLayer
from unrolled.tasks.baselines.linear import SummaryLogistic, SummaryRidge
from unrolled.tasks.baselines.pixels import PixelLogistic, PixelRidge
from unrolled.tasks.classification.config import ClassifyConfig
from unrolled.tasks.classification.inputs import Inputs


class PictureInputs(Inputs):
    """Bytes, each channel brought to mean 0 and deviation 1 over the training data."""

    axes: ClassVar[int]

    def __init__(
        self, height: int, width: int, mean: Sequence[float], scale: Sequence[float], config: ClassifyConfig
    ) -> None:
        self.height = height
        self.width = width
        self.mean = list(mean)
        self.scale = list(scale)

    @classmethod
    def fit(cls, examples: Examples, config: ClassifyConfig) -> Self:
        """Measure every channel; the size is that of the first picture, to which all were brought."""
        height, width, channels = _pixels(examples[0], cls.axes).shape[-3:]
        sums = np.zeros((2, channels))
        count = 0
        for example in examples:
            pixels = _pixels(example, cls.axes).reshape(-1, channels).astype(np.float64)
            sums += pixels.sum(axis=0), np.square(pixels).sum(axis=0)
            count += len(pixels)
        mean, square = sums / count
        deviation = np.sqrt(np.maximum(square - mean**2, 0))
        return cls(height, width, mean.tolist(), np.where(deviation > 0, deviation, 1.0).tolist(), config)

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The bytes as they are; the network scales them, batch by batch."""
        return [{"pixels": self._checked(example)} for example in examples]

    def simple(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """Fewer pixels, as numbers from 0 to 1."""
        return [self._simple(self._checked(example)) for example in examples]

    @abstractmethod
    def _simple(self, pixels: np.ndarray) -> np.ndarray:
        """One picture for the baselines."""

    def _checked(self, example: Example) -> np.ndarray:
        pixels = _pixels(example, self.axes)
        shape = (self.height, self.width, len(self.mean))
        if pixels.shape[-3:] != shape:
            raise example.source.error(
                f"expected pictures of {' × '.join(map(str, shape))} (height, width, channels) as in "
                f"training, got {' × '.join(map(str, pixels.shape[-3:]))}"
            )
        return pixels

    def _scaled(self) -> Scaled:
        return Scaled(self.mean, self.scale)

    def suited(self) -> dict[str, Any]:
        """The form that later pictures are brought to."""
        return {"image_size": (self.height, self.width), "colour": len(self.mean) > 1}

    def to_json(self) -> dict[str, Any]:
        """The size and the scale."""
        return {"height": self.height, "width": self.width, "mean": self.mean, "scale": self.scale}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: ClassifyConfig) -> Self:
        """The inverse of `to_json`."""
        return cls(value["height"], value["width"], value["mean"], value["scale"], config)


class ImageInputs(PictureInputs):
    """Images row by row."""

    kind = "images"
    linear = PixelLogistic, PixelRidge
    axes = 3

    def layer(self, config: ClassifyConfig) -> InputLayer:
        """The numbers of a row."""
        return RowInput(self.width, self._scaled())

    def shown(self, example: Example) -> str:
        """The file's name."""
        return named(example)

    def _simple(self, pixels: np.ndarray) -> np.ndarray:
        return reduced(pixels, most=28).ravel()


class ClipInputs(PictureInputs):
    """Clips frame by frame, each frame's vector made by a small convolutional network."""

    kind = "clips"
    linear = SummaryLogistic, SummaryRidge
    axes = 4

    def layer(self, config: ClassifyConfig) -> InputLayer:
        """The frame encoder."""
        return FrameInput(PictureEncoder(self.height, self.width, self._scaled(), config.frame_size))

    def shown(self, example: Example) -> str:
        """The clip's name and how many frames were read."""
        return f"{named(example)}: {len(example.inputs)} frames"

    def _simple(self, pixels: np.ndarray) -> np.ndarray:
        """Every pixel is a channel in time."""
        return np.stack([reduced(frame, most=12).ravel() for frame in pixels])


def named(example: Example) -> str:
    """What a person knows a picture by: its file's name, or its place in the data."""
    path, row = example.source.path, example.source.row
    if row is not None:
        return f"row {row}"
    return "a picture" if path is None else "/".join(str(path).replace("\\", "/").split("/")[-2:])


def _pixels(example: Example, axes: int) -> np.ndarray:
    if not is_picture(example.inputs) or example.inputs.ndim != axes:
        raise example.source.error(f"expected {'an image' if axes == 3 else 'a clip'} as in training")
    return example.inputs
