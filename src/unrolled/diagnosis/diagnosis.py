"""All that was measured of a model on some data, with the verdict."""

from __future__ import annotations

from dataclasses import dataclass

from unrolled.diagnosis.clipping import ClippingUse
from unrolled.diagnosis.context import ContextCurve, OrderTest
from unrolled.diagnosis.course import Course
from unrolled.diagnosis.flow import GradientFlow
from unrolled.diagnosis.gates import Gates
from unrolled.diagnosis.inputs import InputGradient
from unrolled.diagnosis.jacobian import Jacobians
from unrolled.diagnosis.learning import Learning
from unrolled.diagnosis.need import Need
from unrolled.diagnosis.result import Result
from unrolled.diagnosis.triangle import Triangle
from unrolled.diagnosis.verdict import Verdict
from unrolled.diagnosis.weights import WeightParts


@dataclass(frozen=True, slots=True)
class Diagnosis(Result):
    """All that was measured, and what it comes to.

    Attributes:
        flows: of each layer and direction, as in training.
        triangles: of each layer and direction, along one sequence.
        jacobians: of each layer and direction, along the same sequence.
        weights: of each layer and direction, along the same sequence.
        gates: of each layer and direction.
        context: how far back the model uses its input; None where it was not measured.
        order: what is lost by shuffling; None where it was not measured.
        clipping: of the training run; None where there is none.
        verdict: what it comes to.
        learning: what the model has learned; None where that was not measured.
        course: of the training run; None where there is none.
        need: how far back there is something to use; None where no probe applies.
        inputs: along the same sequence what each step read did to its loss, where there are several to that
            of the last step; of each recurrent module, the first of which reads the input.
    """

    flows: tuple[GradientFlow, ...]
    triangles: tuple[Triangle, ...]
    jacobians: tuple[Jacobians, ...]
    weights: tuple[WeightParts, ...]
    gates: tuple[Gates, ...]
    context: ContextCurve | None
    order: OrderTest | None
    clipping: ClippingUse | None
    verdict: Verdict
    learning: Learning | None = None
    course: Course | None = None
    need: Need | None = None
    inputs: tuple[InputGradient, ...] = ()
