"""What ``unrolled::recurrent`` becomes in an ONNX file.

Plain cells become ONNX's own ``RNN``, ``GRU`` and ``LSTM``; every other one, and every option that those
lack, a ``Scan`` over the cell's program. This is a decomposition of the operator, which
``torch.onnx.export`` finds by itself, so modules of anybody's that hold these layers need nothing but
``import unrolled``.

Legend: ``T`` steps, ``B`` rows, ``I`` features of the input, ``H`` hidden units, ``D`` directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch._decomp import decomposition_table
from torch.fx.experimental.proxy_tensor import get_proxy_mode

from unrolled.layers.engines.exported import described_layer, fake_recurrent, parameter_names, state_like
from unrolled.layers.stack import RecurrentLayer
from unrolled.layers.state import state_tensors
from unrolled.ops.cells.evaluate import evaluate
from unrolled.ops.cells.program import Instruction
from unrolled.ops.cells.surrounded import Surrounded, Surroundings, surround
from unrolled.ops.inputs import project_input
from unrolled.ops.scan import real_steps

_GATES = {"rnn": (0,), "gru": (1, 0, 2), "lstm": (0, 3, 1, 2)}
"""Where each of ONNX's gates lies among torch's: ``i o f c`` among ``i f g o``, ``z r h`` among ``r z n``."""
_ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid"}


def decompose(
    described: str,
    values: Tensor,
    state: Sequence[Tensor],
    parameters: Sequence[Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
) -> Any:
    """The operator by what ONNX has; see `unrolled.layers.engines.exported` for the arguments."""
    # torch asks here as well for the shapes of what is traced, once or more.
    if not torch.onnx.is_in_onnx_export() or get_proxy_mode() is None:
        return fake_recurrent(described, values, state, parameters, lengths, resets)
    layer = described_layer(described)
    named = dict(zip(parameter_names(described), parameters, strict=True))
    initial = layer._layout.split(state_like(described, state), values.shape[1])
    ends: list[tuple[Tensor, ...]] = []
    for places in layer._places:
        run = _as_node if _has_node(layer, values, resets) else _as_scans
        values, final = run(layer, places, values, initial, named, lengths, resets)
        ends += final
    return [values, *state_tensors(layer._layout.join(ends))]


def _has_node(layer: RecurrentLayer, values: Tensor, resets: Tensor | None) -> bool:
    """Whether ONNX's own node computes a layer."""
    return (
        layer.cell in _GATES
        and resets is None
        and not (layer.layer_norm or layer.peepholes or layer.proj_size or any(layer.zoneout))
        and (layer.cell != "rnn" or layer.nonlinearity in _ACTIVATIONS)
        and values.dtype is torch.float32
    )


