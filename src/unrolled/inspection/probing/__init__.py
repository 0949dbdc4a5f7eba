"""A cheap probe: what stands how far back in the input that a model makes nothing of.

The probe starts from the model's own answers, and what it predicts better than these on sequences that it has
not seen was there to be used. Where each step is told a class it is an n-gram with a gap (`steps`), where a
sequence has one answer a linear model of what stood where (`sequences`); of a forecaster's errors a linear
model of the numbers at each lag (`forecasts`), of what writes what usually follows a symbol (`writing`).
"""

from __future__ import annotations

from unrolled.diagnosis import Need
from unrolled.inspection.measuring import Measured
from unrolled.inspection.probing.forecasts import probe_forecasts
from unrolled.inspection.probing.sequences import probe_sequences
from unrolled.inspection.probing.steps import probe_steps
from unrolled.inspection.probing.writing import probe_writing
from unrolled.models.conditional import ConditionalModel
from unrolled.models.forecaster import ForecastNetwork
from unrolled.training.loss import CrossEntropy, NegativeLogLikelihood, SquaredError


def probe(measured: Measured) -> Need | None:
    """What a model misses at each lag; None where no probe applies: other losses, too little data."""
    loss, batch, model = measured.criterion, measured.batch, measured.model
    if isinstance(model, ForecastNetwork):
        return probe_forecasts(measured, model)
    classes = isinstance(loss, CrossEntropy | NegativeLogLikelihood)
    if isinstance(model, ConditionalModel):
        return probe_writing(measured) if classes else None
    if measured.per_step and isinstance(loss, CrossEntropy) and model.causal:
        return probe_steps(measured)
    if not batch.targets_per_step and isinstance(loss, CrossEntropy | SquaredError):
        return probe_sequences(measured, classes=isinstance(loss, CrossEntropy))
    return None
