"""RNN, GRU and LSTM by the kernels that the compiled library has for each, with whatever options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from unrolled.layers.engines.engine import Engine, Pass, Result, Step
from unrolled.layers.engines.levels import Initial, Level, by_levels, listen_of
from unrolled.layers.regularisation import drop_weights
from unrolled.layers.sequences import Arranged, check_type
from unrolled.ops.kernel_pass import KernelPass, Options
from unrolled.ops.kernels import run_kernel
from unrolled.ops.native import in_use
from unrolled.ops.native.coverage import obstacle
from unrolled.ops.native.library import choices, library
from unrolled.ops.native.step import StepWeights, compiled_step

if TYPE_CHECKING:
    from unrolled.layers.stack import RecurrentLayer

CELLS = ("rnn", "gru", "lstm")
_OPTIONAL_PARAMETERS = ("norm_ih_gain", "norm_hh_gain", "norm_cell_gain", "norm_cell_bias", "peephole")
"""What a cell can be run with besides, in the order of `Options`."""


def lacking(layer: RecurrentLayer) -> str | None:
    """Why the compiled library computes no such layer at all, as a clause."""
    if torch.compiler.is_compiling():
        return "a graph holds operators"
    weight = layer._weight("weight_hh", "_l0")
    why = obstacle(weight.device.type, weight.dtype, projection=layer.proj_size > 0)
    if why is None and not in_use():
        return "plain torch was asked for"
    if why is None and library() is None:
        return "no compiled library was installed; a C++ compiler and a new install bring it"
    return why


def _offer(given: Pass) -> str | Callable[[], Result]:
    layer = given.layer
    if layer.cell not in CELLS:
        return f"the cell {layer.cell} has no kernel of its own"
    if given.unrolled or layer.observers:
        return "single steps are looked at"
    if given.arranged.resets is not None:
        return "its kernel knows no resets"
    if layer.training and layer.state_noise > 0:
        return "its kernel adds no noise"
    return lacking(layer) or partial(by_levels, given, _run_level)


def _stream(layer: RecurrentLayer, states: Sequence[tuple[Tensor, ...]]) -> str | Step:
    chosen = library()
    if layer.cell not in CELLS:
        return f"the cell {layer.cell} has no kernel of its own"
    if (why := lacking(layer)) is not None or chosen is None:
        return why or "there is no library"
    return compiled_step(chosen, [_step_weights(layer, suffix) for suffix in layer._suffixes], states)


ENGINE = Engine(
    name=lambda: f"compiled ({choices()[0]})",
    why=lambda: f"the fastest one built for a processor with {torch.backends.cpu.get_cpu_capability()}",
    offer=_offer,
    stream=_stream,
)


def _run_level(given: Pass, places: Sequence[int], values: Tensor, initial: Sequence[Initial]) -> Level:
    layer, states = given.layer, len(given.layer.state_names)
    passes = [_pass(layer, index, values, initial[index], given.arranged) for index in places]
    output, *ends = run_kernel(*passes)
    return Level(output, [tuple(ends[at : at + states]) for at in range(0, len(ends), states)])


def _pass(
    layer: RecurrentLayer, index: int, values: Tensor, initial: tuple[Tensor, ...] | None, arranged: Arranged
) -> KernelPass:
    """What one layer in one direction is run with."""
    weight_ih, weight_hh, bias_ih, bias_hh = layer._weights(index)
    check_type(values, weight_ih)
    options = None
    if layer.layer_norm or layer.peepholes or layer.recurrent_dropout or any(layer.zoneout):
        like = weight_hh.new_empty(values.shape[1], weight_hh.shape[1])
        learned = [layer._parameter(name, layer._suffixes[index]) for name in _OPTIONAL_PARAMETERS]
        zoneouts = layer._zoneouts(len(values), (like,) * len(layer.state_names))
        special = [*learned, layer._hidden_mask(like), *zoneouts]
        if any(option is not None for option in special):  # some act in training only
            options = Options(*special)
    h_0, c_0 = (None, None) if initial is None else (*initial, None)[:2]
    return KernelPass(
        layer.program,
        layer.cell,
        layer.nonlinearity,
        index % layer._directions == 1,
        layer.clip_step or 0.0,
        listen_of(layer, index, values, initial or (), arranged.lengths),
        values,
        weight_ih,
        drop_weights(weight_hh, layer.weight_drop, layer.training),
        bias_ih,
        bias_hh,
        h_0,
        c_0,
        arranged.lengths,
        options,
    )


def _step_weights(layer: RecurrentLayer, suffix: str) -> StepWeights:
    return StepWeights(
        weight_ih=layer._weight("weight_ih", suffix),
        weight_hh=layer._weight("weight_hh", suffix),
        bias_ih=layer._parameter("bias_ih", suffix),
        bias_hh=layer._parameter("bias_hh", suffix),
        norm_ih_gain=layer._parameter("norm_ih_gain", suffix),
        norm_hh_gain=layer._parameter("norm_hh_gain", suffix),
        peephole=layer._parameter("peephole", suffix),
        norm_cell_gain=layer._parameter("norm_cell_gain", suffix),
        norm_cell_bias=layer._parameter("norm_cell_bias", suffix),
        zoneout=layer.zoneout,
        activation=layer.nonlinearity,
    )
