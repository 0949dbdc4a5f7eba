"""Any cell by its program, with whatever options and for whoever looks on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from unrolled.layers.engines.engine import Engine, Pass, Result, Step
from unrolled.layers.engines.kernels import lacking
from unrolled.layers.engines.levels import Initial, Level, by_levels, listen_of
from unrolled.layers.regularisation import drop_weights, state_noise
from unrolled.layers.scan import Observer, Scan, Steps
from unrolled.layers.sequences import check_type
from unrolled.ops.cells.given import Given
from unrolled.ops.cells.run import run_cell
from unrolled.ops.cells.surrounded import Surroundings, surround
from unrolled.ops.inputs import project_input
from unrolled.ops.native.library import choices, library
from unrolled.ops.native.memory import allocate
from unrolled.ops.native.program import Stepper

if TYPE_CHECKING:
    from unrolled.layers.stack import RecurrentLayer


def _offer(given: Pass) -> str | Callable[[], Result]:
    return _lacking(given.layer) or partial(by_levels, given, run_level)


def _stream(layer: RecurrentLayer, states: Sequence[tuple[Tensor, ...]]) -> str | Step:
    return _lacking(layer) or _step_of(layer, states)


def _lacking(layer: RecurrentLayer) -> str | None:
    if not layer.has_program:
        return f"{layer.cell} runs its own step (fused = False)"
    return lacking(layer)


ENGINE = Engine(
    name=lambda: f"compiled program ({choices()[0]})",
    why=lambda: "any cell, and what the cells with kernels of their own do not know",
    offer=_offer,
    stream=_stream,
)


def run_level(given: Pass, places: Sequence[int], values: Tensor, initial: Sequence[Initial]) -> Level:
    """Run one layer of a pass."""
    done = [_run_direction(given, index, values, initial[index]) for index in places]
    hidden = [steps.hidden for steps, _ in done]
    output = hidden[0] if len(hidden) == 1 else torch.cat(hidden, -1)
    return Level(output, [steps.final for steps, _ in done], done)


def _run_direction(
    given: Pass, index: int, values: Tensor, initial: Initial
) -> tuple[Steps, dict[str, Tensor]]:
    layer, arranged = given.layer, given.arranged
    suffix = layer._suffixes[index]
    weight_ih = layer._weight("weight_ih", suffix)
    check_type(values, weight_ih)
    if initial is None:
        initial = layer._fresh(index, values.shape[1])
    if index < layer._directions:
        values = arranged.without_padding()
    probes: dict[str, Tensor] = {}
    if given.probe:
        for name, part in zip(layer.state_names, initial, strict=True):
            # One zero seen as many: a probe takes no memory until its gradient arrives.
            shape = arranged.leave(part.expand(values.shape[0], *part.shape)).shape
            probes[name] = part.new_zeros(()).expand(shape).requires_grad_()
    added = [arranged.enter(probes[name]) if name in probes else None for name in layer.state_names]
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
        watched=given.unrolled or bool(layer.observers),
        resets=arranged.resets_of(index % layer._directions == 1),
        listen=listen_of(layer, index, values, initial, arranged.lengths),
        total=given.probe,
        noise=state_noise(values.shape[0], initial[0], layer.state_noise, layer.training),
    )
    run = layer.scan
    for observer in layer.observers:
        run = _around(observer, run)
    done = run(scan)
    return done._replace(final=tuple(part.unsqueeze(0) for part in done.final)), probes


def _around(observer: Observer, run: Callable[[Scan], Steps]) -> Callable[[Scan], Steps]:
    return lambda scan: observer(scan, run)


def run_scan(layer: RecurrentLayer, scan: Scan) -> Steps:
    """Run a layer's cell over all steps of one layer in one direction."""
    around, given = _surrounded(layer, scan)
    ran = run_cell(layer.described, around, given, scan.listen, scan.watched)
    return Steps(ran.states, ran.gates, ran.final)


def _surrounded(layer: RecurrentLayer, scan: Scan) -> tuple[Surroundings, Given]:
    """What a layer's options put around its cell, and what both read."""
    initial, steps = scan.initial, scan.gates_x.shape[0]
    bias, gain = (layer._parameter(name, scan.suffix) for name in ("bias_hh", "norm_hh_gain"))
    units = layer.own_parameters(scan.suffix)
    if layer.described.products:
        units += [each for each in (bias, gain) if each is not None]
    mask, zoneouts = layer._hidden_mask(initial[0]), layer._zoneouts(steps, initial)
    projection = layer._parameter("weight_hr", scan.suffix)
    around = Surroundings(
        bias=bias is not None,
        normalised=() if gain is None else layer.hidden_norm_groups,
        masked=mask is not None,
        zoneout=tuple(each is not None for each in zoneouts),
        probed=tuple(each is not None for each in scan.probes),
        clipped=bool(layer.clip_step),
        projected=projection is not None,
        noisy=scan.noise is not None,
        shared=scan.total or layer.cell == "lstm",
    )
    streams = [
        (mask, initial[0]),
        *zip(zoneouts, initial, strict=True),
        *zip(scan.probes, initial, strict=True),
        (scan.noise, initial[0]),
    ]
    given = Given(
        gates_x=scan.gates_x,
        weight_hh=layer.matrices(scan.weight_hh),
        initial=initial,
        units=tuple(units),
        streams=tuple(each.expand(steps, *state.shape) for each, state in streams if each is not None),
        projection=projection,
        lengths=scan.lengths,
        resets=scan.resets,
        reverse=scan.reverse,
        bound=layer.clip_step or 0.0,
    )
    return around, given


def _step_of(layer: RecurrentLayer, states: Sequence[tuple[Tensor, ...]]) -> Step:
    """What takes a step; the weights are copied."""
    chosen = library()
    assert chosen is not None
    steppers = []
    for suffix, state in zip(layer._suffixes, states, strict=True):
        scan = Scan(
            suffix=suffix,
            gates_x=state[0].new_empty(1, len(state[0]), 0),
            weight_hh=layer._weight("weight_hh", suffix),
            initial=state,
            lengths=None,
            reverse=False,
            probes=(None,) * len(state),
        )
        around, given = _surrounded(layer, scan)
        weight, bias = layer._weight("weight_ih", suffix), layer._parameter("bias_ih", suffix)
        gain, inputs = layer._parameter("norm_ih_gain", suffix), len(layer.program.inputs)
        if gain is not None and inputs:
            added = [each for each in (gain, bias) if each is not None]
            around, bias = around._replace(entrance=True), None
            given = given._replace(units=(*given.units, *added))
        steppers.append(Stepper(chosen, surround(layer.program, around), given, weight, bias))
    top = states[-1][0]
    shape, strides, dtype = tuple(top.shape), top.stride(), top.dtype
    *below, last = [stepper.step for stepper in steppers]
    between = [state[0].data_ptr() for state in states[:-1]]

    def step(inputs: Tensor) -> Tensor:
        output, given = allocate(shape, strides, dtype), inputs.data_ptr()
        for run, hidden in zip(below, between, strict=True):
            run(given, 0)
            given = hidden
        last(given, output.data_ptr())
        return output

    step.__dict__["kept"] = steppers, states  # as long as the function is
    return step
