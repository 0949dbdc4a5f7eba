"""One layer in one direction run as its cell's program, with all that a layer's options put around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from torch import Tensor

from unrolled.cells.library.elman import Elman
from unrolled.cells.library.gru_reset_after import GRUResetAfter
from unrolled.cells.library.long_short_term_memory import LongShortTermMemory
from unrolled.errors import ConfigError
from unrolled.layers.scan import Scan, Steps
from unrolled.ops.cells.given import Given
from unrolled.ops.cells.program import Program
from unrolled.ops.cells.run import reference, run_cell
from unrolled.ops.cells.surrounded import Surrounded, Surroundings, surround
from unrolled.ops.native.library import Library
from unrolled.ops.native.memory import allocate
from unrolled.ops.native.program import Stepper

if TYPE_CHECKING:
    from unrolled.layers.cell_layer import Recurrent
    from unrolled.layers.stack import RecurrentLayer


def run_program(layer: RecurrentLayer, program: Program, parameters: Sequence[Tensor], scan: Scan) -> Steps:
    """Run a program.

    Args:
        layer: says what is around it, and whose parameters are read.
        program: of its cell.
        parameters: the cell's own, ``(H,)`` each, in the program's order.
        scan: what it is run with.
    """
    cell, given = _surrounded(layer, program, parameters, scan)
    if scan.watched:
        ran = reference(cell, given, scan.listen)
        return Steps(ran.states, ran.gates, ran.final)
    hidden, final = run_cell(cell, given, scan.listen)
    return Steps((hidden,), None, final)


def _surrounded(
    layer: RecurrentLayer, program: Program, parameters: Sequence[Tensor], scan: Scan
) -> tuple[Surrounded, Given]:
    """A program with what its layer's options put around it, and what it reads."""
    initial = scan.initial
    shape = (*scan.gates_x.shape[:2], initial[0].shape[-1])
    units = list(parameters)
    bias, gain = (layer._parameter(name, scan.suffix) for name in ("bias_hh", "norm_hh_gain"))
    for each in (bias, gain):
        if each is not None and program.products:
            units += each.split(shape[-1])
    mask, zoneouts = layer._hidden_mask(initial[0]), layer._zoneouts(shape[0], initial)
    around = Surroundings(
        bias=bias is not None,
        normalised=() if gain is None else layer.hidden_norm_groups,
        masked=mask is not None,
        zoneout=tuple(each is not None for each in zoneouts),
        probed=tuple(each is not None for each in scan.probes),
        clipped=bool(layer.clip_step),
    )
    streams = [mask, *zoneouts, *scan.probes]
    given = Given(
        gates_x=scan.gates_x,
        weight_hh=scan.weight_hh,
        initial=initial,
        units=tuple(units),
        streams=tuple(stream.expand(shape) for stream in streams if stream is not None),
        lengths=scan.lengths,
        resets=scan.resets,
        reverse=scan.reverse,
        bound=layer.clip_step or 0.0,
    )
    return surround(program, around), given


@lru_cache(maxsize=64)
def program_of_built_in(cell: str, nonlinearity: str, peepholes: bool, cell_norm: bool) -> Program:
    """The program of an `RNN`, `GRU` or `LSTM`."""
    if cell == "rnn":
        return Elman(nonlinearity).program()
    if cell == "gru":
        return GRUResetAfter().program()
    return LongShortTermMemory(peepholes=peepholes, cell_norm=cell_norm).program()


def run_built_in(layer: RecurrentLayer, scan: Scan) -> Steps:
    """Run an `RNN`, `GRU` or `LSTM` as its program, which knows what the kernels made for it do not.

    Raises:
        ConfigError: the layer projects its state.
    """
    if layer.proj_size:
        raise ConfigError("an LSTM that projects its state knows no resets: expected proj_size=0 with them.")
    parameters: list[Tensor] = []
    if layer.peepholes:
        parameters += layer._weight("peephole", scan.suffix).unbind(0)
    if layer.layer_norm and layer.cell == "lstm":
        parameters += [layer._weight(name, scan.suffix) for name in ("norm_cell_gain", "norm_cell_bias")]
    return run_program(layer, layer.program, parameters, scan)


def program_step(
    chosen: Library, layer: Recurrent, states: Sequence[tuple[Tensor, ...]]
) -> Callable[[Tensor], Tensor]:
    """What takes a step of a stack of programs, as `unrolled.ops.native.step.compiled_step` of other cells.

    Args:
        chosen: the library to call.
        layer: in evaluation, without normalisation; its weights are copied.
        states: of each layer; they change in place.
    """
    steppers = []
    for suffix, state in zip(layer._suffixes, states, strict=True):
        scan = Scan(
            suffix=suffix,
            gates_x=state[0].new_empty(1, len(state[0]), 0),
            weight_hh=layer.matrices(layer._weight("weight_hh", suffix)),
            initial=state,
            lengths=None,
            reverse=False,
            probes=(None,) * len(state),
        )
        cell, given = _surrounded(layer, layer.program, layer.own_parameters(suffix), scan)
        entrance = layer._weight("weight_ih", suffix), layer._parameter("bias_ih", suffix)
        steppers.append(Stepper(chosen, cell, given, *entrance))
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
