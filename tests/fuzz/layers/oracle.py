"""What a recurrent layer computes, written out step by step in float64 and differentiated by autograd alone.

It shares no code with the package: the equations stand here once more, every mask is handed in. Legend:
``T`` steps, ``B`` rows, ``I`` features of the input, ``H`` hidden units.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

EPSILON = 1e-5


@dataclass(frozen=True)
class Masks:
    """What a layer has drawn, by what it was drawn for, in the order of layers and directions."""

    between: list[Tensor]
    weights: list[Tensor]
    hidden: list[Tensor | None]
    zoneout: list[Tensor | None]
    noise: list[Tensor | None]


@dataclass(frozen=True)
class Stack:
    """What decides the computation beside parameters and masks."""

    cell: str
    layers: int
    directions: int
    activation: str
    layer_norm: bool
    clip_step: float


def run(
    stack: Stack,
    parameters: Mapping[str, Tensor],
    masks: Masks,
    values: Tensor,
    initial: list[tuple[Tensor, ...]],
    lengths: list[int],
    resets: Tensor | None = None,
) -> tuple[Tensor, list[tuple[Tensor, ...]]]:
    """The top layer's output ``(T, B, D * H)``, zero past each row's end, and the states at the ends."""
    ends: list[tuple[Tensor, ...]] = []
    for layer in range(stack.layers):
        if layer:
            values = values * masks.between[layer - 1]
        outputs = []
        for direction in range(stack.directions):
            index = layer * stack.directions + direction
            suffix = f"_l{layer}{'_reverse' if direction else ''}"
            own = {
                name.removesuffix(suffix): tensor
                for name, tensor in parameters.items()
                if name.endswith(suffix) and (direction or not name.endswith("_reverse"))
            }
            own["weight_hh"] = own["weight_hh"] * masks.weights[index]
            output, end = _direction(stack, own, masks, index, values, initial[index], lengths, resets)
            outputs.append(output)
            ends.append(end)
        values = torch.cat(outputs, -1)
    return values, ends


def _direction(
    stack: Stack,
    own: Mapping[str, Tensor],
    masks: Masks,
    index: int,
    values: Tensor,
    initial: tuple[Tensor, ...],
    lengths: list[int],
    resets: Tensor | None,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Row by row, each step of which is computed by itself: nothing is known of padding here."""
    steps, states = len(values), len(initial)
    hidden_mask = masks.hidden[index]
    zoneouts = masks.zoneout[index * states : (index + 1) * states]
    noise, reverse = masks.noise[index], index % stack.directions == 1
    rows, ends = [], []
    for row, length in enumerate(lengths):
        first = state = tuple(part[row : row + 1] for part in initial)
        outputs: dict[int, Tensor] = {}
        order = range(length)
        for t in reversed(order) if reverse else order:
            # What begins at a step has ended, for who reads from the end, at the step after.
            if resets is not None and t + reverse < length and resets[t + reverse, row]:
                state = first
            shown = state[0] if hidden_mask is None else state[0] * hidden_mask[row : row + 1]
            new = CELLS[stack.cell](stack, own, values[t, row : row + 1], shown, state)
            mixed = []
            for old, fresh, zoneout in zip(state, new, zoneouts, strict=True):
                if zoneout is None:
                    mixed.append(fresh)
                else:
                    keep = zoneout.expand(steps, len(lengths), fresh.shape[1])[t, row]
                    mixed.append(keep * old + (1 - keep) * fresh)
            if noise is not None:
                mixed[0] = mixed[0] + noise[t, row]
            state = tuple(mixed)
            outputs[t] = state[0]
        blank = torch.zeros_like(state[0])
        rows.append(torch.stack([outputs.get(t, blank)[0] for t in range(steps)]))
        ends.append(state)
    return torch.stack(rows, 1), tuple(torch.cat(parts) for parts in zip(*ends, strict=True))


def _rnn(stack: Stack, own: Mapping[str, Tensor], x: Tensor, shown: Tensor, state: Any) -> tuple[Tensor, ...]:
    entering = _product(stack, own, "ih", x, (1,)) + _product(stack, own, "hh", shown, (1,))
    activation = {
        "tanh": torch.tanh,
        "relu": torch.relu,
        "sigmoid": torch.sigmoid,
        "identity": lambda each: each,
    }
    return (activation[stack.activation](_clipped(stack, entering)),)


def _gru(stack: Stack, own: Mapping[str, Tensor], x: Tensor, shown: Tensor, state: Any) -> tuple[Tensor, ...]:
    of_x = _product(stack, own, "ih", x, (2, 1)).chunk(3, 1)
    of_h = _product(stack, own, "hh", shown, (2, 1)).chunk(3, 1)
    reset = torch.sigmoid(_clipped(stack, of_x[0] + of_h[0]))
    update = torch.sigmoid(_clipped(stack, of_x[1] + of_h[1]))
    candidate = torch.tanh(_clipped(stack, of_x[2] + reset * of_h[2]))
    return ((1 - update) * candidate + update * state[0],)


def _lstm(
    stack: Stack, own: Mapping[str, Tensor], x: Tensor, shown: Tensor, state: Any
) -> tuple[Tensor, ...]:
    cell = state[1]
    i, f, g, o = (_product(stack, own, "ih", x, (4,)) + _product(stack, own, "hh", shown, (4,))).chunk(4, 1)
    peephole = own.get("peephole")
    if peephole is not None:
        i, f = i + peephole[0] * cell, f + peephole[1] * cell
    i, f = torch.sigmoid(_clipped(stack, i)), torch.sigmoid(_clipped(stack, f))
    new = f * cell + i * torch.tanh(_clipped(stack, g))
    if peephole is not None:
        o = o + peephole[2] * new
    shown_cell = new
    if stack.layer_norm:
        shown_cell = _normal(new) * own["norm_cell_gain"] + own["norm_cell_bias"]
    hidden = torch.sigmoid(_clipped(stack, o)) * torch.tanh(shown_cell)
    if "weight_hr" in own:
        hidden = hidden @ own["weight_hr"].t()
    return hidden, new


CELLS = {"rnn": _rnn, "gru": _gru, "lstm": _lstm}


def _product(
    stack: Stack, own: Mapping[str, Tensor], side: str, entering: Tensor, groups: tuple[int, ...]
) -> Tensor:
    product = entering @ own[f"weight_{side}"].t()
    if stack.layer_norm:
        sizes = [product.shape[1] * group // sum(groups) for group in groups]
        product = torch.cat([_normal(part) for part in product.split(sizes, 1)], 1) * own[f"norm_{side}_gain"]
    bias = own.get(f"bias_{side}")
    return product if bias is None else product + bias


def _normal(values: Tensor) -> Tensor:
    centred = values - values.mean(1, keepdim=True)
    return centred / (centred.square().mean(1, keepdim=True) + EPSILON).sqrt()


def _clipped(stack: Stack, values: Tensor) -> Tensor:
    if stack.clip_step and values.requires_grad:
        # A view of its own, whose gradient alone is clamped: the same values may enter elsewhere.
        values = values.clone()
        values.register_hook(lambda grad: grad.clamp(-stack.clip_step, stack.clip_step))
    return values
