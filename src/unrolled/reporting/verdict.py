"""Whether a model is worth its training: its score against the best simple baseline, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unrolled.tasks.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class Verdict:
    """The sentence, and whether some baseline does at least as well."""

    text: str
    worse: bool


def verdict(evaluation: Evaluation, score: str, mode: Literal["min", "max"]) -> Verdict | None:
    """Compares the model with the best baseline on one score; None where there is nothing to compare.

    Example:
        >>> evaluation = Evaluation("forecast", "test", {"rmse": 2.7}, {"persistence": {"rmse": 3.1}}, 100)
        >>> verdict(evaluation, "rmse", "min").text
        'The model beats every baseline: rmse 2.7000 against 3.1000 of persistence.'
    """
    rivals = {name: scores[score] for name, scores in evaluation.baselines.items() if score in scores}
    if score not in evaluation.scores or not rivals:
        return None
    own = evaluation.scores[score]
    best = (min if mode == "min" else max)(rivals, key=rivals.__getitem__)
    won = own < rivals[best] if mode == "min" else own > rivals[best]
    compared = f"{score} {own:.4f} against {rivals[best]:.4f} of {best}."
    if not won:
        return Verdict(f"The model does not beat the simple baseline: {compared}", worse=True)
    return Verdict(f"The model beats every baseline: {compared}", worse=False)
