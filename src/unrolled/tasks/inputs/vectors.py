"""Vectors computed before: one for an input, or one for each of its regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.scaling import Scaling
from unrolled.models.one_to_many import Perception, VectorPerception
from unrolled.tasks.inputs.base import PerceivedKind
from unrolled.tasks.inputs.options import PerceptionOptions
from unrolled.tasks.inputs.saved import SavedNumbers
from unrolled.tasks.inputs.schema import VectorsSchema


class VectorKind(PerceivedKind):
    """Features computed before: a vector, or one for each region; all scaled over the training data."""

    kind = "vectors"
    Saved = SavedNumbers

    def __init__(self, scaling: Scaling) -> None:
        self.scaling = scaling

    @classmethod
    def fit(cls, examples: Examples, config: Any) -> Self:
        """Measure every feature."""
        return cls(Scaling.fit(np.concatenate([_regions(example) for example in examples])))

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The scaled regions."""
        return [{"values": self._scaled(example)} for example in examples]

    def perception(self, config: PerceptionOptions) -> Perception:
        """A linear map."""
        return VectorPerception(len(self.scaling.center), config.input_size)

    def vectors(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """The regions' mean."""
        return [self._scaled(example).mean(axis=0) for example in examples]

    def shown(self, example: Example) -> str:
        """The first numbers."""
        numbers = _regions(example)
        listed = ", ".join(f"{number:.4g}" for number in numbers.ravel()[:8])
        return f"{' × '.join(map(str, numbers.shape))}: {listed}{', …' if numbers.size > 8 else ''}"

    def schema(self) -> VectorsSchema:
        """Vectors of so many numbers."""
        return VectorsSchema(features=len(self.scaling.center))

    def to_json(self) -> dict[str, Any]:
        """The scale."""
        return {"scaling": self.scaling.to_dict()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: Any) -> Self:
        """The inverse of `to_json`."""
        return cls(Scaling.from_dict(value["scaling"]))

    def _scaled(self, example: Example) -> np.ndarray:
        regions = _regions(example)
        expected = len(self.scaling.center)
        if regions.shape[1] != expected:
            raise example.source.error(f"expected {expected} features as in training, got {regions.shape[1]}")
        return self.scaling.apply(regions)


def _regions(example: Example) -> np.ndarray:
    regions = example.inputs
    if not isinstance(regions, np.ndarray) or regions.ndim != 2 or not len(regions):
        raise example.source.error("expected a vector, or one for each region, as in training")
    return regions
