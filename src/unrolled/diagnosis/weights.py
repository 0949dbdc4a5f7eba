"""Where the gradient of the recurrent weights comes from: its explicit parts, by distance back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unrolled.diagnosis.probes import caught
from unrolled.diagnosis.recurrence import Recurrence, joined, parted
from unrolled.diagnosis.result import Result
from unrolled.diagnosis.triangle import LossAt
from unrolled.errors import ConfigError
from unrolled.layers import LSTM


@dataclass(frozen=True, slots=True)
class WeightParts(Result):
    """The gradient dL/dW_hh of one layer in one direction taken apart by distance.

    The same weights are used at every step. The explicit derivative at a step holds the state before it
    fixed; the gradient is the sum of the explicit parts of all distances between a loss and a use.

    Attributes:
        layer: its name in the module.
        loss_steps: the steps whose losses were added up.
        explicit: ``[d]``, the norm of the part of all uses of the weights d steps before a loss.
        accumulated: ``[d]``, the norm of the sum of the parts 0 to d; the last is that of the gradient.
    """

    layer: str
    loss_steps: tuple[int, ...]
    explicit: tuple[float, ...]
    accumulated: tuple[float, ...]

    @property
    def share(self) -> tuple[float, ...]:
        """The explicit parts as shares of the sum of their norms.

        Example:
            >>> WeightParts("l0", (1,), (3.0, 1.0), (3.0, 4.0)).share
            (0.75, 0.25)
        """
        total = sum(self.explicit)
        return tuple(part / total if total else 0.0 for part in self.explicit)


def weight_parts(
    module: nn.Module, loss_at: LossAt, loss_steps: Sequence[int] | None, *, leave_out: str = ""
) -> tuple[WeightParts, ...]:
    """Take the gradient of every recurrent matrix apart by distance, along one sequence.

    Args:
        module: holds recurrent layers, and is in the mode in which it shall be measured.
        loss_at: see `unrolled.diagnosis.triangle.LossAt`.
        loss_steps: the steps whose losses are added up; None: there is one loss of the whole sequence.
        leave_out: see `unrolled.diagnosis.triangle.triangles`.

    Raises:
        ConfigError: the module has no recurrent layer, or the weights of one need no gradient.
    """
    steps = torch.tensor([-1] if loss_steps is None else list(loss_steps))
    return tuple(
        _parts(each, [each.order(0)[-1]] if loss_steps is None else list(loss_steps))
        for each in caught(module, lambda: loss_at(steps))
        if not (leave_out and each.name.startswith(leave_out))
    )


def _parts(recurrence: Recurrence, loss_steps: list[int]) -> WeightParts:
    weight = recurrence.scan.weight_hh
    if not weight.requires_grad:
        raise ConfigError(
            f"expected recurrent weights that need a gradient, got frozen ones in {recurrence.name}."
        )
    errors, before = _state_gradients(recurrence), recurrence.before()
    steps = len(recurrence.steps.hidden)
    back = 1 if recurrence.scan.reverse else -1
    total = torch.zeros_like(weight)
    explicit, accumulated = [], []
    for lag in range(max(steps - 1 - step if back > 0 else step for step in loss_steps) + 1):
        # Row by row a copy of the sequence with its own loss.
        used = [
            (step + back * lag, row) for row, step in enumerate(loss_steps) if 0 <= step + back * lag < steps
        ]
        at, rows = (list(column) for column in zip(*used, strict=True))
        with torch.enable_grad():
            after = recurrence.advance(
                recurrence.scan.gates_x[at, rows], tuple(part[at, rows] for part in before)
            )
            part = torch.zeros_like(weight)
            if weight.numel():  # a cell may have no recurrent matrix
                (part,) = torch.autograd.grad(joined(after), weight, errors[at, rows])
        total = total + part
        explicit.append(float(torch.linalg.vector_norm(part)))
        accumulated.append(float(torch.linalg.vector_norm(total)))
    return WeightParts(recurrence.name, tuple(loss_steps), tuple(explicit), tuple(accumulated))


def _state_gradients(recurrence: Recurrence) -> Tensor:
    """The gradient with respect to the whole state after every step, ``(T, B, S)``.

    Of an LSTM the cell's part is the one that the next step sends back, without what h_t itself draws from
    the cell: h and c as two inputs of the next step. One step at a time, for any option of the layer.
    """
    hidden = recurrence.hidden
    assert hidden is not None
    if not isinstance(recurrence.layer, LSTM):
        return joined((hidden, *recurrence.others))
    before = recurrence.before()
    found = hidden.new_zeros(*hidden.shape[:2], sum(part.shape[-1] for part in before))
    cell = torch.zeros_like(before[1][0])
    length = recurrence.scan.lengths
    for step in recurrence.order()[::-1]:
        error = joined((hidden[step], cell))
        found[step] = error
        with torch.enable_grad():
            state = tuple(part[step].detach().requires_grad_() for part in before)
            after = recurrence.advance(recurrence.scan.gates_x[step], state)
            came = joined(torch.autograd.grad(joined(after), state, error))
        sent = parted(came, state)[1]
        if recurrence.scan.resets is not None:
            sent = sent.masked_fill(recurrence.scan.resets[step].unsqueeze(1), 0.0)
        cell = sent if length is None else torch.where((step < length).unsqueeze(1), sent, cell)
    return found
