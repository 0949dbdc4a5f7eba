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
from unrolled.diagnosis.diagnosis import Diagnosis
from unrolled.diagnosis.flow import GradientFlow
from unrolled.diagnosis.gates import Gates, GateUse, gate_use
from unrolled.diagnosis.inputs import InputGradient, input_gradients
from unrolled.diagnosis.jacobian import Jacobians, RecurrentMatrix, jacobians
from unrolled.diagnosis.remedy import Remedy
from unrolled.diagnosis.triangle import Triangle, triangles
from unrolled.diagnosis.verdict import Verdict, conclude
from unrolled.diagnosis.watching import Watch, watch
from unrolled.diagnosis.weights import WeightParts, weight_parts

__all__ = [
    "ClippingUse",
    "ContextCurve",
    "Diagnosis",
    "GateUse",
    "Gates",
    "GradientFlow",
    "InputGradient",
    "Jacobians",
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
    "gate_use",
    "input_gradients",
    "jacobians",
    "latest_steps",
    "order_test",
    "reorder",
    "triangles",
    "watch",
    "weight_parts",
]
