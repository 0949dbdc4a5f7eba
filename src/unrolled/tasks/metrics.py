"""What the scores are called in full, and which way is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ALONE = " of the network alone"
"""Ends the name of a score that leaves out what else has a part in a model's answers."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One score.

    Attributes:
        name: in full.
        better: whether small or large numbers are good; None where neither is.
    """

    name: str
    better: Literal["min", "max"] | None = None

    @property
    def arrow(self) -> str:
        """Which way is better, as a sign."""
        return {"min": "↓", "max": "↑", None: ""}[self.better]

    @property
    def direction(self) -> str:
        """Which way is better, in words."""
        return {"min": "lower is better", "max": "higher is better", None: "neither way is better"}[
            self.better
        ]


_METRICS = {
    "accuracy": Metric("share of answers that are right", "max"),
    "macro F1": Metric("F1 score, the mean over the classes or labels", "max"),
    "micro F1": Metric("F1 score of all labels together", "max"),
    "subset accuracy": Metric("share of answers whose labels are all right", "max"),
    "Hamming loss": Metric("share of labels missed or too many", "min"),
    "span F1": Metric("F1 score of whole spans", "max"),
    "span precision": Metric("share of the spans found that are right", "max"),
    "span recall": Metric("share of the spans there are that were found", "max"),
    "RMSE": Metric("root mean squared error", "min"),
    "MAE": Metric("mean absolute error", "min"),
    "R2": Metric("share of the variance explained", "max"),
    "rmse": Metric("root mean squared error", "min"),
    "mae": Metric("mean absolute error", "min"),
    "smape": Metric("symmetric mean absolute percentage error", "min"),
    "mase": Metric("mean absolute scaled error, 1 for the seasonal naive forecast in training", "min"),
    "pinball": Metric("mean pinball loss of the quantiles", "min"),
    "exact match": Metric("share of texts written without a mistake", "max"),
    "token accuracy": Metric("share of places with the right token", "max"),
    "WER": Metric("word error rate", "min"),
    "PER": Metric("phone error rate", "min"),
    "CER": Metric("character error rate", "min"),
    "BLEU": Metric("bilingual evaluation understudy, 0 to 100", "max"),
    "chrF": Metric("F-score of character n-grams, 0 to 100", "max"),
    "perplexity": Metric("perplexity of a token", "min"),
    "unknown_share": Metric("share of tokens that training has not seen", None),
}


def metric(score: str) -> Metric:
    """What a score is; one that nobody has described keeps its own name.

    Example:
        >>> metric("RMSE").name, metric("RMSE").arrow, metric("nats_per_frame").name
        ('root mean squared error', '↓', 'mean surprise of a frame, in nats')
    """
    if score in _METRICS:
        return _METRICS[score]
    what, _, target = score.partition(" of ")
    if target and what in _METRICS:
        return Metric(f"{_METRICS[what].name}, of {target}", _METRICS[what].better)
    unit, _, of = score.replace("_", " ").partition(" per ")
    if of and unit in ("nats", "bits"):
        return Metric(f"mean surprise of a {of}, in {unit}", "min")
    if score.startswith("coverage_"):
        share = float(score.removeprefix("coverage_"))
        return Metric(f"share of numbers inside the band, {share:.0%} at best")
    return Metric(score.replace("_", " "))


def heading(score: str) -> str:
    """A score's name as it stands above a column.

    Example:
        >>> heading("accuracy"), heading("coverage_0.8"), heading("nats per symbol")
        ('accuracy ↑', 'coverage_0.8', 'nats per symbol ↓')
    """
    return f"{score} {metric(score).arrow}".rstrip()


def best_rows(table: Mapping[str, Mapping[str, float]], score: str) -> set[str]:
    """The names of the rows that are best at a score; several where they are equal, none where all are.

    Example:
        >>> best_rows({"model": {"MAE": 2.0}, "mean": {"MAE": 1.5}, "other": {}}, "MAE")
        {'mean'}
        >>> best_rows({"model": {"BLEU": 0.0}, "copied source": {"BLEU": 0.0}}, "BLEU")
        set()
    """
    better = metric(score).better
    known = {name: row[score] for name, row in table.items() if row.get(score) is not None}
    known = {name: value for name, value in known.items() if value == value}
    if better is None or not known:
        return set()
    best = (min if better == "min" else max)(known.values())
    if len(known) > 1 and all(value == best for value in known.values()):
        return set()
    return {name for name, value in known.items() if value == best}
