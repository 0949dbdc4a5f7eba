"""A stack run layer by layer, each in one direction or in both, with any option and for whoever looks on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from unrolled.layers.regularisation import drop_weights, dropout_between, state_noise
from unrolled.layers.scan import Call, Observer, Scan, Steps
from unrolled.layers.sequences import Arranged, check_type
from unrolled.layers.state import State
from unrolled.ops.cell_pass import Options, Pass
from unrolled.ops.inputs import project_input
from unrolled.ops.listening import Listen
from unrolled.ops.whole import run_whole

if TYPE_CHECKING:
    from unrolled.layers.stack import RecurrentLayer

_OPTIONAL_PARAMETERS = ("norm_ih_gain", "norm_hh_gain", "norm_cell_gain", "norm_cell_bias", "peephole")
"""What a cell can be run with besides, in the order of `Options`."""


def run(
    layer: RecurrentLayer,
    arranged: Arranged,
    state: State | None,
    unrolled: bool = False,
    probe: bool = False,
) -> tuple[Tensor, State, list[tuple[Steps, dict[str, Tensor]]]]:
    """Run a stack over whole sequences.

    Args:
        layer: the stack.
        arranged: the sequences.
        state: of a batch, before the first step; None for a fresh one.
        unrolled: return the steps of each layer too.
        probe: put probes on every state; see `RecurrentLayer.unroll`.

    Returns:
        The output of the top layer, ``(T, B, width)``; the state at each row's end; and of each layer in
        each direction its steps and its probes, where they are asked for.
    """
    values = arranged.values
    count = values.shape[1]
    if state is not None:
        initial = layer._layout.split(state, count)
    elif layer._starts_from_zeros:
        initial = [None] * len(layer._suffixes)
    else:
        initial = [layer._fresh(index, count) for index in range(len(layer._suffixes))]

    looked_at: list[tuple[Steps, dict[str, Tensor]]] = []
    ends: list[tuple[Tensor, ...]] = []
    noisy = layer.training and layer.state_noise > 0
    pieces = unrolled or layer.observers or layer.in_pieces or arranged.resets is not None or noisy
    output = values
    for level, places in enumerate(layer._places):
        if level:
            values = dropout_between(output, layer.dropout, layer.variational_dropout, layer.training)
        if pieces:
            done = [
                _run_in_pieces(layer, index, values, initial[index], arranged, unrolled, probe)
                for index in places
            ]
            hidden = [steps.hidden for steps, _ in done]
            output = hidden[0] if len(hidden) == 1 else torch.cat(hidden, -1)
            ends += [steps.final for steps, _ in done]
            looked_at += done
        else:
            results = run_whole(*[_pass(layer, index, values, initial[index], arranged) for index in places])
            output, states = results[0], len(layer.state_names)
            for at in range(1, len(results), states):
                ends.append(results[at : at + states])
    return output, layer._layout.concatenate(ends), looked_at


def _pass(
    layer: RecurrentLayer, index: int, values: Tensor, initial: tuple[Tensor, ...] | None, arranged: Arranged
) -> Pass:
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
    return Pass(
        layer.cell,
        layer.nonlinearity,
        index % layer._directions == 1,
        layer.clip_step or 0.0,
        _listen(layer, index, values, initial or (), arranged.lengths),
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


def _listen(
    layer: RecurrentLayer, index: int, values: Tensor, initial: tuple[Tensor, ...], lengths: Tensor | None
) -> Listen | None:
    if not layer.listeners or not torch.is_grad_enabled():
        return None
    steps, rows = values.shape[:2]
    call = Call(layer._suffixes[index], index % layer._directions == 1, steps, rows, lengths, initial)
    listening = [listener(call) for listener in layer.listeners]

    def listen(norms: Tensor) -> None:
        for each in listening:
            each(norms)

    return listen


def _run_in_pieces(
    layer: RecurrentLayer,
    index: int,
    values: Tensor,
    initial: tuple[Tensor, ...] | None,
    arranged: Arranged,
    watched: bool,
    probe: bool,
) -> tuple[Steps, dict[str, Tensor]]:
    suffix = layer._suffixes[index]
    weight_ih = layer._weight("weight_ih", suffix)
    check_type(values, weight_ih)
    if initial is None:
        initial = layer._fresh(index, values.shape[1])
    if index < layer._directions:
        values = arranged.without_padding()
    probes: dict[str, Tensor] = {}
    if probe:
        for name, part in zip(layer.state_names, initial, strict=True):
            # One zero seen as many: a probe takes no memory until its gradient arrives.
            shape = arranged.leave(part.expand(values.shape[0], *part.shape)).shape
            probes[name] = part.new_zeros(()).expand(shape).requires_grad_()
    added = [arranged.enter(probes[name]) if name in probes else None for name in layer.state_names]
    noise = state_noise(len(values), initial[0], layer.state_noise, layer.training)
    if noise is not None:
        added[0] = noise if added[0] is None else added[0] + noise
    scan = Scan(
        suffix=suffix,
        gates_x=project_input(
            values,
            weight_ih,
            layer._parameter("bias_ih", suffix),
            layer._parameter("norm_ih_gain", suffix),
            layer.norm_groups,
        ),
        weight_hh=drop_weights(layer._weight("weight_hh", suffix), layer.weight_drop, layer.training),
        initial=initial,
        lengths=arranged.lengths,
        reverse=index % layer._directions == 1,
        probes=tuple(added),
        watched=watched or bool(layer.observers),
        resets=arranged.resets_of(index % layer._directions == 1),
        listen=_listen(layer, index, values, initial, arranged.lengths),
    )
    run = layer.scan
    for observer in layer.observers:
        run = _around(observer, run)
    done = run(scan)
    return done._replace(final=tuple(part.unsqueeze(0) for part in done.final)), probes


def _around(observer: Observer, run: Callable[[Scan], Steps]) -> Callable[[Scan], Steps]:
    return lambda scan: observer(scan, run)
