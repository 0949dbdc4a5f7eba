"""Sequences of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.number_lists import number_sequence
from unrolled.data.scaling import Scaling
from unrolled.models.inputs import InputLayer, ValueInput
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.linear import SummaryLogistic, SummaryRidge
from unrolled.tasks.epochs import epochs_for
from unrolled.tasks.inputs.base import StepsKind, number_baselines
from unrolled.tasks.inputs.saved import SavedNumbers
from unrolled.tasks.inputs.schema import NumbersSchema

_FEW = 1000
"""Sequences of numbers up to which a network would learn them by heart."""


class NumberKind(StepsKind):
    """Sequences of numbers, each channel brought to mean 0 and deviation 1 over the training data."""

    kind = "numbers"
    Saved = SavedNumbers
    linear = SummaryLogistic, SummaryRidge
    streams = True

    def __init__(self, scaling: Scaling) -> None:
        self.scaling = scaling

    @classmethod
    def fit(cls, examples: Examples, config: Any) -> Self:
        """Measure every channel."""
        channels = numbers_of(examples[0]).shape[1]
        unmeasured = cls(Scaling(np.zeros(channels), np.ones(channels)))
        return cls(Scaling.fit(np.concatenate(unmeasured.summaries(examples))))

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The scaled numbers ``(time, channels)``."""
        return [
            {"values": self.scaling.apply(numbers).astype(np.float32)} for numbers in self.summaries(examples)
        ]

    def layer(self, config: Any) -> InputLayer:
        """The numbers as they are, with noise where a task has it."""
        return ValueInput(len(self.scaling.center), noise=getattr(config, "input_noise", 0.0))

    def summaries(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """The numbers ``(time, channels)``, unscaled."""
        return [self._channels(example) for example in examples]

    def _channels(self, example: Example) -> np.ndarray:
        numbers, channels = numbers_of(example), len(self.scaling.center)
        if len(numbers) and numbers.shape[1] != channels:
            raise example.source.error(
                f"expected {channels} numbers a step as in training, got {numbers.shape[1]}"
            )
        return numbers.reshape(-1, channels)

    def steps(self, example: Example) -> list[np.ndarray]:
        """The numbers of every step, ``(channels,)``, unscaled."""
        return list(self._channels(example))

    def step_baselines(self, train: Examples) -> Iterable[Baseline]:
        """The most frequent tag of all, and a linear model of every step alone."""
        return number_baselines(list(map(self.steps, train)), [example.target for example in train])

    def shown(self, example: Example) -> str:
        """The first numbers."""
        steps = numbers_of(example)
        first = ", ".join(f"{number:.4g}" for number in steps[:8].ravel()[:8])
        return f"{len(steps)} steps: {first}{', …' if steps.size > 8 else ''}"

    def suited(self, examples: Examples, config: Any) -> dict[str, Any]:
        """Epochs enough for few sequences, and where they are to be classified a smaller cell and noise."""
        options = epochs_for(len(examples), config.batch_size)
        if len(examples) <= _FEW and isinstance(examples[0].target, str):
            options |= {"pooling": "max", "learning_rate": 5e-3, "input_noise": 0.5}
            if not (config.peepholes or config.projection_size):  # which a GRU has not
                options["cell"] = "gru"
        return options

    def schema(self) -> NumbersSchema:
        """Steps of so many numbers."""
        return NumbersSchema(channels=len(self.scaling.center))

    def to_json(self) -> dict[str, Any]:
        """The scale."""
        return {"scaling": self.scaling.to_dict()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: Any) -> Self:
        """The inverse of `to_json`."""
        scaling = Scaling.from_dict(value["scaling"])
        if scaling.center.ndim != 1:
            raise ValueError("expected a scale for each channel")
        return cls(scaling)


def numbers_of(example: Example) -> np.ndarray:
    """The numbers ``(time, channels)``.

    Raises:
        DataError: the input is text, or not of finite numbers.
    """
    given = example.inputs
    text = (
        " ".join(given)
        if isinstance(given, tuple) and all(isinstance(each, str) for each in given)
        else given
    )
    if isinstance(text, str) and given:
        raise example.source.error(f"expected numbers as in training, got {text!r:.60}")
    return number_sequence(given, example.source)
