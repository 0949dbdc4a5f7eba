"""A saved model with a data set, measured and concluded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from unrolled.diagnosis import (
    Diagnosis,
    Evidence,
    GradientFlow,
    Triangle,
    context_curve,
    gate_use,
    input_gradients,
    jacobians,
    judged,
    order_test,
    triangles,
    watch,
    weight_parts,
)
from unrolled.inspection.chains import chained
from unrolled.inspection.learning import learning_of
from unrolled.inspection.measuring import Measured
from unrolled.inspection.probing import probe
from unrolled.tasks.base import Estimator
from unrolled.tasks.card import describe_network
from unrolled.tasks.evidence import evidence_of
from unrolled.training.history import LayerRecord
from unrolled.training.live import LETTERS, over_time

_ROWS = 200
"""Loss steps of a triangle at most; of a longer sequence every second, third... is taken."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What a report shows of a model's diagnosis.

    Attributes:
        name: of the model.
        task: what it does.
        network: the recurrent layers in a few words.
        data: what it was measured on.
        labels: what each step of the sample sequence reads.
        norms: of the gradients in training, before clipping.
        threshold: the norm that training clipped at; None where it clipped otherwise, or not at all.
        measured: what was measured of each layer over the epochs of a training that was watched.
        diagnosis: all that was measured.
        evidence: what its verdict rests on.
    """

    name: str
    task: str
    network: str
    data: str
    labels: tuple[str, ...]
    norms: tuple[float, ...]
    threshold: float | None
    diagnosis: Diagnosis
    evidence: Evidence | None = None
    measured: tuple[LayerRecord, ...] = ()

    @property
    def decays(self) -> dict[str, tuple[float, ...]]:
        """What is left of an error by lag, in each layer and direction; see `decays_of`."""
        return decays_of(self.diagnosis.flows, self.diagnosis.triangles)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        about = {"model": self.name, "task": self.task, "network": self.network, "data": self.data}
        return about | {"labels": list(self.labels)} | self.diagnosis.to_json()


def examine(estimator: Estimator, data: Any, name: str) -> Examination:
    """Measure the network of a fitted model on some data, and conclude.

    Args:
        estimator: fitted or loaded.
        data: what `Estimator.evaluate` takes.
        name: of the model.

    Raises:
        ConfigError: its network has no recurrent layer that can be looked at as a whole.
        DataError: the data cannot be used, or there is nothing in it.
    """
    with estimator.network_alone() as left_out:
        found = _examined(estimator, data, name)
    return replace(found, network=f"{found.network} without {left_out}") if left_out else found


def _examined(estimator: Estimator, data: Any, name: str) -> Examination:
    measured, config, history = Measured(estimator, data), estimator.effective, estimator.history
    updates = [] if history is None else history.updates
    # Beside what it reads stands what a decoder is fed; where it reads no sequence, that is the one there is.
    one = {
        key: values[0]
        for key, values in measured.sample.inputs.items()
        if (key != "previous") == measured.reads
    }
    diagnosis, evidence = _diagnosis(measured, estimator)
    return Examination(
        name=name,
        task=estimator.task,
        network=describe_network(config),
        data=str(data) if isinstance(data, str | Path) else "the given data",
        labels=tuple(estimator.step_labels(one)),
        norms=tuple(update.gradient_norm for update in updates),
        threshold=config.clip_threshold if config.clip == "norm" else None,
        diagnosis=diagnosis,
        evidence=evidence,
        measured=() if history is None else tuple(history.measured),
    )


def decays_of(flows: Sequence[GradientFlow], triangles: Sequence[Triangle]) -> dict[str, tuple[float, ...]]:
    """What is left of an error by lag, in each layer and direction.

    With one loss a sequence there is one error to follow, and the mean over many sequences is taken. Where
    every step adds an error of its own, what arrives at a step is mostly young: only the triangle tells the
    old ones apart.
    """
    single = {each.layer: each.decay for each in flows}
    # A triangle is of the longest sequence, which may be longer than nearly all of them.
    each_step = {each.layer: each.decay for each in triangles if len(each.loss_steps) > 1}
    return single | {layer: decay[: len(single.get(layer, decay))] for layer, decay in each_step.items()}


def _diagnosis(measured: Measured, estimator: Estimator) -> tuple[Diagnosis, Evidence]:
    faults = measured.faults()
    if faults:
        return _unmeasurable(faults)
    model, batch = measured.model, measured.batch
    with watch(model) as watched:
        measured.loss().backward()
    model.zero_grad(set_to_none=True)
    length = int(batch.lengths[0])
    steps: Sequence[int] | None = range(0, length, -(-length // _ROWS)) if measured.per_step else None
    flows = over_time(watched.flows())
    spectra = over_time(jacobians(model, lambda: measured.run(measured.sample)))
    order = (
        order_test(measured.loss_in_order, batch.lengths, batch.time, chance=measured.chance())
        if measured.reads
        else None
    )
    last = torch.tensor([length - 1 if measured.per_step else 0])
    read = input_gradients(model, lambda: measured.loss_at(last))
    along = triangles(model, measured.loss_at, steps, leave_out=LETTERS)
    gates = over_time(gate_use(model, measured.run))
    context = context_curve(measured.loss_seen, length) if measured.looks_back else None
    evidence = evidence_of(
        estimator,
        chained(decays_of(flows, along)),
        gates=gates,
        learning=learning_of(measured, estimator),
        order=order,
        context=context,
        need=probe(measured),
        spectra=spectra,
    )
    found = Diagnosis(
        flows=flows,
        triangles=along,
        jacobians=spectra,
        weights=weight_parts(model, measured.loss_at, steps, leave_out=LETTERS),
        gates=gates,
        context=context,
        order=order,
        clipping=evidence.clipping,
        learning=evidence.learning,
        course=evidence.course,
        need=evidence.need,
        inputs=over_time(read),
        verdict=judged(evidence),
    )
    return found, evidence


def _unmeasurable(faults: tuple[str, ...]) -> tuple[Diagnosis, Evidence]:
    """The diagnosis of a network in which no number means anything."""
    evidence = Evidence({}, faults=faults)
    return Diagnosis((), (), (), (), (), None, None, None, judged(evidence)), evidence
