"""The judges of a verdict, in the order in which their evidence weighs; the first who can decide decides."""

from unrolled.diagnosis.finding import Judge
from unrolled.diagnosis.judges.learning import learning
from unrolled.diagnosis.judges.measurable import measurable
from unrolled.diagnosis.judges.need import need
from unrolled.diagnosis.judges.reach import reach
from unrolled.diagnosis.judges.training import training

JUDGES: tuple[Judge, ...] = (measurable, learning, training, need, reach)

__all__ = ["JUDGES"]
