"""The state a recurrent layer carries from one call to the next: always an argument, always a result.

A state is a tensor or a nested tuple of tensors: one tensor for an RNN or a GRU, ``(h, c)`` for an LSTM;
where the layers' widths differ, each of these is a tuple with one tensor a layer. In every tensor of a
layer's state dimension 1 is the batch; the functions here rely on nothing else.
"""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from unrolled.errors import ShapeError

State: TypeAlias = Tensor | tuple["State", ...]
"""A tensor with the batch in dimension 1, or a nested tuple of such tensors."""


def map_state(function: Callable[[Tensor], Tensor], state: State) -> State:
    """Apply ``function`` to every tensor of ``state``, keeping its nesting.

    Example:
        >>> h, c = map_state(lambda tensor: 2 * tensor, (torch.ones(1, 3, 4), torch.ones(1, 3, 4)))
        >>> h.sum().item()
        24.0
    """
    if isinstance(state, tuple):
        return tuple(map_state(function, part) for part in state)
    return function(state)


def state_tensors(state: State | None) -> list[Tensor]:
    """The tensors of a state in their order; none of None.

    Example:
        >>> len(state_tensors((torch.ones(1, 3, 4), (torch.ones(1, 3, 4), torch.ones(1, 3, 2)))))
        3
    """
    if isinstance(state, tuple):
        return [tensor for part in state for tensor in state_tensors(part)]
    return [] if state is None else [state]


def detach_state(state: State) -> State:
    """The same values, cut from the graph: where truncated backpropagation stops."""
    return map_state(torch.Tensor.detach, state)


def reset_rows(state: State, rows: Tensor, initial: State) -> State:
    """Give some rows of the batch a fresh state: those where a new sequence begins.

    Args:
        state: the carried state.
        rows: ``(batch,)`` bool; a row that is True takes its state from ``initial``.
        initial: a state of the same nesting and shapes, usually ``layer.initial_state(batch_size)``.

    Raises:
        ShapeError: the nestings or shapes differ, or ``rows`` is not a bool per row.

    Example:
        >>> carried, fresh = torch.ones(1, 2, 3), torch.zeros(1, 2, 3)
        >>> reset_rows(carried, torch.tensor([True, False]), fresh)[0]
        tensor([[0., 0., 0.],
                [1., 1., 1.]])
    """
    if isinstance(state, tuple) and isinstance(initial, tuple) and len(state) == len(initial):
        return tuple(reset_rows(part, rows, other) for part, other in zip(state, initial, strict=True))
    if isinstance(state, tuple) or isinstance(initial, tuple):
        raise ShapeError(
            "the carried and the initial state must be nested alike: expected "
            f"{_nesting(state)}, got {_nesting(initial)}; build it with layer.initial_state(batch_size)."
        )
    if state.shape != initial.shape:
        raise ShapeError(
            f"the initial state must have the carried state's shape: expected {tuple(state.shape)}, "
            f"got {tuple(initial.shape)}."
        )
    if rows.dtype != torch.bool or rows.shape != state.shape[1:2]:
        raise ShapeError(
            f"rows must be one bool for each of the {state.shape[1]} rows of the batch, "
            f"got {rows.dtype} of shape {tuple(rows.shape)}."
        )
    mask = rows.to(state.device).view(1, -1, *[1] * (state.dim() - 2))
    return torch.where(mask, initial, state)


def _nesting(state: State) -> str:
    if isinstance(state, tuple):
        return "(" + ", ".join(_nesting(part) for part in state) + ")"
    return "tensor"
