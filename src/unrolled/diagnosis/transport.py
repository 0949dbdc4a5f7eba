"""What every step does to the error that comes back through it, read off an ordinary backward pass.

Legend: ``T`` steps, ``B`` rows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled.diagnosis.recurrence import Recurrence, joined


def log_gains(recurrence: Recurrence, rows: int) -> Tensor:
    """The logarithm of the factor by which the error changed at each step.

    What sets out from step t is dL/ds_t, of the whole state s; what arrives at the step before is dL/ds_{t-1}
    without what the loss itself adds there. Their norms' ratio is the gain of step t. For an LSTM
    ``dL/dc_{t-1}`` as the step after sees it is ``f_t * dL/dc_t``; zoneout's keeping is added to it, the
    little that comes through peepholes is not.

    Args:
        recurrence: after a backward pass.
        rows: so many of the batch are looked at.

    Returns:
        ``(T - 1, rows)``: the gain between steps t and t + 1 at ``[t]``. NaN where there was no error.
    """
    hidden = recurrence.hidden
    assert hidden is not None
    hidden = hidden[:, :rows]
    arriving = hidden if recurrence.direct is None else hidden - recurrence.direct[:, :rows]
    leaving, entering = [hidden], [arriving]
    if recurrence.cell is not None:
        kept = torch.zeros_like(recurrence.cell[:, :rows])
        passed = recurrence.cell[:, :rows] * _kept(recurrence, rows)
        if recurrence.scan.reverse:
            kept[1:] = passed[:-1]
        else:
            kept[:-1] = passed[1:]
        leaving.append(kept)
        entering.append(kept)
    out = torch.linalg.vector_norm(joined(tuple(leaving)), dim=-1)
    back = torch.linalg.vector_norm(joined(tuple(entering)), dim=-1)
    gain = back[1:] / out[:-1] if recurrence.scan.reverse else back[:-1] / out[1:]
    # An error that underflowed has no ratio; one that was lost in a single step is as good as lost.
    return torch.where(gain.isfinite(), gain, torch.nan).clamp_min(torch.finfo(gain.dtype).tiny).log()


def _kept(recurrence: Recurrence, rows: int) -> Tensor:
    """How much of its cell an LSTM keeps at every step, ``(T, rows, H)``."""
    names = recurrence.layer.gate_names
    forget = recurrence.steps.gates[:, :rows].chunk(len(names), -1)[names.index("forget_gate")]
    share = recurrence.layer.zoneout[1]
    return forget if not share else share + (1 - share) * forget
