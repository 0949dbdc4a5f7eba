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
from unrolled.tasks.epochs import epochs_for
from unrolled.tasks.pictures import PictureScale, shown_picture


class PictureInputs(Inputs):
    """Images or clips, all of one size.

    Args:
        scale: the size, and the scale of the bytes.
        options: that suit so many of them.
    """

    axes: ClassVar[int]
    usual: ClassVar[Mapping[str, Any]]

    def __init__(self, scale: PictureScale, options: Mapping[str, Any] | None = None) -> None:
        self.scale = scale
        self.options = dict(options or {})

    @classmethod
    def fit(cls, examples: Examples, config: ClassifyConfig) -> Self:
        """Measure every channel."""
        batch_size = cls.usual.get("batch_size", config.batch_size)
        options = {**cls.usual, **epochs_for(len(examples), batch_size)}
        return cls(PictureScale.measure(examples, cls.axes), options)

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

    def suited(self) -> dict[str, Any]:
        """The form of the pictures, and a training that suits so many of them."""
        return {**self.scale.options(), **self.options}

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
    # The steps are many and each says little.
    usual: ClassVar[Mapping[str, Any]] = {"dropout": 0.2, "batch_size": 64, "learning_rate": 3e-3}

    def layer(self, config: ClassifyConfig) -> InputLayer:
        """The numbers of a row."""
        return RowInput(self.scale.width, self.scale.scaled())

    def _simple(self, pixels: np.ndarray) -> np.ndarray:
        return reduced(pixels, most=28).ravel()


class ClipInputs(PictureInputs):
    """Clips frame by frame, each frame's vector made by a small convolutional network."""

    kind = "clips"
    linear = SummaryLogistic, SummaryRidge
    axes = 4
    usual: ClassVar[Mapping[str, Any]] = {}

    def layer(self, config: ClassifyConfig) -> InputLayer:
        """The frame encoder."""
        return FrameInput(self.scale.encoder(config.frame_size))

    def _simple(self, pixels: np.ndarray) -> np.ndarray:
        """Every pixel is a channel in time."""
        return np.stack([reduced(frame, most=12).ravel() for frame in pixels])
