"""What an evaluation says: scores, beside those of simple baselines on the same data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from matplotlib.axes import Axes

from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.saving.schema import ENTRIES, Count
from unrolled.tasks.metrics import best_rows, heading


@with_config(ENTRIES)
class SavedEvaluation(TypedDict):
    """An `Evaluation` in a model folder."""

    task: str
    data: str
    scores: dict[str, float]
    baselines: dict[str, dict[str, float]]
    count: Count
    unit: str
    seconds: float
    examples: list[dict[str, Any]]
    groups: dict[str, dict[str, float]]
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of one set of predictions.

    Attributes:
        scores: by name.
        count: the number of things scored.
        unit: what was counted.
        examples: a few predictions for a report, as plain JSON values.
        groups: further scores on parts of the data; see `Evaluation`.
        details: what a report shows beyond scores; see `Evaluation`.
    """

    scores: Mapping[str, float]
    count: int
    unit: str = "examples"
    examples: tuple[Mapping[str, Any], ...] = field(default=())
    groups: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The scores of one model on one data set.

    Attributes:
        task: the task's name, as in ``unrolled train TASK``.
        data: what was evaluated on: the path or name, or a description such as "held-out share".
        scores: the model's scores by name.
        baselines: for every baseline, its scores on the same data.
        count: the number of things scored.
        unit: what was counted: "examples", "tokens", "characters", ...
        seconds: how long the model (not the baselines) took.
        examples: a few predictions for a report, as plain JSON values.
        groups: further scores of the model on parts of the data, by what divides it, then by part.
        details: what a report shows beyond scores, as plain JSON values: "confusion", "confidence", "wrong"
            (the rows that the model was most wrong about) and "ahead"; see `unrolled.tasks.details`.

    Example:
        >>> beside = {"most frequent tag": {"accuracy": 0.88}}
        >>> print(Evaluation("tag", "dev.conllu", {"accuracy": 0.95}, beside, 100))
        tag on dev.conllu, 100 examples
                           accuracy ↑
        model                  0.9500
        most frequent tag      0.8800
    """

    task: str
    data: str
    scores: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]
    count: int
    unit: str = "examples"
    seconds: float = 0.0
    examples: Sequence[Mapping[str, Any]] = field(default=())
    groups: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain dicts, lists and numbers."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_json(cls, value: SavedEvaluation) -> Evaluation:
        """The inverse of `to_json`."""
        return cls(**cast(Any, {**value, "examples": tuple(value["examples"])}))

    def rows(self) -> list[tuple[str, dict[str, float | None]]]:
        """The table's rows, the model first: a name and its scores, None where there is none."""
        return [(name, {score: row.get(score) for score in self.scores}) for name, row in self._table.items()]

    def best(self, score: str) -> set[str]:
        """The names of the rows that are best at a score, be it the model's or a baseline's."""
        return best_rows(self._table, score)

    @property
    def _table(self) -> dict[str, Mapping[str, float]]:
        return {"model": self.scores} | dict(self.baselines)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each score of the model beside those of the baselines.

        Args:
            ax: matplotlib's axes to draw on; a new figure by default.
        """
        from unrolled.tasks.plots import plot_evaluation

        return plot_evaluation(self, ax)

    def _repr_html_(self) -> str:
        from unrolled.layers.html_table import html_table

        rows = [
            [name, *("-" if value is None else f"{value:.4f}" for value in row.values())]
            for name, row in self.rows()
        ]
        title = f"{self.task} on {self.data}, {self.count:,} {self.unit}"
        return html_table(title, rows, ["", *self.scores])

    def __str__(self) -> str:
        rows = self.rows()
        left = max(len(name) for name, _ in rows) + 2
        widths = {score: max(len(heading(score)), 10) for score in self.scores}
        head = " " * left + "  ".join(f"{heading(score):>{width}}" for score, width in widths.items())
        lines = [
            f"{name:<{left}}"
            + "  ".join(
                f"{'-' if row[score] is None else format(row[score], '.4f'):>{widths[score]}}"
                for score in row
            )
            for name, row in rows
        ]
        for title, parts in self.groups.items():
            lines += [title, *(f"  {part}: {value:.4f}" for part, value in parts.items())]
        return "\n".join([f"{self.task} on {self.data}, {self.count} {self.unit}", head, *lines])
