"""How the gradient flows: measured step by step, and concluded in a verdict with a remedy."""

from unrolled.diagnosis.clipping import ClippingUse, clipping_use
from unrolled.diagnosis.context import (
    ContextCurve,
    OrderTest,
    context_curve,
    latest_steps,
    order_test,
    reorder,
)
from unrolled.diagnosis.course import Course, course_of
from unrolled.diagnosis.diagnosis import Diagnosis
from unrolled.diagnosis.evidence import Evidence
from unrolled.diagnosis.faults import weight_faults
from unrolled.diagnosis.flow import GradientFlow
from unrolled.diagnosis.gates import Gates, GateUse, gate_use
from unrolled.diagnosis.inputs import InputGradient, input_gradients
from unrolled.diagnosis.jacobian import Jacobians, RecurrentMatrix, jacobians
from unrolled.diagnosis.learning import Learning
from unrolled.diagnosis.need import Need
from unrolled.diagnosis.remedy import Remedy
from unrolled.diagnosis.triangle import Triangle, triangles
from unrolled.diagnosis.verdict import Verdict, conclude, judged
from unrolled.diagnosis.watching import Watch, watch
from unrolled.diagnosis.weights import WeightParts, weight_parts

__all__ = [
    "ClippingUse",
    "ContextCurve",
    "Course",
    "Diagnosis",
    "Evidence",
    "GateUse",
    "Gates",
    "GradientFlow",
    "InputGradient",
    "Jacobians",
    "Learning",
    "Need",
    "OrderTest",
    "RecurrentMatrix",
    "Remedy",
    "Triangle",
    "Verdict",
    "Watch",
    "WeightParts",
    "clipping_use",
    "conclude",
    "context_curve",
    "course_of",
    "gate_use",
    "input_gradients",
    "jacobians",
    "judged",
    "latest_steps",
    "order_test",
    "reorder",
    "triangles",
    "watch",
    "weight_faults",
    "weight_parts",
]
