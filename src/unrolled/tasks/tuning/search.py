"""The search for options by cross-validation, in which what does poorly is given up early."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from unrolled.errors import ConfigError, DivergedError, MissingDependencyError, TrainingError
from unrolled.tasks.cross_validation import CrossValidation
from unrolled.tasks.metrics import ALONE
from unrolled.tasks.tuning.space import given_space, usual_space
from unrolled.training.callback import Callback

if TYPE_CHECKING:
    import pandas as pd
    from optuna.trial import Trial

    from unrolled.models.base import SequenceModel
    from unrolled.tasks.estimator.cross_validating import CrossValidating
    from unrolled.training.trainer import Trainer

Fitted = TypeVar("Fitted", bound="CrossValidating[Any, Any]")

_logger = logging.getLogger("unrolled")

_STARTED = 4
"""Tries that are never given up, so that later ones have something to be compared with."""


@dataclass(frozen=True, slots=True)
class Try:
    """One choice of options.

    Attributes:
        options: chosen, beside those of the estimator; none for the estimator as it is.
        cross_validation: the scores; None where it was given up.
        score: the mean score that decides; where it was given up, the best until then; NaN for none.
        seconds: that it took.
        ended: `done`, `given up` or `diverged`.
    """

    options: Mapping[str, Any]
    cross_validation: CrossValidation | None
    score: float
    seconds: float
    ended: str

    def deviation(self, score: str) -> float:
        """The standard deviation of a score over the folds; NaN where it was given up."""
        return math.nan if self.cross_validation is None else self.cross_validation.deviations[score]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a search has found.

    Attributes:
        tries: all of them, in the order in which they were made; the first is the estimator as it was.
        monitored: the score that decided, and the direction that is better.
        estimator: with the options of the best, trained on all the data; None until then.
    """

    tries: tuple[Try, ...]
    monitored: tuple[str, Literal["min", "max"]]
    estimator: Any = None

    @property
    def best(self) -> Try:
        """The best of those that were not given up; of equal ones the first."""
        done = [one for one in self.tries if one.ended == "done"]
        return (min if self.monitored[1] == "min" else max)(done, key=lambda one: one.score)

    @property
    def best_params(self) -> dict[str, Any]:
        """The options of the best."""
        return dict(self.best.options)

    @property
    def table(self) -> pd.DataFrame:
        """A row a try, the best first: its options, its score and deviation, its time, how it ended."""
        import pandas as pd

        score, mode = self.monitored
        rows = [
            {"try": number, **one.options, score: one.score, "deviation": one.deviation(score)}
            | {"seconds": round(one.seconds, 2), "ended": one.ended}
            for number, one in enumerate(self.tries)
        ]
        names = list(dict.fromkeys(name for one in self.tries for name in one.options))
        columns = ["try", *names, score, "deviation", "seconds", "ended"]
        sign = 1 if mode == "min" else -1
        order = sorted(
            range(len(rows)),
            key=lambda at: (self.tries[at].ended != "done", _last(sign * self.tries[at].score)),
        )
        return pd.DataFrame([rows[at] for at in order], columns=columns)

    def to_json(self) -> dict[str, Any]:
        """The score that decided, the best options and all tries, as plain JSON."""
        return {
            "monitored": self.monitored[0],
            "best": self.best_params,
            "score": self.best.score,
            "tries": [
                {"options": dict(one.options), "score": one.score, "seconds": one.seconds, "ended": one.ended}
                for one in self.tries
            ],
        }

    def __str__(self) -> str:
        return self.table.to_string(index=False, na_rep="-")


class _Report(Callback):
    """Tells a trial how each epoch does, and gives up where others did better by then."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.monitored: tuple[str, Literal["min", "max"]] | None = None
        self.best_of_folds: list[float] = []

    @property
    def mean(self) -> float:
        """The mean over the folds so far of the best score of each."""
        return sum(self.best_of_folds) / len(self.best_of_folds) if self.best_of_folds else math.nan

    def on_fit_start(self, trainer: Trainer, model: SequenceModel) -> None:
        """A fold begins."""
        # What is tuned is the whole model, though each training chooses its epoch by the network alone.
        self.monitored = trainer.monitor.removesuffix(ALONE), trainer.mode
        self.best_of_folds.append(math.inf if trainer.mode == "min" else -math.inf)

    def on_train_epoch_end(self, trainer: Trainer, model: SequenceModel) -> None:
        """Tell, and ask whether to go on."""
        import optuna

        assert self.monitored is not None
        pick = min if trainer.mode == "min" else max
        value = trainer.callback_metrics[self.monitored[0]]
        self.best_of_folds[-1] = pick(self.best_of_folds[-1], value)
        step = (len(self.best_of_folds) - 1) * trainer.config.epochs + trainer.current_epoch
        self.trial.report(-self.mean if trainer.mode == "min" else self.mean, step)
        if self.trial.should_prune():
            raise optuna.TrialPruned


def search(
    estimator: CrossValidating[Any, Any],
    X: Any,
    y: Any = None,
    *,
    trials: int = 20,
    folds: int = 3,
    seconds: float | None = None,
    space: Mapping[str, Any] | None = None,
) -> Tuning:
    """Try options; see `CrossValidating.tune`, which also trains with the best."""
    try:
        import optuna
    except ImportError:
        raise MissingDependencyError.of("the search for options", extra="tune") from None
    if trials < 1:
        raise ConfigError(f"trials: expected one at least, got {trials}")
    around = usual_space(estimator.config) if space is None else given_space(type(estimator).Config, space)
    tries: list[Try] = []
    monitored: tuple[str, Literal["min", "max"]] | None = None

    def objective(trial: Trial) -> float:
        nonlocal monitored
        # The first is the estimator as it is: what is found must be better than that.
        options = {name: each.drawn(trial, name) for name, each in around.items()} if trial.number else {}
        report, started = _Report(trial), time.perf_counter()
        one = clone_with(estimator, options)
        found, ended = None, "done"
        try:
            found = one.cross_validate(X, y, folds=folds, callbacks=[report])
        except optuna.TrialPruned:
            ended = "given up"
        except DivergedError:
            ended = "diverged"
        monitored = report.monitored or monitored
        assert monitored is not None
        score, mode = monitored
        value = report.mean if found is None else found.scores[score]
        tries.append(Try(options, found, value, time.perf_counter() - started, ended))
        _logger.info(f"Try {trial.number + 1} of {trials}: {score} {value:.4g}, {ended}; {_listed(options)}.")
        if found is None:
            raise optuna.TrialPruned
        return -value if mode == "min" else value

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # an interrupted trial is a warning with a traceback
    try:
        study = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.TPESampler(seed=estimator.config.seed),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTED),
        )
        study.optimize(objective, n_trials=trials, timeout=seconds)
    finally:
        optuna.logging.set_verbosity(before)
    if not any(one.ended == "done" for one in tries):
        raise TrainingError("every try diverged; search smaller learning rates, or clip the gradient")
    assert monitored is not None
    return Tuning(tuple(tries), monitored)


def clone_with(estimator: Fitted, options: Mapping[str, Any]) -> Fitted:
    """An unfitted estimator with other options in place of some."""
    return estimator.__sklearn_clone__().set_params(**options)


def _listed(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in options.items()) or "as it was"


def _last(value: float) -> float:
    """A key that sorts NaN last."""
    return math.inf if math.isnan(value) else value
