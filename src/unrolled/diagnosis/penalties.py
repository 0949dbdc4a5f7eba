"""Two terms that training can add to hold the size of an error on its way back.

Both look at single steps from the states that the network went through, which they hold fixed, as they do the
errors and directions: their gradient is the immediate one of Pascanu, Mikolov & Bengio (2013), section 3.3.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from unrolled.diagnosis.jacobian import settled_directions
from unrolled.diagnosis.recurrence import Recurrence, joined, step_jacobians
from unrolled.diagnosis.transport import state_errors
from unrolled.ops.scan import real_steps

_ROWS = 8
"""Rows of a batch that Omega looks at."""
_EXPONENTS = 8
_STEPS = (8, 64)
_WORK = 5e9
"""Multiplications and additions that gradient flossing spends on Jacobians, within the bounds of `_STEPS`."""


def omega(recurrence: Recurrence) -> Tensor:
    """Pascanu's Omega: how far every step is from keeping the size of the error that comes through it.

    The mean over steps of ``(|e ds_t/ds_{t-1}| / |e| - 1)^2`` with e the error dL/ds_t (equation 9 sums over
    steps; the mean makes the term's weight one for all lengths). Of at most 8 rows.

    Args:
        recurrence: with the gradients of a backward pass; see `unrolled.diagnosis.probes`.

    Returns:
        A scalar with a graph to the weights.
    """
    whole = _undropped(recurrence)
    error = joined(state_errors(whole, _ROWS))
    size = torch.linalg.vector_norm(error, dim=-1)
    counted = size > 0
    real = real_steps(whole.scan.lengths, len(error))
    if real is not None:
        counted &= real[:, :_ROWS, 0]
    if whole.scan.resets is not None:  # nothing passes there
        counted &= ~whole.scan.resets[:, :_ROWS]
    if not counted.any():
        return error.new_zeros(())
    direction = (error / size.unsqueeze(-1))[counted]
    with torch.enable_grad():
        state = tuple(part[:, :_ROWS][counted].requires_grad_() for part in whole.before())
        after = joined(whole.advance(whole.scan.gates_x[:, :_ROWS][counted], state))
        came = joined(torch.autograd.grad(after, state, direction, create_graph=True, materialize_grads=True))
        return (torch.linalg.vector_norm(came, dim=-1) - 1).square().mean()


def flossing(recurrence: Recurrence) -> Tensor:
    """Gradient flossing: the mean square of the largest Lyapunov exponents (Engelken 2023, equation 6).

    Of one row, drawn anew each time, and a stretch of its steps.

    Args:
        recurrence: as it ran.

    Returns:
        A scalar with a graph to the weights.
    """
    whole = _undropped(recurrence)
    row = int(torch.randint(whole.steps.hidden.shape[1], ()))
    order = whole.order(row)
    if not order:
        return whole.steps.hidden.new_zeros(())
    size = sum(part.shape[-1] for part in whole.scan.initial)
    work = 6 * size * max(1, whole.scan.weight_hh.numel())
    steps = int(min(max(_WORK / work, _STEPS[0]), _STEPS[1], len(order)))
    start = int(torch.randint(len(order) - steps + 1, ()))
    every = step_jacobians(whole, order[start : start + steps], row, differentiable=True).double()
    directions = settled_directions(every.detach(), min(size, _EXPONENTS))
    stretched = every @ directions
    # The diagonal of R in the QR decomposition of each step, from its Gram matrix: R'R = A'A.
    gram = stretched.mT @ stretched
    ridge = 1e-12 * torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    exponents = torch.linalg.cholesky(gram + ridge).diagonal(dim1=-2, dim2=-1).log().mean(0)
    return exponents.square().mean()


def _undropped(recurrence: Recurrence) -> Recurrence:
    """The recurrence on the weights themselves: the graph of weights dropped for a pass has gone with it."""
    weight = recurrence.layer._weight("weight_hh", recurrence.scan.suffix)
    return replace(recurrence, scan=recurrence.scan._replace(weight_hh=weight))
