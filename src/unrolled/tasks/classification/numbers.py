"""Sequences of numbers as what a classifier reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.scaling import Scaling
from unrolled.models.inputs import InputLayer, ValueInput
from unrolled.tasks.baselines.linear import SummaryLogistic, SummaryRidge
from unrolled.tasks.classification.config import ClassifyConfig
from unrolled.tasks.classification.inputs import Inputs
from unrolled.tasks.epochs import epochs_for

_FEW = 1000
"""Sequences of numbers up to which a network would learn them by heart."""


class NumberInputs(Inputs):
    """Sequences of numbers, each channel brought to mean 0 and deviation 1 over the training data."""

    kind = "numbers"
    linear = SummaryLogistic, SummaryRidge

    def __init__(self, scaling: Scaling, options: Mapping[str, Any] | None = None) -> None:
        self.options = dict(options or {})
        self.scaling = scaling

    @classmethod
    def fit(cls, examples: Examples, config: ClassifyConfig) -> Self:
        """Measure every channel."""
        steps = np.concatenate([_numbers(example) for example in examples])
        options = epochs_for(len(examples), config.batch_size)
        if len(examples) <= _FEW and isinstance(examples[0].target, str):
            options |= {"pooling": "max", "learning_rate": 5e-3, "input_noise": 0.5}
            if not (config.peepholes or config.projection_size):  # which a GRU has not
                options["cell"] = "gru"
        return cls(Scaling.fit(steps), options)

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The scaled numbers ``(time, channels)``."""
        return [{"values": self.scaling.apply(numbers)} for numbers in self.simple(examples)]

    def layer(self, config: ClassifyConfig) -> InputLayer:
        """The numbers as they are."""
        return ValueInput(len(self.scaling.center), noise=config.input_noise)

    def simple(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """The numbers ``(time, channels)``, unscaled."""
        return [self._channels(example) for example in examples]

    def _channels(self, example: Example) -> np.ndarray:
        numbers = _numbers(example)
        if numbers.shape[1] != len(self.scaling.center):
            raise example.source.error(
                f"expected {len(self.scaling.center)} numbers a step as in training, got {numbers.shape[1]}"
            )
        return numbers

    def shown(self, example: Example) -> str:
        """The first numbers."""
        steps = _numbers(example)
        first = ", ".join(f"{number:.4g}" for number in steps[:8].ravel()[:8])
        return f"{len(steps)} steps: {first}{', …' if steps.size > 8 else ''}"

    def suited(self) -> dict[str, Any]:
        """Epochs enough for few sequences, and where they are to be classified a smaller cell and noise."""
        return self.options

    def to_json(self) -> dict[str, Any]:
        """The scale."""
        return {"scaling": self.scaling.to_dict()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: ClassifyConfig) -> Self:
        """The inverse of `to_json`."""
        return cls(Scaling.from_dict(value["scaling"]))


def _numbers(example: Example) -> np.ndarray:
    """The numbers ``(time, channels)``, checked to be numbers and to be there."""
    if isinstance(example.inputs, str):
        raise example.source.error("expected a sequence of numbers as in training, got text")
    if not len(example.inputs):
        raise example.source.error("expected a sequence of one step at least, got none")
    return example.inputs
