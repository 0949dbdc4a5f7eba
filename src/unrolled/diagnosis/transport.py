"""What every step does to the error that comes back through it, read off an ordinary backward pass.

Legend: ``T`` steps, ``B`` rows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled.diagnosis.recurrence import Recurrence, joined


def state_errors(recurrence: Recurrence, rows: int) -> tuple[Tensor, ...]:
    """The gradient of the loss with respect to the state after every step, its tensors apart.

    Each is an input of its own of the next step: of an LSTM the cell's part is what the next step sends back,
    ``f_{t+1} * dL/dc_{t+1}``, without what h_t itself draws from the cell. Zoneout's keeping is added to it;
    the little that comes through peepholes is not.

    Args:
        recurrence: after a backward pass.
        rows: so many of the batch are looked at.

    Returns:
        ``(T, rows, ·)`` for each tensor of the state.
    """
    assert recurrence.hidden is not None
    hidden = recurrence.hidden[:, :rows]
    if recurrence.apart:
        return hidden, *(errors[:, :rows] for errors in recurrence.others)
    sent = recurrence.others[0][:, :rows] * _kept(recurrence, rows)
    cell = torch.zeros_like(sent)
    if recurrence.scan.reverse:
        cell[1:] = sent[:-1]
    else:
        cell[:-1] = sent[1:]
    return hidden, cell


def log_gains(recurrence: Recurrence, rows: int) -> Tensor:
    """The logarithm of the factor by which the error changed at each step.

    What sets out from step t is dL/ds_t, of the whole state s; what arrives at the step before is dL/ds_{t-1}
    without what the loss itself adds there. The ratio of their norms is the gain of step t.

    Args:
        recurrence: after a backward pass.
        rows: so many of the batch are looked at.

    Returns:
        ``(T - 1, rows)``: the gain between steps t and t + 1 at ``[t]``. NaN where there was no error.
    """
    hidden, *rest = state_errors(recurrence, rows)
    arriving = hidden if recurrence.direct is None else hidden - recurrence.direct[:, :rows]
    leaving = torch.linalg.vector_norm(joined((hidden, *rest)), dim=-1)
    back = torch.linalg.vector_norm(joined((arriving, *rest)), dim=-1)
    gain = back[1:] / leaving[:-1] if recurrence.scan.reverse else back[:-1] / leaving[1:]
    # An error that underflowed has no ratio; one that was lost in a single step is as good as lost.
    return torch.where(gain.isfinite(), gain, torch.nan).clamp_min(torch.finfo(gain.dtype).tiny).log()


def _kept(recurrence: Recurrence, rows: int) -> Tensor:
    """How much of its cell an LSTM keeps at every step, ``(T, rows, H)``."""
    names = recurrence.layer.gate_names
    forget = recurrence.gates[:, :rows].chunk(len(names), -1)[names.index("forget_gate")]
    share = recurrence.layer.zoneout[1]
    return forget if not share else share + (1 - share) * forget
