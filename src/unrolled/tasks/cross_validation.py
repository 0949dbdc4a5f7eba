"""Scores of several trainings, each on the share of the data that it has not seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, Literal

from unrolled.tasks.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """The evaluations of every fold.

    Attributes:
        evaluations: one a fold.

    Example:
        >>> beside = {"most frequent": {"accuracy": 0.5}}
        >>> folds = [Evaluation("tag", "fold", {"accuracy": value}, beside, 10) for value in (0.7, 0.9)]
        >>> print(CrossValidation(tuple(folds)))
        tag in 2 folds, 20 examples
                                accuracy
        model            0.8000 ± 0.1414
        most frequent    0.5000 ± 0.0000
    """

    evaluations: tuple[Evaluation, ...]

    @property
    def scores(self) -> dict[str, float]:
        """The mean of each score over the folds."""
        return {name: fmean(values) for name, values in self._values(_of_model).items()}

    @property
    def deviations(self) -> dict[str, float]:
        """The standard deviation of each score over the folds."""
        return {name: _deviation(values) for name, values in self._values(_of_model).items()}

    def mean(self) -> Evaluation:
        """One evaluation with the means, as large as all folds together."""
        first = self.evaluations[0]
        return Evaluation(
            first.task,
            self._described(),
            self.scores,
            {
                name: {score: fmean(found) for score, found in self._values(_of(name)).items()}
                for name in first.baselines
            },
            sum(each.count for each in self.evaluations),
            first.unit,
            sum(each.seconds for each in self.evaluations),
            first.examples,
        )

    def score(self, monitored: tuple[str, Literal["min", "max"]]) -> float:
        """The mean of a score, made negative where less of it is better."""
        name, mode = monitored
        return self.scores[name] if mode == "max" else -self.scores[name]

    def to_json(self) -> dict[str, Any]:
        """The means, the deviations and every fold, as plain JSON."""
        return {
            "scores": self.scores,
            "deviations": self.deviations,
            "folds": [each.to_json() for each in self.evaluations],
        }

    def rows(self) -> list[tuple[str, dict[str, str]]]:
        """The table's rows, the model first: a name, and each score with its deviation."""
        names = ["model", *self.evaluations[0].baselines]
        return [
            (
                name,
                {
                    score: f"{fmean(found):.4f} ± {_deviation(found):.4f}"
                    for score, found in self._values(_of_model if name == "model" else _of(name)).items()
                },
            )
            for name in names
        ]

    def __str__(self) -> str:
        rows = self.rows()
        left = max(len(name) for name, _ in rows) + 4
        widths = {score: max(len(score), len(shown)) for score, shown in rows[0][1].items()}
        head = " " * left + "  ".join(f"{score:>{width}}" for score, width in widths.items())
        lines = [
            f"{name:<{left}}"
            + "  ".join(f"{row.get(score, '-'):>{width}}" for score, width in widths.items())
            for name, row in rows
        ]
        first = self.evaluations[0]
        count = sum(each.count for each in self.evaluations)
        return "\n".join([f"{first.task} in {self._described()}, {count} {first.unit}", head, *lines])

    def _described(self) -> str:
        return f"{len(self.evaluations)} folds"

    def _values(self, of: Any) -> dict[str, list[float]]:
        """Each score's values in the folds; one that a fold lacks, for it has no such thing, is left out."""
        rows: Sequence[Mapping[str, float]] = [of(each) for each in self.evaluations]
        return {score: [row[score] for row in rows] for score in rows[0] if all(score in row for row in rows)}


def _of_model(evaluation: Evaluation) -> Mapping[str, float]:
    return evaluation.scores


def _of(baseline: str) -> Any:
    return lambda evaluation: evaluation.baselines.get(baseline, {})


def _deviation(values: Sequence[float]) -> float:
    return stdev(values) if len(values) > 1 and all(map(math.isfinite, values)) else 0.0
