"""What a fitted task brings to a verdict: its options, its scores beside simple ones, its run's course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from unrolled.diagnosis import Evidence, Learning, Verdict, judged
from unrolled.training.evidence import clipping_in, course_in

if TYPE_CHECKING:
    from unrolled.tasks.estimator.fitted import Fitted
    from unrolled.training.history import History
    from unrolled.training.live import Seen


def evidence_of(
    estimator: Fitted[Any, Any], decays: Mapping[str, Sequence[float]], **measured: Any
) -> Evidence:
    """All that a verdict can weigh.

    Args:
        estimator: fitted or loaded.
        decays: what is left of an error by lag, for each layer and direction of its network.
        measured: what else was measured of the network, under the names of `Evidence`.
    """
    config, history = estimator.effective, estimator.history
    return Evidence(
        decays,
        dict(config),
        usual={name: field.default for name, field in type(config).model_fields.items()},
        course=None if history is None else course_in(history),
        clipping=None if history is None else clipping_in(history),
        direct=_pools(dict(config)),
        **measured,
    )


def verdict_of_training(estimator: Fitted[Any, Any], seen: Seen) -> Verdict:
    """What the judges make of a training that was watched, of what is known by then."""
    learning = None if seen.learning is None else with_scores(estimator, seen.learning)
    return judged(evidence_of(estimator, seen.decays, gates=seen.gates, learning=learning))


def with_scores(estimator: Fitted[Any, Any], found: Learning) -> Learning:
    """What a network has learned, with its monitored score, as it was saved, and the baselines' beside it.

    Where training chose by the network alone, the score is that one.
    """
    monitor, mode = estimator.monitored
    evaluation = estimator.dev_evaluation
    if evaluation is None or monitor not in evaluation.scores:
        return found
    return replace(
        found,
        score=_of_network(estimator.history, monitor, evaluation.scores[monitor]),
        monitor=monitor,
        mode=mode,
        baselines={
            name: scores[monitor] for name, scores in evaluation.baselines.items() if monitor in scores
        },
        unordered=estimator.unordered_baselines,
    )


def _of_network(history: History | None, monitor: str, saved: float) -> float:
    """The score of the network, where it is not that of the whole model."""
    if history is None or history.best_epoch is None or history.monitor == monitor:
        return saved
    return history.epochs[history.best_epoch - 1].scores[history.monitor]


def _pools(options: Mapping[str, Any]) -> bool:
    """Whether what every step says is pooled or attended to, so that an error needs no recurrence."""
    return options.get("pooling", "last") != "last" or options.get("attention", "none") != "none"
