"""How the gradient flows: measured step by step, and concluded in a verdict with a remedy."""

from unrolled.diagnosis.clipping import ClippingUse
from unrolled.diagnosis.context import ContextCurve, OrderTest
from unrolled.diagnosis.diagnosis import Diagnosis
from unrolled.diagnosis.flow import GradientFlow
from unrolled.diagnosis.gates import Gates, GateUse
from unrolled.diagnosis.jacobians import Jacobians, RecurrentMatrix
from unrolled.diagnosis.remedy import Remedy
from unrolled.diagnosis.triangle import Triangle
from unrolled.diagnosis.verdict import Verdict
from unrolled.diagnosis.weights import WeightParts

__all__ = [
    "ClippingUse",
    "ContextCurve",
    "Diagnosis",
    "GateUse",
    "Gates",
    "GradientFlow",
    "Jacobians",
    "OrderTest",
    "RecurrentMatrix",
    "Remedy",
    "Triangle",
    "Verdict",
    "WeightParts",
]
