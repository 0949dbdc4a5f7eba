"""Networks made by hand: their rates, their gates, what is dead or shut in them are known to the digit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import unrolled
from unrolled.diagnosis import Verdict, conclude, gate_use, watch, weight_faults

STEPS, ROWS, INPUTS, SIZE = 101, 8, 4, 16
_EXACT = torch.float64


class Constructed(NamedTuple):
    """A layer, the steps whose outputs the loss is of, and the verdicts that are right."""

    name: str
    make: Callable[[], Any]
    right: tuple[str, ...]
    loss: str = "last"
    scale: float = 0.1


def verdict_of(case: Constructed) -> Verdict:
    """The verdict on the layer alone: nothing is known of a task."""
    torch.manual_seed(0)
    layer = case.make()
    inputs = case.scale * torch.randn(STEPS, ROWS, INPUTS, dtype=next(layer.parameters()).dtype)
    with watch(layer) as watched:
        _loss(layer(inputs)[0], case.loss).backward()
    flows = watched.flows()
    gates = gate_use(layer, lambda: layer(inputs))
    return conclude({flow.layer: flow.decay for flow in flows}, gates=gates, faults=weight_faults(layer))


def _loss(output: Tensor, which: str) -> Tensor:
    """Of the last outputs; of all; or of the last of the forward and the first of the backward direction."""
    target = torch.randn(output.shape, generator=torch.Generator().manual_seed(1)).to(output)
    if which == "each":
        return (output * target).sum()
    if which == "last":
        return (output[-1] * target[-1]).sum()
    half = output.shape[-1] // 2
    return (output[-1, :, :half] * target[-1, :, :half]).sum() + (
        output[0, :, half:] * target[0, :, half:]
    ).sum()


def constructed() -> Iterator[Constructed]:
    """All of them."""
    eye = torch.eye(SIZE, dtype=_EXACT)
    for rate, kind in ((0.3, "vanishing"), (0.5, "vanishing"), (0.95, "vanishing"), (0.99, "healthy")):
        yield Constructed(f"rotation times {rate}", lambda rate=rate: _rnn(rate * _rotation()), (kind,))
    yield Constructed("rotation", lambda: _rnn(_rotation()), ("healthy",))
    yield Constructed("rotation times 1.1", lambda: _rnn(1.1 * _rotation()), ("exploding",))
    yield Constructed(
        "rotation times 1.1, each step", lambda: _rnn(1.1 * _rotation()), ("exploding",), "each"
    )
    yield Constructed(
        "rotation times 0.9, each step", lambda: _rnn(0.9 * _rotation()), ("vanishing",), "each"
    )
    yield Constructed("identity, ReLU", lambda: _rnn(eye, "relu"), ("healthy",))
    yield Constructed("logistic units", lambda: _rnn(_rotation(), "sigmoid"), ("vanishing",))
    saturated = ("vanishing", "saturated or dead")
    yield Constructed("driven to saturation", lambda: _rnn(1.1 * _rotation(), "tanh"), saturated, scale=50.0)
    yield Constructed("dead ReLU", lambda: _rnn(eye, "relu", bias=-50.0), ("saturated or dead",))
    half = torch.diag(torch.tensor([0.1] * 8 + [0.99] * 8, dtype=_EXACT))
    yield Constructed("half the units", lambda: _rnn(half), ("healthy",))
    yield Constructed("LSTM, forget gate open", lambda: _lstm(5.0), ("healthy",))
    yield Constructed("LSTM, forget gate open, each step", lambda: _lstm(5.0), ("healthy",), "each")
    yield Constructed("LSTM, forget gate shut", lambda: _lstm(-5.0), ("vanishing",))
    yield Constructed("LSTM, forget gate half open", lambda: _lstm(0.0), ("vanishing",))
    yield Constructed("LSTM, input gate shut", lambda: _lstm(5.0, read=-20.0), ("saturated or dead",))
    yield Constructed("LSTM, output gate shut", lambda: _lstm(5.0, told=-20.0), ("saturated or dead",))
    yield Constructed("LSTM in float32, forget gate shut", lambda: _lstm(-5.0).float(), ("vanishing",))
    yield Constructed("GRU that keeps", lambda: _gru(5.0), ("healthy",))
    yield Constructed("GRU that forgets", lambda: _gru(-10.0), ("vanishing",))
    yield Constructed("GRU that reads nothing", lambda: _gru(20.0), ("saturated or dead",))
    yield Constructed("one direction forgets", lambda: _both(0.5 * eye, _rotation()), ("vanishing",), "ends")
    yield Constructed("both directions keep", lambda: _both(_rotation(), _rotation()), ("healthy",), "ends")
    yield Constructed("one layer keeps", lambda: _two(0.5 * eye, _rotation()), ("healthy",))
    yield Constructed("one layer explodes", lambda: _two(1.1 * _rotation(), 0.3 * eye), ("exploding",))
    yield Constructed("no layer keeps", lambda: _two(0.5 * eye, 0.6 * eye), ("vanishing",))
    yield Constructed("a weight is NaN", _broken, ("cannot be measured",))


def _rotation() -> Tensor:
    return torch.linalg.qr(torch.randn(SIZE, SIZE, dtype=_EXACT)).Q


def _rnn(weight: Tensor, activation: Any = "identity", bias: float = 0.0) -> unrolled.RNN:
    layer = unrolled.RNN(INPUTS, SIZE, nonlinearity=activation, dtype=_EXACT)
    with torch.no_grad():
        layer.weight_hh_l0.copy_(weight)
        layer.bias_ih_l0.fill_(bias)
        layer.bias_hh_l0.zero_()
        if activation == "relu" and not bias:
            layer.weight_ih_l0.abs_()
            layer.bias_ih_l0.fill_(0.5)
    return layer


def _lstm(forget: float, read: float = 0.0, told: float = 0.0) -> unrolled.LSTM:
    layer = unrolled.LSTM(INPUTS, SIZE, dtype=_EXACT)
    with torch.no_grad():
        layer.weight_hh_l0.zero_()
        layer.weight_ih_l0.mul_(0.1)
        layer.bias_hh_l0.zero_()
        layer.bias_ih_l0.zero_()
        layer.bias_ih_l0[:SIZE], layer.bias_ih_l0[SIZE : 2 * SIZE] = read, forget
        layer.bias_ih_l0[3 * SIZE :] = told
    return layer


def _gru(keep: float) -> unrolled.GRU:
    layer = unrolled.GRU(INPUTS, SIZE, dtype=_EXACT)
    with torch.no_grad():
        layer.weight_hh_l0.mul_(0.1)
        layer.bias_hh_l0.zero_()
        layer.bias_ih_l0.zero_()
        layer.bias_ih_l0[SIZE : 2 * SIZE] = keep
    return layer


def _both(forwards: Tensor, backwards: Tensor) -> unrolled.RNN:
    layer = unrolled.RNN(INPUTS, SIZE, nonlinearity="identity", bidirectional=True, dtype=_EXACT)
    with torch.no_grad():
        layer.weight_hh_l0.copy_(forwards)
        layer.weight_hh_l0_reverse.copy_(backwards)
    return layer


def _two(lower: Tensor, upper: Tensor) -> unrolled.RNN:
    layer = unrolled.RNN(INPUTS, SIZE, num_layers=2, nonlinearity="identity", dtype=_EXACT)
    with torch.no_grad():
        layer.weight_hh_l0.copy_(lower)
        layer.weight_hh_l1.copy_(upper)
    return layer


def _broken() -> nn.Module:
    layer = _rnn(_rotation())
    with torch.no_grad():
        layer.weight_hh_l0[0, 0] = float("nan")
    return layer
