"""The class of the training sequence that is most like the one at hand, however stretched in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, with_config
from typing_extensions import TypedDict

from unrolled.data.scaling import Scaling
from unrolled.saving.schema import ENTRIES, Size
from unrolled.tasks.baselines.base import BaselineState, FittedBaseline

_KEPT = 500
"""Training sequences that are searched at most: the model folder holds them."""
_PAIRS = 2_500_000
"""Pairs of steps that are compared at most for one sequence, some ten milliseconds."""
_JUDGED = 100
"""Sequences by which it is decided on which scale to compare."""

Steps = NDArray[np.float32]  # (time, channel)


@with_config(ENTRIES)
class _Saved(TypedDict):
    labels: Annotated[list[str] | list[list[str]], Field(min_length=1)]
    stretch: Size
    own_scale: bool


class NearestSeries(FittedBaseline):
    """Gives the label of the training sequence at the least distance by dynamic time warping.

    Of all ways to go through two sequences side by side, staying or going on in each, the one is taken along
    which the squared distances of the steps add up to least (Sakoe and Chiba 1978); all channels are warped
    alike, and the first of equally near sequences counts. Each sequence is brought to mean 0 and deviation 1,
    or all to one scale, whichever tells the training sequences apart better. Long sequences, and many, are
    compared by the means of so many steps in a row that a comparison takes some ten milliseconds.

    Args:
        series: the training sequences, scaled and shortened.
        labels: of each, one or several.
        stretch: how many steps are averaged to one.
        scaling: that of all sequences; None: each has its own.

    Example:
        >>> rises, falls = np.arange(6.0)[:, None], np.arange(6.0)[::-1, None]
        >>> nearest = NearestSeries.fit([rises, falls], ["up", "down"])
        >>> nearest.predict([np.array([[0.0], [0.0], [0.0], [1.0], [5.0]])])
        ['up']
    """

    name: ClassVar[str] = "1-NN dynamic time warping"
    Saved = _Saved

    def __init__(
        self, series: Sequence[Steps], labels: Sequence[Any], stretch: int, scaling: Scaling | None
    ) -> None:
        self.series = list(series)
        self.labels = list(labels)
        self.stretch = stretch
        self.scaling = scaling

    @classmethod
    def fit(cls, inputs: Sequence[np.ndarray], targets: Sequence[Any]) -> Self:
        """Keep the training data, or so many sequences that each class has its share."""
        by_label = sorted(range(len(inputs)), key=lambda row: targets[row])
        spread = np.linspace(0, len(inputs) - 1, min(len(inputs), _KEPT)).astype(int)
        kept: list[int] = sorted(by_label[place] for place in np.unique(spread).tolist())
        labels = [targets[row] for row in kept]
        longest = int((_PAIRS / len(kept)) ** 0.5)
        stretch = -(-max(len(inputs[row]) for row in kept) // longest)
        common = Scaling.fit(np.concatenate([inputs[row] for row in kept]))
        found = [
            cls([_compared(inputs[row], stretch, scaling) for row in kept], labels, stretch, scaling)
            for scaling in (None, common)
        ]
        return max(found, key=lambda each: each._right())  # of equally good ones the first

    def predict(self, inputs: Sequence[np.ndarray]) -> list[Any]:
        """The label, or the labels, of the nearest sequence, for each input."""
        others, lengths = _side_by_side(self.series)
        found = []
        for steps in inputs:
            # One far longer than all of these is shortened further, or the table would be of any size.
            stretch = max(self.stretch, len(steps) // (2 * len(others)))
            distances = warped_distances(_compared(steps, stretch, self.scaling), others, lengths)
            found.append(self.labels[int(distances.argmin())])
        return found

    def _right(self) -> int:
        """How many of some training sequences have the label of the nearest other one."""
        spread = np.linspace(0, len(self.series) - 1, min(len(self.series), _JUDGED)).astype(int)
        rows: list[int] = np.unique(spread).tolist()
        series, labels = [self.series[row] for row in rows], [self.labels[row] for row in rows]
        others = _side_by_side(series)
        right = 0
        for row, steps in enumerate(series):
            distances = warped_distances(steps, *others)
            distances[row] = np.inf
            right += labels[int(distances.argmin())] == labels[row]
        return right

    def state(self) -> BaselineState:
        """The sequences, their labels and their scale."""
        channels = self.series[0].shape[1]
        scaling = self.scaling or Scaling(np.zeros(channels), np.ones(channels))
        return BaselineState(
            {
                "labels": [each if isinstance(each, str) else list(each) for each in self.labels],
                "stretch": self.stretch,
                "own_scale": self.scaling is None,
            },
            {
                "steps": torch.from_numpy(np.concatenate(self.series)),
                "lengths": torch.tensor([len(steps) for steps in self.series]),
                "center": torch.from_numpy(scaling.center),
                "scale": torch.from_numpy(scaling.scale),
            },
        )

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        values = state.values
        steps, lengths = state.array("steps", 2).astype(np.float32), state.array("lengths", 1, "int")
        center, scale = state.array("center", 1), state.array("scale", 1)
        if len(lengths) != len(values["labels"]) or lengths.sum() != len(steps) or not (lengths > 0).all():
            raise ValueError(
                f"expected {len(values['labels'])} sequences of {len(steps)} steps together, got "
                f"{len(lengths)} of {lengths.sum()}"
            )
        if center.shape != steps.shape[1:] or scale.shape != steps.shape[1:] or not (scale > 0).all():
            raise ValueError(f"expected a scale for each of {steps.shape[1]} channels, got {scale.shape}")
        series = np.split(steps, np.cumsum(lengths)[:-1])
        scaling = None if values["own_scale"] else Scaling(center, scale)
        return cls(series, values["labels"], values["stretch"], scaling)


def warped_distances(steps: Steps, others: NDArray[np.float32], lengths: NDArray[np.int64]) -> np.ndarray:
    """The distance of one sequence from many by dynamic time warping, squared.

    All cells of an anti-diagonal of the table are computed together, for all sequences at once.

    Args:
        steps: ``(time, channel)``.
        others: ``(other time, sequence, channel)``, padded with anything.
        lengths: ``(sequence,)``, the steps of each.

    Returns:
        ``(sequence,)``.

    Example:
        >>> one = np.array([[0.0], [1.0], [2.0]], dtype=np.float32)
        >>> other = np.array([[0.0], [0.0], [1.0], [3.0]], dtype=np.float32)
        >>> warped_distances(one, other[:, None], np.array([4]))
        array([1.], dtype=float32)
    """
    rows, columns, count = len(steps), len(others), len(lengths)
    costs = np.zeros((rows * columns, count), dtype=np.float32)
    for channel in range(steps.shape[1]):
        difference = steps[:, None, None, channel] - others[None, :, :, channel]
        costs += np.square(difference, out=difference).reshape(rows * columns, count)
    # Entry i + 1 of a diagonal is the cell of the sequence's step i; before the first there is none.
    before = np.full((rows + 1, count), np.inf, dtype=np.float32)
    last = before.copy()
    before[0] = 0
    found = np.empty(count, dtype=np.float32)
    for diagonal in range(rows + columns - 1):
        first, stop = max(0, diagonal - columns + 1), min(rows, diagonal + 1)
        places = np.arange(first, stop) * (columns - 1) + diagonal
        cells = np.full_like(last, np.inf)
        least = np.minimum(np.minimum(last[first:stop], last[first + 1 : stop + 1]), before[first:stop])
        np.add(costs[places], least, out=cells[first + 1 : stop + 1])
        before, last = last, cells
        ending = lengths == diagonal - rows + 2
        found[ending] = cells[rows, ending]
    return found


def _side_by_side(series: Sequence[Steps]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Sequences ``(time, sequence, channel)``, padded with zeros, and their lengths."""
    lengths = np.array([len(steps) for steps in series])
    padded = np.zeros((lengths.max(), len(series), series[0].shape[1]), dtype=np.float32)
    for row, steps in enumerate(series):
        padded[: len(steps), row] = steps
    return padded, lengths


def _compared(steps: np.ndarray, stretch: int, scaling: Scaling | None) -> Steps:
    """A sequence as it is compared: scaled, and shortened."""
    scaled = (scaling or Scaling.fit(steps)).apply(np.asarray(steps, dtype=np.float64))
    starts = np.arange(0, len(scaled), stretch)
    counts = np.diff(np.append(starts, len(scaled)))
    return (np.add.reduceat(scaled, starts) / counts[:, None]).astype(np.float32)