def _as_node(
    layer: RecurrentLayer,
    places: range,
    values: Tensor,
    initial: Sequence[tuple[Tensor, ...]],
    named: dict[str, Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
) -> tuple[Tensor, list[tuple[Tensor, ...]]]:
    """One layer in all its directions."""
    steps, rows, _ = values.shape
    size, directions = initial[places[0]][0].shape[-1], len(places)

    def stacked(name: str) -> Tensor:
        return torch.stack([_reordered(named[name + layer._suffixes[at]], layer.cell) for at in places])

    biases = torch.cat([stacked("bias_ih"), stacked("bias_hh")], 1) if layer.bias else None
    before = [torch.stack(column) for column in zip(*(initial[at] for at in places), strict=True)]
    real = real_steps(lengths, steps)
    # A row without a step is not allowed everywhere: it runs one, of which nothing is kept.
    ends = None if lengths is None else lengths.clamp(min=1).to(torch.int32)
    attributes: dict[str, Any] = {
        "hidden_size": size,
        "direction": "bidirectional" if directions == 2 else "forward",
    }
    if layer.cell == "rnn":
        attributes["activations"] = [_ACTIVATIONS[layer.nonlinearity]] * directions
    if layer.cell == "gru":
        attributes["linear_before_reset"] = 1
    state_shape = (directions, rows, size)
    output, *final = torch.onnx.ops.symbolic_multi_out(
        layer.cell.upper(),
        (values, stacked("weight_ih"), stacked("weight_hh"), biases, ends, *before),
        attributes,
        dtypes=[values.dtype] * (1 + len(before)),
        shapes=[(steps, directions, rows, size), *[state_shape] * len(before)],
    )
    hidden = output.permute(0, 2, 1, 3).flatten(2)
    if lengths is not None and real is not None:
        hidden = torch.where(real, hidden, 0.0)
        some = (lengths > 0).view(1, -1, 1)
        final = [torch.where(some, new, old) for new, old in zip(final, before, strict=True)]
    return hidden, list(zip(*(part.unbind(0) for part in final), strict=True))


def _reordered(parameter: Tensor, cell: str) -> Tensor:
    """A parameter with its gates in ONNX's order."""
    size = len(parameter) // len(_GATES[cell])
    return torch.cat([parameter[place * size : (place + 1) * size] for place in _GATES[cell]])


def _as_scans(
    layer: RecurrentLayer,
    places: range,
    values: Tensor,
    initial: Sequence[tuple[Tensor, ...]],
    named: dict[str, Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
) -> tuple[Tensor, list[tuple[Tensor, ...]]]:
    """One layer in all its directions, each a scan over its program."""
    done = [_scanned(layer, at, values, initial[at], named, lengths, resets) for at in places]
    return torch.cat([hidden for hidden, _ in done], -1), [final for _, final in done]


class _Read(NamedTuple):
    """What every step of a scan reads alike."""

    weight_hh: Tensor
    weight_hr: Tensor | None
    units: tuple[Tensor, ...]
    first: tuple[Tensor, ...]


def _scanned(
    layer: RecurrentLayer,
    index: int,
    values: Tensor,
    initial: tuple[Tensor, ...],
    named: dict[str, Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    suffix, reverse = layer._suffixes[index], index % layer._directions == 1
    of = {name: named.get(name + suffix) for name in ("weight_hr", "bias_hh", "bias_ih", "norm_ih_gain")}
    gates_x = project_input(
        values, named["weight_ih" + suffix], of["bias_ih"], of["norm_ih_gain"], layer.norm_groups
    )
    cell = surrounded_cell(layer)
    weight_hh = layer.matrices(named["weight_hh" + suffix])
    units = unit_vectors(layer, {name: named.get(name + suffix) for name in _vectors(layer)})
    read = _Read(weight_hh, of["weight_hr"], units, initial)
    real = real_steps(lengths, values.shape[0])
    if resets is not None and reverse:  # what begins at a step ends, read from the end, at the one before
        resets = torch.cat([resets[1:], torch.zeros_like(resets[:1])])
    moving = [gates_x, *([] if real is None else [real.expand(*values.shape[:2], 1)])]
    moving += [] if resets is None else [resets.unsqueeze(-1)]
    optional = (real is not None, resets is not None)
    kept = [] if read.weight_hr is None else [read.weight_hr]
    fixed = [read.weight_hh, *kept, *read.units, *read.first]

    def step(*args: Tensor) -> list[Tensor]:
        count = len(initial)
        states, now = args[:count], args[count : count + len(moving)]
        rest = list(args[count + len(moving) :])
        again = _Read(
            rest.pop(0), rest.pop(0) if kept else None, tuple(rest[: len(units)]), tuple(rest[len(units) :])
        )
        return _step(layer, cell, again, states, now, optional)

    begin = [part.contiguous().clone() for part in initial]
    if isinstance(values.shape[0], int) and values.shape[0] == 1:
        *final, output = step(*begin, *(part[0] for part in moving), *fixed)
        return output.unsqueeze(0), tuple(final)
    if reverse:
        moving = [part.flip(0) for part in moving]
    results = torch.ops.higher_order.scan(step, begin, [part.contiguous() for part in moving], tuple(fixed))
    *final, output = results
    return output.flip(0) if reverse else output, tuple(final)


def _step(
    layer: RecurrentLayer,
    cell: Surrounded,
    read: _Read,
    states: Sequence[Tensor],
    now: Sequence[Tensor],
    optional: tuple[bool, bool],
) -> list[Tensor]:
    """The states after a step, and the output."""
    gates_x, *masks = now
    real = masks.pop(0) if optional[0] else None
    before = list(states)
    if optional[1]:
        before = [torch.where(masks[0], first, old) for first, old in zip(read.first, states, strict=True)]
    rows, size = gates_x.shape[0], len(read.weight_hh) // max(1, len(cell.program.products))
    size = size or before[0].shape[-1]
    matrices, shares = read.weight_hh.split(size), gates_x.split(size, -1)

    def leaf(each: Instruction) -> Tensor:
        index = int(each.value)
        if each.op == "input":
            return shares[index]
        if each.op == "state":
            return before[index]
        if each.op == "parameter":
            return read.units[index]
        number = each.value if each.op == "constant" else layer.zoneout[cell.streams[index][1]]
        return torch.full((1,), number, dtype=gates_x.dtype, device=gates_x.device)

    def multiply(gate: int | None, value: Tensor) -> Tensor:
        assert gate is not None  # a projection comes after the program here
        return value.expand(rows, -1) @ matrices[gate].t()

    values = evaluate(cell.instructions, leaf, multiply)
    new = [values[result].expand(rows, size) for result in cell.results]
    if read.weight_hr is not None:
        new[0] = new[0] @ read.weight_hr.t()
        keep = layer.zoneout[0]
        new[0] = keep * before[0] + (1 - keep) * new[0] if keep else new[0]
    output = new[0]
    if real is not None:
        output = torch.where(real, output, 0.0)
        new = [torch.where(real, value, old) for value, old in zip(new, states, strict=True)]
    return [value.clone() for value in (*new, output)]


def surrounded_cell(layer: RecurrentLayer) -> Surrounded:
    """A layer's program with what its options put around it in evaluation; a projection comes after it."""
    zoneout = tuple(share > 0 for share in layer.zoneout)
    if layer.proj_size:
        zoneout = (False, *zoneout[1:])
    around = Surroundings(
        bias=layer.bias,
        normalised=layer.hidden_norm_groups if layer.layer_norm else (),
        masked=False,
        zoneout=zoneout,
        probed=(False,) * len(zoneout),
        clipped=False,
    )
    return surround(layer.program, around)


def _vectors(layer: RecurrentLayer) -> tuple[str, ...]:
    return (*layer.program.parameters, *_STORED, "bias_hh", "norm_hh_gain")


_STORED = ("peephole", "norm_cell_gain", "norm_cell_bias")
"""What an LSTM calls the parameters of its program."""


def unit_vectors(layer: RecurrentLayer, named: dict[str, Tensor | None]) -> tuple[Tensor, ...]:
    """The vectors ``(H,)`` that `surrounded_cell` reads, in its order.

    Args:
        layer: says what there is.
        named: the parameters of one layer in one direction, without the ending of their names.
    """
    units: list[Tensor] = []
    if layer.cell == "lstm":
        peephole = named["peephole"]
        units += [] if peephole is None else peephole.unbind(0)
        units += [each for name in _STORED[1:] if (each := named[name]) is not None]
    else:
        units += [each for name in layer.program.parameters if (each := named[name]) is not None]
    count = len(layer.program.products)
    for name in ("bias_hh", "norm_hh_gain"):
        each = named[name]
        if each is not None and count:
            units += each.chunk(count)
    return tuple(units)


decomposition_table[torch.ops.unrolled.recurrent.default] = decompose
