"""One layer in one direction run as its cell's program, with all that a layer's options put around it."""

from __future__ import annotations

from collections.abc import Sequence
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
from unrolled.ops.cells.surrounded import Surroundings, surround

if TYPE_CHECKING:
    from unrolled.layers.stack import RecurrentLayer


def run_program(layer: RecurrentLayer, program: Program, parameters: Sequence[Tensor], scan: Scan) -> Steps:
    """Run a program.

    Args:
        layer: says what is around it, and whose parameters are read.
        program: of its cell.
        parameters: the cell's own, ``(H,)`` each, in the program's order.
        scan: what it is run with.
    """
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
    cell = surround(program, around)
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
    if scan.watched:
        ran = reference(cell, given, scan.listen)
        return Steps(ran.states, ran.gates, ran.final)
    hidden, final = run_cell(cell, given, scan.listen)
    return Steps((hidden,), None, final)


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
