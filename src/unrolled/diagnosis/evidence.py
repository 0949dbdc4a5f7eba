"""All that a verdict can weigh; every part of it may be missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import Any

from unrolled.diagnosis.clipping import ClippingUse
from unrolled.diagnosis.context import ContextCurve, OrderTest
from unrolled.diagnosis.course import Course
from unrolled.diagnosis.gates import Gates
from unrolled.diagnosis.jacobian import Jacobians
from unrolled.diagnosis.learning import Learning
from unrolled.diagnosis.need import Need


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a network, in the order in which it is weighed.

    Attributes:
        decays: what is left of an error of the whole state by lag, for each layer and direction.
        settings: the options of the task, as far as there are any; a remedy needs every option it changes.
        usual: their defaults in that task.
        faults: why nothing can be measured, in sentences.
        gates: what the gates and units do.
        learning: what it has learned.
        course: how its training went.
        clipping: the norms of its gradients in training.
        order: what is lost by shuffling.
        context: how far back it uses its input.
        need: how far back there is something to use.
        spectra: the Jacobians of each layer and direction.
        direct: every step reaches the loss on a way of its own, past the recurrence (pooling, attention).
    """

    decays: Mapping[str, Sequence[float]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    usual: Mapping[str, Any] = field(default_factory=dict)
    faults: Sequence[str] = ()
    gates: Sequence[Gates] = ()
    learning: Learning | None = None
    course: Course | None = None
    clipping: ClippingUse | None = None
    order: OrderTest | None = None
    context: ContextCurve | None = None
    need: Need | None = None
    spectra: Sequence[Jacobians] = ()
    direct: bool = False

    @property
    def learned(self) -> bool | None:
        """Whether the model has learned; None where that is not known."""
        if self.learning is not None:
            return self.learning.learned
        return None if self.order is None or self.order.chance is None else self.order.learned

    @property
    def below_baseline(self) -> bool:
        """Whether a simple method is known to do better."""
        return self.learning is not None and self.learning.level == "below"

    @property
    def sound(self) -> bool:
        """Whether the model is known to have learned, and no simple method to do better."""
        return bool(self.learned) and not self.below_baseline

    @property
    def known(self) -> dict[str, tuple[float, ...]]:
        """The decays that were measured over a step at least."""
        return {
            layer: tuple(decay)
            for layer, decay in self.decays.items()
            if len(decay) > 1 and not isnan(decay[1])
        }
