"""What the gates do: open, shut, how long a cell remembers, which units are dead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unrolled.diagnosis.probes import captured
from unrolled.diagnosis.recurrence import Recurrence
from unrolled.diagnosis.result import Result
from unrolled.layers.stack import RecurrentLayer
from unrolled.ops.scan import real_steps


@dataclass(frozen=True, slots=True)
class GateUse(Result):
    """The values of one gate, or of the candidate, over real steps.

    Attributes:
        mean: over units, steps and rows.
        open: the share of values above 0.9.
        shut: the share of values below 0.1 (of a tanh: below -0.9). Between the two a value is not saturated.
        strip: ``[step][unit]``, the values along the first sequence, of at most 64 units; empty where they
            were not asked for.
    """

    mean: float
    open: float
    shut: float
    strip: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Gates(Result):
    """The gates of one layer in one direction over a batch.

    Attributes:
        layer: its name in the module.
        cell: its name, such as "gru".
        gates: by name, as in `unrolled.layers.Direction.gates`; an RNN has its "candidate" alone.
        time_constant: for each unit how many steps it takes to forget all but 1/e of what it holds,
            ``-1 / ln(f)`` with the geometric mean f of its forget gate (of a GRU: its update gate); rising.
            None for an RNN, and for a cell that is not fused, of whose gates only what enters them is known.
        saturated: the share of the candidate's values where tanh or the logistic function is flat (a slope
            below a tenth of the steepest); None for ReLU and the identity.
        dead: the share of ReLU units that are 0 at every step of every row; None for others.
    """

    layer: str
    cell: str
    gates: Mapping[str, GateUse]
    time_constant: tuple[float, ...] | None
    saturated: float | None
    dead: float | None


_SHOWN = 64
_OPEN, _SHUT = 0.9, 0.1
# Where the slope is a tenth of the steepest: 1 - h^2 = 0.1 of tanh, h (1 - h) = 0.1 / 4 of the logistic.
_FLAT = {"tanh": (-(0.9**0.5), 0.9**0.5), "sigmoid": (0.5 - 0.225**0.5, 0.5 + 0.225**0.5)}


def gate_use(module: nn.Module, run: Callable[[], object]) -> tuple[Gates, ...]:
    """Look at the gates of every recurrent layer over a batch; steps past a row's end do not count.

    Args:
        module: holds recurrent layers, in the mode in which it shall be measured.
        run: one forward pass of it.

    Example:
        >>> from unrolled.layers import LSTM
        >>> layer = LSTM(2, 4, forget_bias=100.0)
        >>> (found,) = gate_use(layer, lambda: layer(torch.randn(5, 3, 2)))
        >>> found.gates["forget_gate"].open, found.time_constant[0]
        (1.0, inf)

    Raises:
        ConfigError: the module has no recurrent layer.
    """
    return tuple(use_of(each) for each in captured(module, run) if each.order(0))


def use_of(recurrence: Recurrence, *, strips: bool = True) -> Gates:
    """What the gates of one recurrence did, which has a step at least in its first row.

    Args:
        recurrence: as it ran.
        strips: keep the values along the first row.
    """
    layer = recurrence.layer
    every = recurrence.gates
    real = real_steps(recurrence.scan.lengths, len(every))
    known = every.flatten(0, 1) if real is None else every[real.squeeze(-1)]
    gates = len(layer.gate_names)
    values = dict(zip(layer.gate_names, known.chunk(gates, -1), strict=True))
    along = sorted(recurrence.order(0)) if strips else []
    activations = _activations(layer)
    # What is written: the candidate, or whatever the cell calls what its gates act on.
    written = (
        ["candidate"]
        if "candidate" in values
        else [name for name in values if activations[name] != "sigmoid"]
    )
    activation = activations[written[0]] if written else ""
    same = [values[name] for name in written if activations[name] == activation]
    candidate = torch.cat(same, -1) if same else None
    kept = values[layer.keep_gate] if layer.keep_gate is not None and layer.has_program else None
    return Gates(
        layer=recurrence.name,
        cell=layer.cell,
        gates={
            name: _gate(each, strip, activations[name])
            for (name, each), strip in zip(values.items(), every[along, 0].chunk(gates, -1), strict=True)
        },
        time_constant=None if kept is None else _time_constants(kept),
        saturated=None
        if candidate is None or activation not in _FLAT
        else _share_outside(candidate, *_FLAT[activation]),
        dead=None if candidate is None or activation != "relu" else _share((candidate == 0).all(0)),
    )


def _activations(layer: RecurrentLayer) -> dict[str, str]:
    """What makes each gate's value of the sum that enters it; nothing known of one that is the sum itself."""
    if not layer.has_program:
        return dict.fromkeys(layer.gate_names, "")
    program = layer.program
    operations = (program.instructions[at].op for at in program.gate_values)
    return dict(zip(program.gates, operations, strict=True))


def _gate(values: Tensor, strip: Tensor, activation: str) -> GateUse:
    shut = values < (_SHUT if activation == "sigmoid" else -_OPEN)
    return GateUse(
        mean=float(values.mean()),
        open=_share(values > _OPEN),
        shut=_share(shut),
        strip=tuple(tuple(row) for row in strip[:, :_SHOWN].tolist()),
    )


def _time_constants(kept: Tensor) -> tuple[float, ...]:
    logs = kept.double().clamp_min(torch.finfo(kept.dtype).tiny).log().mean(0)
    return tuple((-1 / logs.clamp_max(0)).abs().sort().values.tolist())


def _share_outside(values: Tensor, low: float, high: float) -> float:
    return _share((values < low) | (values > high))


def _share(of: Tensor) -> float:
    return int(of.sum()) / max(1, of.numel())
