"""Recurrent layers unrolled by hand with torch's cells: each state and each use of the weights is a node."""

from dataclasses import dataclass

import torch
from torch import nn

CELLS = {"RNN": nn.RNNCell, "GRU": nn.GRUCell, "LSTM": nn.LSTMCell}


@dataclass
class ByHand:
    """For every recurrence by name a list over time: its cells, their inputs and the states after.

    Each step has a cell of its own with a copy of the same weights.
    """

    cells: dict
    inputs: dict
    states: dict
    output: torch.Tensor

    def order(self, name):
        steps = range(len(self.output))
        return list(reversed(steps)) if name.endswith("reverse") else list(steps)

    def jacobian(self, name, step):
        """Of the whole state after a step by the whole state before, or None for the first."""
        order = self.order(name)
        if step == order[0]:
            return None
        before = self.states[name][order[order.index(step) - 1]]
        widths = [part.shape[-1] for part in before]

        def advance(state):
            parts = state.split(widths, -1)
            after = self.cells[name][step](self.inputs[name][step], parts if len(parts) > 1 else parts[0])
            return whole(after if isinstance(after, tuple) else (after,))

        found = torch.autograd.functional.jacobian(advance, whole(before).detach())
        return found[0, :, 0, :]


def whole(state):
    return torch.cat(state, -1)


def unrolled_by_hand(layer, inputs):
    """Unroll one of our layers or of torch.nn over time-major ``inputs``, from zero states."""
    kind, below = type(layer).__name__, list(inputs.unbind(0))
    cells, entering, states = {}, {}, {}
    for depth in range(layer.num_layers):
        outputs = []
        for ending in ("", "_reverse")[: 2 if layer.bidirectional else 1]:
            name = f"l{depth}{ending}"
            made = [cell_of(layer, kind, f"_{name}", below[0]) for _ in below]
            zero = inputs.new_zeros(inputs.shape[1], layer.hidden_size)
            state = (zero, zero) if kind == "LSTM" else zero
            every = [None] * len(below)
            for step in range(len(below))[:: -1 if ending else 1]:
                state = made[step](below[step], state)
                every[step] = state if isinstance(state, tuple) else (state,)
            cells[name], entering[name], states[name] = made, below, every
            outputs.append([each[0] for each in every])
        below = [torch.cat(parts, -1) for parts in zip(*outputs, strict=True)]
    return ByHand(cells, entering, states, torch.stack(below))


def cell_of(layer, kind, suffix, like):
    options = {"nonlinearity": layer.nonlinearity} if kind == "RNN" else {}
    cell = CELLS[kind](like.shape[-1], layer.hidden_size, dtype=like.dtype, **options)
    with torch.no_grad():
        for name, parameter in cell.named_parameters():
            parameter.copy_(getattr(layer, name + suffix))
    return cell
