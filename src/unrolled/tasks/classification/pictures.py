"""Images, read row by row, and clips, read frame by frame."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.images import reduced
from unrolled.models.frames import FrameInput, RowInput
from unrolled.models.inputs import InputLayer
from unrolled.tasks.baselines.linear import SummaryLogistic, SummaryRidge
from unrolled.tasks.baselines.pixels import PixelLogistic, PixelRidge
from unrolled.tasks.classification.config import ClassifyConfig
from unrolled.tasks.classification.inputs import Inputs
from unrolled.tasks.pictures import PictureScale, shown_picture


class PictureInputs(Inputs):
    """Images or clips, all of one size."""

    axes: ClassVar[int]

    def __init__(self, scale: PictureScale) -> None:
        self.scale = scale

    @classmethod
    def fit(cls, examples: Examples, config: ClassifyConfig) -> Self:
        """Measure every channel."""
        return cls(PictureScale.measure(examples, cls.axes))

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The bytes as they are; the network scales them, batch by batch."""
        return [{"pixels": self.scale.pixels(example)} for example in examples]

    def simple(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """Fewer pixels, as numbers from 0 to 1."""
        return [self._simple(self.scale.pixels(example)) for example in examples]

    @abstractmethod
    def _simple(self, pixels: np.ndarray) -> np.ndarray:
        """One picture for the baselines."""

    def shown(self, example: Example) -> str:
        """The picture itself."""
        return shown_picture(example.inputs)

    def to_json(self) -> dict[str, Any]:
        """The size and the scale."""
        return self.scale.to_json()

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: ClassifyConfig) -> Self:
        """The inverse of `to_json`."""
        return cls(PictureScale.from_json({name: value[name] for name in value if name != "kind"}))


class ImageInputs(PictureInputs):
    """Images row by row."""

    kind = "images"
    linear = PixelLogistic, PixelRidge
    axes = 3

    def layer(self, config: ClassifyConfig) -> InputLayer:
        """The numbers of a row."""
        return RowInput(self.scale.width, self.scale.scaled())

    def suited(self) -> dict[str, Any]:
        """The form of the images, and a training that suits many steps which say little each."""
        return {**self.scale.options(), **_ROWS}

    def _simple(self, pixels: np.ndarray) -> np.ndarray:
        return reduced(pixels, most=28).ravel()


_ROWS = {"dropout": 0.2, "batch_size": 64, "learning_rate": 3e-3, "epochs": 10}


class ClipInputs(PictureInputs):
    """Clips frame by frame, each frame's vector made by a small convolutional network."""

    kind = "clips"
    linear = SummaryLogistic, SummaryRidge
    axes = 4

    def layer(self, config: ClassifyConfig) -> InputLayer:
        """The frame encoder."""
        return FrameInput(self.scale.encoder(config.frame_size))

    def suited(self) -> dict[str, Any]:
        """The form of the frames."""
        return self.scale.options()

    def _simple(self, pixels: np.ndarray) -> np.ndarray:
        """Every pixel is a channel in time."""
        return np.stack([reduced(frame, most=12).ravel() for frame in pixels])
