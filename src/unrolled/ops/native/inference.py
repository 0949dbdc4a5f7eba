"""Plain cells without gradients, layer upon layer, with the least that has to be done around the library.

A short sequence takes the library less time than Python takes to it by `unrolled.ops.kernels`, which has room
for every option.

Legend: ``L`` layers, ``D`` directions, ``T`` steps, ``B`` rows, ``I`` features of the input, ``H`` hidden
units, ``G`` gates.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor

from unrolled.ops.native.cell import inside_forward
from unrolled.ops.native.known import fit, known_weights
from unrolled.ops.native.library import addresses, library
from unrolled.ops.native.memory import allocate, empty
from unrolled.ops.native.record import ACTIVATION_NUMBERS, PLAIN_FORWARD, call, head

Weights: TypeAlias = tuple[Tensor, Tensor, Tensor | None, Tensor | None]
"""``weight_ih`` ``(G * H, I)``, ``weight_hh`` ``(G * H, H)``; ``bias_ih`` and ``bias_hh``, or None."""


def inference_of(
    cell: str,
    activation: str,
    values: Tensor,
    weights: Sequence[Weights],
    directions: int,
    initial: Sequence[Tensor],
) -> Callable[[], tuple[Tensor, ...]] | None:
    """What runs a stack of layers over all steps, if the library covers it.

    Args:
        cell: "rnn", "gru" or "lstm".
        activation: of an RNN.
        values: ``(T, B, I)``.
        weights: of each layer, and within it of each direction.
        directions: ``D``.
        initial: h, for an LSTM also c, ``(L * D, B, H)`` each; none of them for zeros.

    Returns:
        What gives all h of the top layer, ``(T, B, D * H)``, and the last states like the initial ones; None
        where `unrolled.ops.kernels` has to look closer, be it that something does not fit.
    """
    steps, rows, width = values.shape
    units, dtype = weights[0][1].shape[-1], values.dtype
    names = 2 if cell == "lstm" else 1
    states, across = (len(weights), rows, units), directions * units
    if library() is None or values.is_neg() or not values.numel() or len(initial) not in (0, names):
        return None
    if initial and not fit(states, dtype, *initial):
        return None
    # All of them before anything is computed, which would be for nothing.
    for place, own in enumerate(weights):
        if not _covered(cell, own, dtype, width if place < directions else across, units, steps * rows):
            return None
    return partial(_run, cell, activation, values, weights, directions, initial)


def _run(
    cell: str,
    activation: str,
    values: Tensor,
    weights: Sequence[Weights],
    directions: int,
    initial: Sequence[Tensor],
) -> tuple[Tensor, ...]:
    steps, rows, width = values.shape
    units, dtype, size = weights[0][1].shape[-1], values.dtype, values.itemsize
    names = 2 if cell == "lstm" else 1
    shape, states, across = (steps, rows, units), (len(weights), rows, units), directions * units
    if not values.is_contiguous():
        values = values.contiguous()
    strides, apart = (rows * units, units, 1), rows * units * size
    h_n = allocate(states, strides, dtype)
    c_n = allocate(states, strides, dtype) if names == 2 else None
    h_0, c_0 = addresses((*initial, None)[:2]) if initial else (0, 0)
    last_h, last_c = addresses((h_n, c_n))
    number = ACTIVATION_NUMBERS[activation]
    for below in range(0, len(weights), directions):
        hidden, records = empty(values, steps, rows, across), b""
        read, written = values.data_ptr(), hidden.data_ptr()
        for own in weights[below : below + directions]:
            weight_ih, weight_hh, bias_ih, bias_hh = addresses(own)
            numbers = head(shape, records != b"", 0.0, dtype, number, width, across)
            inputs = read, weight_ih, 0, h_0, c_0, weight_hh, bias_ih, bias_hh
            records += PLAIN_FORWARD.pack(*numbers, *inputs, written, last_h, last_c, 0, 0)
            # On to the next direction, or to the next layer's first.
            written += units * size
            h_0, c_0 = h_0 and h_0 + apart, c_0 and c_0 + apart
            last_h, last_c = last_h + apart, last_c and last_c + apart
        call(f"{cell}_forward", records, directions)
        values, width = hidden, across
    return (values, h_n) if c_n is None else (values, h_n, c_n)


def _covered(cell: str, weights: Weights, dtype: torch.dtype, width: int, units: int, count: int) -> bool:
    """Whether one call computes a layer with these weights over ``count`` steps of all rows."""
    known = known_weights(cell, *weights)
    return (
        known is not None
        and known.dtype is dtype
        and known.width == width
        and known.units == units
        and inside_forward(weights[0], weights[1], count)
    )
