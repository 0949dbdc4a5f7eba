"""What every step does to the error that comes back through it, read off an ordinary backward pass.

Legend: ``T`` steps, ``B`` rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.diagnosis.recurrence import Recurrence, joined
from unrolled.layers import LSTM


class Border(NamedTuple):
    """What is known of the end of a call, where another one may take up the state.

    Attributes:
        final: the gradient of each tensor of the state that the call returned, ``(rows, ·)``; None: there is
            none.
        arrived: the share of it that the call after sent back.
        leaving: the norm of the error of the whole state that set out from the first step of the call after,
            ``(rows,)``; None: there is no such call, or nothing is known of it.
    """

    final: tuple[Tensor | None, ...]
    arrived: tuple[Tensor | None, ...]
    leaving: Tensor | None


def state_errors(recurrence: Recurrence, rows: int, border: Border | None = None) -> tuple[Tensor, ...]:
    """The gradient of the loss with respect to the state after every step, as the next step reads it.

    Of a program that is what its probes receive. Of an LSTM the cell's part is what the next step sends back,
    ``f_{t+1} * dL/dc_{t+1}``, without what h_t itself draws from the cell: h and c as two inputs of the next
    step. Zoneout's keeping is added to it; the little that comes through peepholes is not.

    Args:
        recurrence: after a backward pass.
        rows: so many of the batch are looked at.
        border: what an LSTM's last cell receives, which no step of the call sends back.

    Returns:
        ``(T, rows, ·)`` for each tensor of the state.
    """
    assert recurrence.hidden is not None
    hidden = recurrence.hidden[:, :rows]
    if not isinstance(recurrence.layer, LSTM):
        return hidden, *(each[:, :rows] for each in recurrence.others)
    sent = recurrence.others[0][:, :rows] * _kept(recurrence, rows)
    if recurrence.scan.resets is not None:
        sent = sent.masked_fill(recurrence.scan.resets[:, :rows].unsqueeze(-1), 0.0)
    cell = torch.zeros_like(sent)
    if recurrence.scan.reverse:
        cell[1:] = sent[:-1]
    else:
        cell[:-1] = sent[1:]
    if border is not None and border.final[1] is not None:
        last = 0 if recurrence.scan.reverse else _last_steps(recurrence, rows)
        cell[last, torch.arange(cell.shape[1], device=cell.device)] = border.final[1]
    return hidden, cell


def log_gains(recurrence: Recurrence, rows: int, border: Border | None = None) -> Tensor:
    """The logarithm of the factor by which the error changed at each step.

    What sets out from step t is dL/ds_t, of the whole state s; what arrives at the step before is dL/ds_{t-1}
    without what the loss itself adds there. The ratio of their norms is the gain of step t. Where the loss
    adds something at many steps, most of what sets out is young and soon lost; then the error that has come
    from a later step is sent back alone, and only where there is none, at the last step, what the loss adds.

    Args:
        recurrence: after a backward pass.
        rows: so many of the batch are looked at.
        border: what is known of the call after.

    Returns:
        ``(T, rows)``: the gain between steps t and t + 1 at ``[t]``, at a row's last step that between it and
        the first one of the call after. NaN where there was no error, and where a row begins anew.
    """
    hidden, *rest = state_errors(recurrence, rows, border)
    direct = None if recurrence.direct is None else recurrence.direct[:, :rows]
    arriving = joined((hidden if direct is None else hidden - direct, *rest))
    leaving = joined((hidden, *rest))
    reverse = recurrence.scan.reverse
    if direct is not None and bool((direct.any(-1) & arriving.any(-1)).any()):
        leaving = torch.where(arriving.any(-1, keepdim=True), arriving, leaving)
        size, sent = state_norms(leaving), state_norms(_sent_back(recurrence, leaving))
        size, back = (size[:-1], sent[:-1]) if reverse else (size[1:], sent[1:])
    else:
        size, back = state_norms(leaving), state_norms(arriving)
        size, back = (size[:-1], back[1:]) if reverse else (size[1:], back[:-1])
    gain = size.new_full(hidden.shape[:2], torch.nan)
    # An error that has all but underflowed has no ratio; one lost in a single step is as good as lost.
    least = torch.finfo(hidden.dtype).tiny * 2.0**20
    gain[:-1] = torch.where(size > least, back / size, torch.nan)
    if recurrence.scan.resets is not None:
        begins = recurrence.scan.resets[:, :rows]
        gain[:-1].masked_fill_(begins[:-1] if reverse else begins[1:], torch.nan)
    if border is not None and not reverse:
        arrived = _arrived(border)
        if arrived is not None and border.leaving is not None and len(arrived) == len(border.leaving):
            every = torch.arange(gain.shape[1], device=gain.device)
            gain[_last_steps(recurrence, rows), every] = (arrived / border.leaving).to(gain)
    gain = torch.where(gain.isfinite(), gain, torch.nan)
    return gain.clamp_min(torch.finfo(hidden.dtype).tiny).log().to(hidden.dtype)


def _sent_back(recurrence: Recurrence, errors: Tensor) -> Tensor:
    """What the first steps make of errors of the whole state, ``(steps, rows, S)``, all side by side."""
    scan, (steps, rows) = recurrence.scan, errors.shape[:2]
    apart = scan._replace(weight_hh=scan.weight_hh.detach(), resets=None)
    state = tuple(part[:steps, :rows].flatten(0, 1).requires_grad_() for part in recurrence.before())
    # What a layer draws in a step must not move the draws of training.
    with torch.enable_grad(), torch.random.fork_rng(enabled=recurrence.layer.training):
        after = replace(recurrence, scan=apart).advance(scan.gates_x[:steps, :rows].flatten(0, 1), state)
        came = torch.autograd.grad(joined(after), state, errors.flatten(0, 1), materialize_grads=True)
    return joined(came).view(steps, rows, -1)


def state_norms(states: Tensor) -> Tensor:
    """The norms of vectors over the last dimension, in float64, though their squares may underflow."""
    states = states.double()
    largest = states.abs().amax(-1, keepdim=True)
    scale = torch.where((largest > 0) & largest.isfinite(), largest, 1.0)
    return torch.linalg.vector_norm(states / scale, dim=-1) * scale.squeeze(-1)


def first_leaving(recurrence: Recurrence, rows: int, border: Border) -> Tensor:
    """The norm of the error of the whole state that sets out from the first step, ``(rows,)``.

    Where the loss adds to it at that step, what is sent back is still of both; then it is as much larger or
    smaller as the old error alone keeps more or less of its size in the step, so that the gain is that of the
    old one, as in `log_gains`.
    """
    hidden, *rest = state_errors(recurrence, rows, border)
    whole = joined((hidden, *rest))
    if recurrence.scan.reverse:
        return state_norms(whole[_last_steps(recurrence, rows), torch.arange(whole.shape[1])])
    if recurrence.direct is None or not recurrence.direct[0, :rows].any():
        return state_norms(whole[0])
    arriving = joined((hidden - recurrence.direct[:, :rows], *rest))[:1]
    old = torch.where(arriving.any(-1, keepdim=True), arriving, whole[:1])
    sent = [state_norms(_sent_back(recurrence, errors)[0]) for errors in (whole[:1], old)]
    return state_norms(old[0]) * sent[0] / sent[1]


def _arrived(border: Border) -> Tensor | None:
    parts = tuple(each for each in border.arrived if each is not None)
    return state_norms(joined(parts)) if parts else None


def _last_steps(recurrence: Recurrence, rows: int) -> Tensor:
    """The last real step of each row; 0 of a row without one, where there is no error either."""
    lengths = recurrence.scan.lengths
    if lengths is None:
        steps, all_rows = recurrence.scan.gates_x.shape[:2]
        return torch.full((min(rows, all_rows),), steps - 1, device=recurrence.scan.gates_x.device)
    return (lengths[:rows] - 1).clamp_min(0)


def _kept(recurrence: Recurrence, rows: int) -> Tensor:
    """How much of its cell an LSTM keeps at every step, ``(T, rows, H)``."""
    names = recurrence.layer.gate_names
    forget = recurrence.gates[:, :rows].chunk(len(names), -1)[names.index("forget_gate")]
    share = recurrence.layer.zoneout[1]
    return forget if not share else share + (1 - share) * forget
