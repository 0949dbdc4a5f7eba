"""What the gates do: open, shut, how long a cell remembers, which units are dead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unrolled.diagnosis.result import Result


@dataclass(frozen=True, slots=True)
class GateUse(Result):
    """The values of one gate, or of the candidate, over real steps.

    Attributes:
        mean: over units, steps and rows.
        open: the share of values above 0.9.
        shut: the share of values below 0.1 (of a tanh: below -0.9). Between the two a value is not saturated.
        strip: ``[step][unit]``, the values along the first sequence, of at most 64 units.
    """

    mean: float
    open: float
    shut: float
    strip: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Gates(Result):
    """The gates of one layer in one direction over a batch.

    Attributes:
        layer: its name in the module.
        cell: "rnn", "gru" or "lstm".
        gates: by name, as in `unrolled.layers.Direction.gates`; an RNN has its "candidate" alone.
        time_constant: for each unit how many steps it takes to forget all but 1/e of what it holds,
            ``-1 / ln(f)`` with the geometric mean f of its forget gate (of a GRU its update gate), rising; None
            for an RNN.
        saturated: the share of the candidate's values where tanh or the logistic function is flat (a slope
            below a tenth of the steepest); None for ReLU and the identity.
        dead: the share of ReLU units that are 0 at every step of every row; None for others.
    """

    layer: str
    cell: str
    gates: Mapping[str, GateUse]
    time_constant: tuple[float, ...] | None
    saturated: float | None
    dead: float | None
