"""The verdict on a network while it trains, and what its training showed of it when that is over."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import isnan
from statistics import fmean
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor, nn

from unrolled.diagnosis import (
    Evidence,
    Gates,
    GradientFlow,
    InputGradient,
    Jacobians,
    Learning,
    Verdict,
    judged,
    watch,
)
from unrolled.training.constant import answers_in, constant_loss
from unrolled.training.evidence import clipping_in, course_in
from unrolled.training.history import History, LayerRecord

if TYPE_CHECKING:
    from unrolled.data.batches import Batch
    from unrolled.training.config import TrainingConfig
    from unrolled.training.loss import Loss

OfLayer = TypeVar("OfLayer", GradientFlow, Jacobians, Gates, InputGradient)

_EVERY = 128
"""Updates between two verdicts; each is on the gradients of those alone."""
_SAMPLED = 32
"""One of so many updates is looked at, so that it costs training next to nothing; during the others nothing
stands before the modules. What is left of an error comes from the first of them, which is observed step by
step, how long sequences are from all."""
_NOTED = 8
"""Of every so many-th batch the targets are noted."""
_ENOUGH = 16
"""Updates that tell of an epoch, or of the end."""
_REMEMBERED, _LATEST = 32, 16
"""Batches whose targets make up the best constant answer, and updates whose losses it is compared with."""
_SPIKED = _EVERY + 32
"""The latest updates that are searched for spikes while training goes on."""
_NAMED = 3
"""Remedies told with a verdict."""
LETTERS = "inputs."
"""Recurrences of the input layer read the characters of a word, not the sequence."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What training showed of a network that was watched.

    Attributes:
        decays: what is left of an error by lag, for each layer and direction, in the latest updates.
        gates: what gates and units did in the latest that was looked at.
        learning: the training loss of the latest updates beside that of the first and of a constant answer.
    """

    decays: Mapping[str, tuple[float, ...]]
    gates: tuple[Gates, ...]
    learning: Learning | None


class LiveDiagnosis:
    """Watches a model in training, and says when the verdict on it changes.

    Args:
        model: watched until `close`.
        loss: what is minimised.
        config: the options that were asked for; a remedy changes some of them.
    """

    def __init__(self, model: nn.Module, loss: Loss, config: TrainingConfig) -> None:
        self._watch = watch(model)
        self._draw = random.Random(0)
        self._loss = loss
        self._settings = dict(config)
        self._usual = {name: field.default for name, field in type(config).model_fields.items()}
        self._answers: deque[tuple[Tensor, int]] = deque(maxlen=_REMEMBERED)
        self._losses: deque[float] = deque(maxlen=_LATEST)
        self._start: float | None = None
        self._batches = 0
        self._decays: dict[str, tuple[float, ...]] = {}
        self._gates: tuple[Gates, ...] = ()
        self._fresh = self._closed = False
        self._latest = self._told = ""
        self._begin()

    def before(self, batch: Batch) -> None:
        """Take note of what a batch asks for."""
        if self._batches % _NOTED == 0:
            self._answers.append((answers_in(batch).detach().cpu(), batch.size))
        self._batches += 1

    def after(self, updates: int, loss: float, history: History) -> Verdict | None:
        """The verdict after so many updates where it is another than the one told before, else None.

        One is told when it was found twice in a row; nothing is told while nothing can be decided.

        Args:
            updates: made so far.
            loss: of the latest.
            history: of the run.
        """
        if self._start is None:
            self._start = loss
        self._losses.append(loss)
        self._since += 1
        if updates % _EVERY:
            # Where the way from the states to the loss starts out at zero, the first pass shows no error; the
            # next one is looked at then, and ever more seldom one after it.
            if updates & (updates - 1) == 0 and not self._known:
                self._look()
            elif self._since in self._chosen:
                self._watch.resume()
            elif self._since - 1 in self._chosen:
                self._watch.close()
            return None
        self._look()
        verdict = judged(self._evidence(history))
        twice, self._latest = verdict.kind == self._latest, verdict.kind
        if not twice or verdict.kind in (self._told, "undecided"):
            return None
        self._told = verdict.kind
        return verdict

    def seen(self) -> Seen:
        """What the latest updates have shown."""
        if self._since >= _ENOUGH or not self._known:
            self._look()
        return Seen(self._decays, self._gates, self._learning())

    def measured(self, epoch: int) -> list[LayerRecord]:
        """What there is to keep of an epoch, counted from 1; nothing where little was seen since the last."""
        if self._since >= _ENOUGH:
            self._look()
        if not self._fresh:
            return []
        self._fresh = False
        gates = {each.layer: each for each in self._gates}
        return [
            _record(epoch, layer, decay, gates.get(layer))
            for layer, decay in self._decays.items()
            if len(decay) > 1 and not isnan(decay[1])
        ]

    def close(self) -> None:
        """Stop watching for good; what was seen stays."""
        self._closed = True
        self._watch.close()

    @property
    def _known(self) -> bool:
        """Whether some error was followed over a step at least."""
        return any(len(decay) > 1 and not isnan(decay[1]) for decay in self._decays.values())

    def _look(self) -> None:
        """Take what was seen since the last look, and begin anew."""
        flows = self._watch.flows()
        if flows or not self._known:
            self._decays = {flow.layer: flow.decay for flow in over_time(flows)}
            self._gates = over_time(self._watch.gates(strips=False))
            self._fresh = True
        self._watch.reset()
        self._begin()

    def _begin(self) -> None:
        """Choose the updates that are looked at until the next look: the one to come, then one of few."""
        blocks = range(_SAMPLED, _EVERY, _SAMPLED)
        self._since = 0
        self._chosen = {0, *(block + self._draw.randrange(_SAMPLED) for block in blocks)}
        if not self._closed:  # what training has shown is asked for after its end, too
            self._watch.resume()

    def _evidence(self, history: History) -> Evidence:
        """All that is known so far."""
        course = course_in(history, _SPIKED)
        return Evidence(
            self._decays,
            self._settings,
            usual=self._usual,
            gates=self._gates,
            learning=self._learning(),
            # It has not ended, so that nothing was left unused.
            course=None if course is None else replace(course, unfinished=False),
            clipping=clipping_in(history, _SPIKED),
        )

    def _learning(self) -> Learning | None:
        if not self._losses:
            return None
        chance = None
        if self._answers:
            answers = torch.cat([each for each, _ in self._answers])
            chance = constant_loss(self._loss, answers, sum(sequences for _, sequences in self._answers))
        return Learning(fmean(self._losses), self._start, chance)


def over_time(results: Iterable[OfLayer]) -> tuple[OfLayer, ...]:
    """Those of layers that read the sequence itself: an input layer's read the characters of one word."""
    return tuple(each for each in results if not each.layer.startswith(LETTERS))


def told(verdict: Verdict, when: str) -> str:
    """A verdict in a line, and each remedy in one below it."""
    lines = [f"{when}: {verdict.kind}. {verdict.sentence}"]
    lines += [f"  {remedy.flag}  {remedy.name}. {remedy.why}" for remedy in verdict.remedies[:_NAMED]]
    return "\n".join(lines)


def _record(epoch: int, layer: str, decay: tuple[float, ...], gates: Gates | None) -> LayerRecord:
    lags = [*(2**power for power in range((len(decay) - 1).bit_length()) if 2**power < len(decay) - 1)]
    lags.append(len(decay) - 1)
    memory = None if gates is None or not gates.time_constant else gates.time_constant
    idle = None if gates is None else gates.saturated if gates.dead is None else gates.dead
    return LayerRecord(
        epoch=epoch,
        layer=layer,
        lags=lags,
        left=[decay[lag] for lag in lags],
        memory=None if memory is None else _quartiles(memory),
        idle=idle,
    )


def _quartiles(values: tuple[float, ...]) -> list[float]:
    ordered = sorted(values)
    return [ordered[round(share * (len(ordered) - 1))] for share in (0.25, 0.5, 0.75)]
