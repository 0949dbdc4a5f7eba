"""The verdict on a network while it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from unrolled.diagnosis.verdict import Verdict, conclude
from unrolled.diagnosis.watching import watch

if TYPE_CHECKING:
    from unrolled.training.config import TrainingConfig

_EVERY = 64
"""Updates between two verdicts; each is on the gradients of those alone."""
_SAMPLED = 8
"""Every so many-th backward pass is looked at, so that it costs training next to nothing."""
_NAMED = 3
"""Remedies told with a verdict."""


class LiveDiagnosis:
    """Watches a model in training, and says when the verdict on it changes.

    Args:
        model: watched until `close`.
        config: the options that were asked for; a remedy changes some of them.

    Raises:
        ConfigError: the model has no recurrent layer.
    """

    def __init__(self, model: nn.Module, config: TrainingConfig) -> None:
        self._watch = watch(model, every=_SAMPLED)
        self._settings = dict(config)
        self._kind: str | None = None

    def after(self, updates: int) -> Verdict | None:
        """The verdict after so many updates where it is another than before, else None."""
        if updates % _EVERY:
            return None
        flows = self._watch.flows()
        self._watch.reset()
        verdict = conclude({flow.layer: flow.decay for flow in flows}, self._settings)
        changed, self._kind = verdict.kind != self._kind, verdict.kind
        return verdict if changed else None

    def close(self) -> None:
        """Stop watching."""
        self._watch.close()


def told(verdict: Verdict, updates: int) -> str:
    """A verdict in a line, and each remedy in one below it."""
    lines = [f"update {updates}: {verdict.kind}. {verdict.sentence}"]
    lines += [f"  {remedy.flag}  {remedy.name}. {remedy.why}" for remedy in verdict.remedies[:_NAMED]]
    return "\n".join(lines)
