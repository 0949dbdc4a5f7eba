"""Images to write texts for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.images import reduced
from unrolled.models.backbones import Backbone
from unrolled.models.one_to_many import Perception, PicturePerception
from unrolled.tasks.captioning.config import CaptionConfig
from unrolled.tasks.captioning.subjects import Subjects
from unrolled.tasks.pictures import PictureScale, shown_picture


class PictureSubjects(Subjects):
    """Images, read by a convolutional network."""

    kind = "images"
    likelihood = False

    def __init__(self, scale: PictureScale, *, restored: bool = False) -> None:
        self.scale = scale
        self.restored = restored

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Measure every channel."""
        return cls(PictureScale.measure(examples, axes=3))

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The bytes as they are; the network scales them, batch by batch."""
        return [{"pixels": self.scale.pixels(example)} for example in examples]

    def seen(self, example: Example) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def perception(self, config: CaptionConfig) -> Perception:
        """The convolutional network; a backbone with its own trained weights until its model is loaded."""
        if config.backbone is None:
            return PicturePerception(self.scale.encoder(config.input_size))
        size = self.scale.height, self.scale.width
        backbone = Backbone(
            config.backbone, *size, self.scale.scaled(), config.input_size, trained=not self.restored
        )
        return PicturePerception(backbone)

    def simple(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """Fewer pixels, as numbers from 0 to 1."""
        return [reduced(self.scale.pixels(example), most=14).ravel() for example in examples]

    def shown(self, example: Example) -> str:
        """The image itself."""
        return shown_picture(example.inputs)

    def suited(self) -> dict[str, Any]:
        """The form that later images are brought to."""
        return {**self.scale.options(), "epochs": 10}

    def to_json(self) -> dict[str, Any]:
        """The size and the scale."""
        return self.scale.to_json()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(PictureScale.from_json(value), restored=True)
