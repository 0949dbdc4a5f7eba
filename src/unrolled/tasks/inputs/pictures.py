"""Images, read row by row or perceived as a whole, and clips, read frame by frame."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.images import reduced
from unrolled.models.backbones import Backbone
from unrolled.models.frames import FrameInput, RowInput
from unrolled.models.inputs import InputLayer
from unrolled.models.one_to_many import Perception, PicturePerception
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.linear import SummaryLogistic, SummaryRidge
from unrolled.tasks.baselines.pixels import PixelLogistic, PixelRidge
from unrolled.tasks.epochs import epochs_for
from unrolled.tasks.inputs.base import PerceivedKind, StepsKind, number_baselines
from unrolled.tasks.inputs.options import ClipOptions
from unrolled.tasks.inputs.picture_scale import PictureScale, SavedClips, SavedImages, shown_picture
from unrolled.tasks.inputs.schema import FileSchema


class _Perceiving(Protocol):
    """`PerceptionOptions`, and the network that reads images."""

    backbone: str | None
    input_size: int


class PictureKind(StepsKind):
    """Images or clips, all of one size.

    Args:
        scale: the size, and the scale of the bytes.
        restored: whether they come from a saved model, whose weights are loaded.
    """

    axes: ClassVar[int]
    media_type: ClassVar[str]
    usual: ClassVar[Mapping[str, Any]]

    def __init__(self, scale: PictureScale, *, restored: bool = False) -> None:
        self.scale = scale
        self.restored = restored

    @classmethod
    def fit(cls, examples: Examples, config: Any) -> Self:
        """Measure every channel."""
        return cls(PictureScale.measure(examples, cls.axes))

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The bytes as they are; the network scales them, batch by batch."""
        return [{"pixels": self.scale.pixels(example)} for example in examples]

    def summaries(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """Fewer pixels, as numbers from 0 to 1."""
        return [self._summary(self.scale.pixels(example)) for example in examples]

    @abstractmethod
    def _summary(self, pixels: np.ndarray) -> np.ndarray:
        """One picture for the baselines."""

    def step_baselines(self, train: Examples) -> Iterable[Baseline]:
        """The most frequent tag of all, and a linear model of every step alone."""
        return number_baselines([self.steps(each) for each in train], [each.target for each in train])

    @abstractmethod
    def steps(self, example: Example) -> list[np.ndarray]:
        """The numbers of every step."""

    def shown(self, example: Example) -> str:
        """The picture itself."""
        return shown_picture(example.inputs)

    def settled(self) -> dict[str, Any]:
        """The form of the pictures."""
        return self.scale.options()

    def suited(self, examples: Examples, config: Any) -> dict[str, Any]:
        """A training that suits so many of them."""
        batch_size = self.usual.get("batch_size", config.batch_size)
        return {**self.usual, **epochs_for(len(examples), batch_size)}

    def schema(self) -> FileSchema:
        """A file."""
        return FileSchema(kind=self.kind, media_type=self.media_type)

    def to_json(self) -> dict[str, Any]:
        """The size and the scale."""
        return self.scale.to_json()

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: Any) -> Self:
        """The inverse of `to_json`."""
        return cls(PictureScale.from_json(value), restored=True)


class ImageKind(PictureKind, PerceivedKind):
    """Images row by row, or as a whole."""

    kind = "images"
    Saved = SavedImages
    unit = "rows"
    whole = "image"
    simple_classifiers = (PixelLogistic,)
    simple_regressors = (PixelRidge,)
    axes = 3
    media_type = "image/*"
    # The steps are many and each says little.
    usual: ClassVar[Mapping[str, Any]] = {"dropout": 0.2, "batch_size": 64, "learning_rate": 3e-3}

    def layer(self, config: Any) -> InputLayer:
        """The numbers of a row."""
        return RowInput(self.scale.width, self.scale.scaled())

    def steps(self, example: Example) -> list[np.ndarray]:
        """The numbers of every row."""
        pixels = self.scale.pixels(example)
        return list(pixels.reshape(len(pixels), -1) / 255)

    def _summary(self, pixels: np.ndarray) -> np.ndarray:
        return reduced(pixels, most=28).ravel()

    def perception(self, config: _Perceiving) -> Perception:
        """The convolutional network; a backbone with its own trained weights until its model is loaded."""
        if config.backbone is None:
            return PicturePerception(self.scale.encoder(config.input_size))
        size = self.scale.height, self.scale.width
        backbone = Backbone(
            config.backbone, *size, self.scale.scaled(), config.input_size, trained=not self.restored
        )
        return PicturePerception(backbone)

    def vectors(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """Fewer pixels, as numbers from 0 to 1."""
        return [reduced(self.scale.pixels(example), most=14).ravel() for example in examples]


class ClipKind(PictureKind):
    """Clips frame by frame, each frame's vector made by a small convolutional network."""

    kind = "clips"
    Saved = SavedClips
    unit = "frames"
    whole = "clip"
    simple_classifiers = (SummaryLogistic,)
    simple_regressors = (SummaryRidge,)
    axes = 4
    media_type = "video/*"
    usual: ClassVar[Mapping[str, Any]] = {}

    def layer(self, config: ClipOptions) -> InputLayer:
        """The frame encoder."""
        return FrameInput(self.scale.encoder(config.frame_size))

    def steps(self, example: Example) -> list[np.ndarray]:
        """Fewer pixels of every frame."""
        return list(self._summary(self.scale.pixels(example)))

    def _summary(self, pixels: np.ndarray) -> np.ndarray:
        """Every pixel is a channel in time."""
        return np.stack([reduced(frame, most=12).ravel() for frame in pixels])
