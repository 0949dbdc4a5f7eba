"""Sequences of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.number_lists import number_sequence
from unrolled.data.scaling import Scaling, fill
from unrolled.models.convolution import ConvolutionInput
from unrolled.models.inputs import InputLayer, ValueInput
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.linear import SummaryLogistic, SummaryRidge
from unrolled.tasks.baselines.nearest_series import NearestSeries
from unrolled.tasks.epochs import epochs_for
from unrolled.tasks.inputs.base import StepsKind, number_baselines
from unrolled.tasks.inputs.saved import SavedSteps
from unrolled.tasks.inputs.schema import NumbersSchema

_FEW = 1000
"""Sequences of numbers up to which a network would learn them by heart."""
_SOME_DOZENS, _EPOCHS = 100, 150
"""Sequences up to which all are gone through so often: an epoch is a batch or two."""


class NumberKind(StepsKind):
    """Sequences of numbers, each channel brought to mean 0 and deviation 1 over the training data.

    Where numbers are missing in the training data, the network reads at every step the last one that was
    there, whether it is of this step, and how long ago it was (Che et al. 2018, GRU-D).

    Args:
        scaling: of every channel.
        gaps: whether numbers are missing in the training data.
    """

    kind = "numbers"
    Saved = SavedSteps
    simple_classifiers = SummaryLogistic, NearestSeries
    simple_regressors = (SummaryRidge,)

    def __init__(self, scaling: Scaling, gaps: bool = False) -> None:
        self.scaling = scaling
        self.gaps = gaps
        self.streams = not gaps  # what was last there is of earlier steps

    @classmethod
    def fit(cls, examples: Examples, config: Any) -> Self:
        """Measure every channel."""
        channels = numbers_of(examples[0]).shape[1]
        unmeasured = cls(Scaling(np.zeros(channels), np.ones(channels)), gaps=True)
        numbers = [unmeasured._channels(example) for example in examples]
        missing = sum(int(np.isnan(each).sum()) for each in numbers)
        if missing == sum(each.size for each in numbers):
            raise examples[0].source.error("expected numbers in some sequence, got none in any")
        fitted = cls(Scaling.fit(np.concatenate(numbers)), missing > 0)
        if missing:
            fitted.notes = (
                f"{missing:,} of {sum(each.size for each in numbers):,} numbers are missing: the last one "
                "that was there is read, and how long ago that was.",
            )
        return fitted

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The scaled numbers ``(time, channels)``; with gaps, thrice as many."""
        return [{"values": self._read(self._channels(example))} for example in examples]

    def _read(self, numbers: np.ndarray) -> np.ndarray:
        scaled = self.scaling.apply(numbers)
        return (with_gaps(scaled) if self.gaps else scaled).astype(np.float32)

    def layer(self, config: Any) -> InputLayer:
        """The numbers as they are, with noise and convolutions where a task has them."""
        size = len(self.scaling.center) * (3 if self.gaps else 1)
        values = ValueInput(size, noise=getattr(config, "input_noise", 0.0))
        filters = getattr(config, "filters", 0)
        return ConvolutionInput(values, filters) if filters else values

    def summaries(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """The numbers ``(time, channels)``, unscaled; a missing one is the last one that was there."""
        return [self._filled(example) for example in examples]

    def _filled(self, example: Example) -> np.ndarray:
        numbers = self._channels(example)
        begun = np.maximum.accumulate(~np.isnan(numbers), axis=0)
        return np.where(begun, fill(numbers), self.scaling.center)  # before the first number, the mean

    def _channels(self, example: Example) -> np.ndarray:
        numbers, channels = numbers_of(example), len(self.scaling.center)
        if len(numbers) and numbers.shape[1] != channels:
            raise example.source.error(
                f"expected {channels} numbers a step as in training, got {numbers.shape[1]}"
            )
        if not self.gaps and np.isnan(numbers).any():
            step = int(np.isnan(numbers).any(axis=1).argmax())
            raise example.source.error(
                f"expected finite numbers, as all were in training, got NaN at step {step + 1}",
                remedy="fill the gap, or train on data that has some",
            )
        return numbers.reshape(-1, channels)

    def steps(self, example: Example) -> list[np.ndarray]:
        """The numbers of every step, ``(channels,)``, unscaled; see `summaries`."""
        return list(self._filled(example))

    def step_baselines(self, train: Examples) -> Iterable[Baseline]:
        """The most frequent tag of all, and a linear model of every step alone."""
        return number_baselines(list(map(self.steps, train)), [example.target for example in train])

    def shown(self, example: Example) -> str:
        """The first numbers."""
        steps = numbers_of(example)
        first = ", ".join(f"{number:.4g}" for number in steps[:8].ravel()[:8])
        return f"{len(steps)} steps: {first}{', …' if steps.size > 8 else ''}"

    def suited(self, examples: Examples, config: Any) -> dict[str, Any]:
        """Epochs enough for few sequences; where these are to be classified, a GRU and what suits it."""
        options = epochs_for(len(examples), config.batch_size)
        if len(examples) <= _FEW and isinstance(examples[0].target, str):
            options |= {"pooling": "max", "learning_rate": 5e-3, "input_noise": 0.5}
            if len(self.scaling.center) == 1:
                # What tells a single curve's classes apart is its shape, which convolutions see.
                options |= {"input_noise": 0.1, "dropout": 0.2}
                if config.bidirectional:  # else it may be meant to be read step by step
                    options["filters"] = 32
            if len(examples) <= _SOME_DOZENS:
                # The held-out share is a few sequences, by which no end of training can be chosen.
                options |= {"epochs": _EPOCHS, "patience": _EPOCHS}
            if not (config.peepholes or config.projection_size):  # which a GRU has not
                options["cell"] = "gru"
        return options

    def schema(self) -> NumbersSchema:
        """Steps of so many numbers."""
        return NumbersSchema(channels=len(self.scaling.center), gaps=self.gaps)

    def to_json(self) -> dict[str, Any]:
        """The scale, and whether numbers are missing."""
        return {"scaling": self.scaling.to_dict(), "gaps": self.gaps}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: Any) -> Self:
        """The inverse of `to_json`."""
        scaling = Scaling.from_dict(value["scaling"])
        if scaling.center.ndim != 1:
            raise ValueError("expected a scale for each channel")
        return cls(scaling, value["gaps"])


