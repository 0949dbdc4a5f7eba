"""Several models on the same data, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from unrolled.errors import ConfigError
from unrolled.inspection.examination import Examination, examine
from unrolled.models.cell import BUILT_IN, keeps, name_of
from unrolled.tasks.base import Estimator
from unrolled.tasks.evaluation import Evaluation

_ONE_CELLS_OPTIONS = {
    "activation": ("rnn",),
    "forget_bias": ("lstm",),
    "chrono": ("lstm", "gru"),
    "peepholes": ("lstm",),
    "projection_size": ("lstm",),
}
"""Options that only some cells have: in a comparison of cells the others go without."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One model of a comparison.

    Attributes:
        name: what it is called there.
        weights: how many numbers training could change.
        epochs: that it was trained for.
        seconds: that they took, scoring left out.
        evaluation: its scores, beside the baselines'.
        examination: how the gradient flows through it.
    """

    name: str
    weights: int
    epochs: int
    seconds: float
    evaluation: Evaluation
    examination: Examination

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; of what was measured the decay over lag, the rest is in its own diagnosis."""
        found = self.examination.diagnosis
        return {
            "name": self.name,
            "network": self.examination.network,
            "weights": self.weights,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "evaluation": self.evaluation.to_json(),
            "verdict": found.verdict.to_json(),
            "decay": {layer: list(decay) for layer, decay in self.examination.decays.items()},
        }


def compared(estimator: Estimator, data: Any, name: str, evaluation: Evaluation | None = None) -> Compared:
    """Score and examine a fitted model.

    Args:
        estimator: fitted or loaded.
        data: what `Estimator.evaluate` takes.
        name: what it is called in the comparison.
        evaluation: its scores where they are known already.
    """
    epochs = [] if estimator.history is None else estimator.history.epochs
    return Compared(
        name=name,
        weights=sum(each.numel() for each in estimator.model.parameters() if each.requires_grad),
        epochs=len(epochs),
        seconds=sum(epoch.seconds for epoch in epochs),
        evaluation=evaluation or estimator.evaluate(data),
        examination=examine(estimator, data, name),
    )


def require_comparable(estimators: Mapping[str, Estimator]) -> None:
    """See that all models do the same.

    Raises:
        ConfigError: they are of different tasks.
    """
    tasks = {name: estimator.task for name, estimator in estimators.items()}
    if len(set(tasks.values())) > 1:
        named = ", ".join(f"{name} ({task})" for name, task in tasks.items())
        raise ConfigError(f"expected models of one task to compare, got {named}.")


def apart(estimators: Iterable[Estimator]) -> list[str]:
    """A name for each of them by its cell; one that another has already is followed by a number.

    Two files may each have a cell of the same name, and the names differ in more than their case, since
    folders are called by them.
    """
    names: list[str] = []
    for estimator in estimators:
        name = own = name_of(estimator.config.cell)
        number = 2
        while name.lower() in [taken.lower() for taken in names]:
            name, number = f"{own}-{number}", number + 1
        names.append(name)
    return names


def options_for(cell: str, options: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The options of a comparison as one cell takes them, and the names of those that it lacks.

    Example:
        >>> options_for("rnn", {"hidden_size": 8, "chrono": 100})
        ({'hidden_size': 8, 'cell': 'rnn'}, ['chrono'])
    """
    with_gate = ("forget_bias", "chrono") if cell not in BUILT_IN and keeps(cell) else ()
    lacking = [
        name
        for name in options
        if name not in with_gate and cell not in _ONE_CELLS_OPTIONS.get(name, (cell,))
    ]
    return {name: value for name, value in options.items() if name not in lacking} | {"cell": cell}, lacking
