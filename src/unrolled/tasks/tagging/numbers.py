"""Sequences of numbers to be tagged step by step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.number_lists import number_sequence
from unrolled.data.scaling import Scaling
from unrolled.models.inputs import ValueInput
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.steps import MajorityTag, StepLogistic
from unrolled.tasks.epochs import epochs_for
from unrolled.tasks.tagging.config import TagConfig
from unrolled.tasks.tagging.inputs import StepInputs


class Numbers(StepInputs):
    """Sequences of numbers, each channel brought to mean 0 and deviation 1 over the training data.

    Args:
        scaling: of every channel.
        count: the sequences of the training data.
    """

    kind = "numbers"
    unit = "steps"
    whole = "sequence"

    def __init__(self, scaling: Scaling, count: int) -> None:
        self.scaling = scaling
        self.count = count

    @classmethod
    def fit(cls, examples: Examples, config: TagConfig) -> Self:
        """Measure every channel."""
        first = numbers_of(examples[0])
        unmeasured = cls(Scaling(np.zeros(first.shape[1]), np.ones(first.shape[1])), len(examples))
        return cls(
            Scaling.fit(np.array([step for each in examples for step in unmeasured.steps(each)])),
            len(examples),
        )

    def steps(self, example: Example) -> list[np.ndarray]:
        """The numbers of every step, ``(channels,)``, unscaled."""
        numbers = numbers_of(example)
        channels = len(self.scaling.center)
        if len(numbers) and numbers.shape[1] != channels:
            raise example.source.error(
                f"expected {channels} numbers a step as in training, got {numbers.shape[1]}"
            )
        return list(numbers.reshape(-1, channels))

    def encode(self, example: Example) -> dict[str, np.ndarray]:
        """``values`` ``(time, channels)``."""
        steps = np.array(self.steps(example)).reshape(-1, len(self.scaling.center))
        return {"values": self.scaling.apply(steps).astype(np.float32)}

    def layer(self) -> ValueInput:
        """The numbers as they are."""
        return ValueInput(len(self.scaling.center))

    def baselines(self, train: Examples) -> Iterable[Baseline]:
        """The most frequent tag of all, and a linear model of every step alone."""
        inputs, tags = [self.steps(each) for each in train], [each.target for each in train]
        yield MajorityTag.fit(tags)
        if len({tag for row in tags for tag in row}) > 1:
            yield StepLogistic.fit(inputs, tags)

    def shown(self, example: Example) -> list[str]:
        """The numbers of every step."""
        return [" ".join(f"{number:.3g}" for number in step) for step in self.steps(example)]

    def symbol(self, token: int) -> str:
        """Numbers have no tokens."""
        return str(token)

    def suited(self, config: TagConfig) -> dict[str, Any]:
        """Epochs enough for few sequences."""
        return epochs_for(self.count, config.batch_size)

    def to_json(self) -> dict[str, Any]:
        """The scale."""
        return {"scaling": self.scaling.to_dict(), "count": self.count}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: TagConfig) -> Self:
        """The inverse of `to_json`."""
        return cls(Scaling.from_dict(value["scaling"]), value["count"])


def numbers_of(example: Example) -> np.ndarray:
    """The numbers ``(time, channels)``.

    Raises:
        DataError: the input is text, or not of finite numbers.
    """
    if isinstance(example.inputs, str):
        raise example.source.error(f"expected numbers as in training, got {example.inputs!r:.60}")
    return number_sequence(example.inputs, example.source)