def with_gaps(numbers: np.ndarray) -> np.ndarray:
    """Numbers and what is known of those that are missing, ``(time, 3 channels)``.

    First the last number that was there, 0 where none was; then 1 where it is of this step; then the
    logarithm of one more than the steps since it was there, or since the beginning.

    Args:
        numbers: ``(time, channels)``, NaN where missing.

    Example:
        >>> with_gaps(np.array([[np.nan], [2.0], [np.nan], [np.nan]])).round(2)
        array([[0.  , 0.  , 0.69],
               [2.  , 1.  , 0.  ],
               [2.  , 0.  , 0.69],
               [2.  , 0.  , 1.1 ]])
    """
    present = ~np.isnan(numbers)
    steps = np.arange(len(numbers))[:, None]
    last = np.maximum.accumulate(np.where(present, steps, -1), axis=0)
    return np.concatenate([fill(numbers), present, np.log1p(steps - last)], axis=1)


def numbers_of(example: Example) -> np.ndarray:
    """The numbers ``(time, channels)``.

    Raises:
        DataError: the input is text, or has infinite numbers.
    """
    given = example.inputs
    text = (
        " ".join(given)
        if isinstance(given, tuple) and all(isinstance(each, str) for each in given)
        else given
    )
    if isinstance(text, str) and given:
        raise example.source.error(f"expected numbers as in training, got {text!r:.60}")
    return number_sequence(given, example.source, gaps=True)
