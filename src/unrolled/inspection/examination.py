"""A saved model with a data set, measured and concluded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from unrolled.diagnosis import (
    ClippingUse,
    Diagnosis,
    Gates,
    GradientFlow,
    Jacobians,
    Triangle,
    WeightParts,
    clipping_use,
    conclude,
    context_curve,
    gate_use,
    jacobians,
    order_test,
    triangles,
    watch,
    weight_parts,
)
from unrolled.inspection.measuring import Measured
from unrolled.tasks.base import Estimator
from unrolled.tasks.card import describe_network

OfLayer = TypeVar("OfLayer", GradientFlow, Triangle, Jacobians, WeightParts, Gates)

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
        diagnosis: all that was measured.
    """

    name: str
    task: str
    network: str
    data: str
    labels: tuple[str, ...]
    norms: tuple[float, ...]
    threshold: float | None
    diagnosis: Diagnosis

    @property
    def decays(self) -> dict[str, tuple[float, ...]]:
        """What is left of an error by lag, in each layer and direction; see `decays_of`."""
        return decays_of(self.diagnosis.flows, self.diagnosis.triangles)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        about = {"model": self.name, "task": self.task, "network": self.network, "data": self.data}
        return about | {"labels": list(self.labels)} | self.diagnosis.to_json()


def examine(estimator: Estimator, data: Any, name: str) -> Examination:
    """Measure a fitted model on some data, and conclude.

    Args:
        estimator: fitted or loaded.
        data: what `Estimator.evaluate` takes.
        name: of the model.

    Raises:
        ConfigError: its network has no recurrent layer that can be looked at as a whole.
        DataError: the data cannot be used, or there is nothing in it.
    """
    measured, config, history = Measured(estimator, data), estimator.effective, estimator.history
    updates = [] if history is None else history.updates
    # Beside what it reads stands what a decoder is fed; where it reads no sequence, that is the one there is.
    one = {
        key: values[0]
        for key, values in measured.sample.inputs.items()
        if (key != "previous") == measured.reads
    }
    return Examination(
        name=name,
        task=estimator.task,
        network=describe_network(config),
        data=str(data) if isinstance(data, str | Path) else "the given data",
        labels=tuple(estimator.step_labels(one)),
        norms=tuple(update.gradient_norm for update in updates),
        threshold=config.clip_threshold if config.clip == "norm" else None,
        diagnosis=_diagnosis(measured, estimator),
    )


def decays_of(flows: Sequence[GradientFlow], triangles: Sequence[Triangle]) -> dict[str, tuple[float, ...]]:
    """What is left of an error by lag, in each layer and direction.

    With one loss a sequence there is one error to follow, and the mean over many sequences is taken. Where
    every step adds an error of its own, what arrives at a step is mostly young: only the triangle tells the
    old ones apart.
    """
    single = {each.layer: each.decay for each in flows}
    return single | {each.layer: each.decay for each in triangles if len(each.loss_steps) > 1}


def _diagnosis(measured: Measured, estimator: Estimator) -> Diagnosis:
    model, batch = measured.model, measured.batch
    with watch(model) as watched:
        measured.loss().backward()
    model.zero_grad(set_to_none=True)
    length = int(batch.lengths[0])
    steps: Sequence[int] | None = range(0, length, -(-length // _ROWS)) if measured.per_step else None
    flows, clipping = _over_time(watched.flows()), _clipping(estimator)
    spectra = _over_time(jacobians(model, lambda: measured.run(measured.sample)))
    order = (
        order_test(measured.loss_in_order, batch.lengths, batch.time, chance=measured.chance())
        if measured.reads
        else None
    )
    along = _over_time(triangles(model, measured.loss_at, steps))
    return Diagnosis(
        flows=flows,
        triangles=along,
        jacobians=spectra,
        weights=_over_time(weight_parts(model, measured.loss_at, steps)),
        gates=_over_time(gate_use(model, measured.run)),
        context=context_curve(measured.loss_seen, length) if measured.looks_back else None,
        order=order,
        clipping=clipping,
        verdict=conclude(
            decays_of(flows, along),
            dict(estimator.effective),
            spectra=spectra,
            order=order,
            clipping=clipping,
        ),
    )


def _over_time(results: tuple[OfLayer, ...]) -> tuple[OfLayer, ...]:
    """Those of layers that read the sequence itself: an input layer's read the characters of one word."""
    return tuple(each for each in results if not each.layer.startswith("inputs."))


def _clipping(estimator: Estimator) -> ClippingUse | None:
    history = estimator.history
    if history is None or not history.updates:
        return None
    updates = history.updates
    return clipping_use([each.gradient_norm for each in updates], [each.clipped for each in updates])
