"""A recurrent layer in an exported program (`torch.export`): one operator, ``unrolled::recurrent``.

The program then says what is computed and not how, holds for any number of steps and rows, and loads wherever
``unrolled`` is imported. What the operator becomes in an ONNX file stands in `unrolled.layers.onnx_nodes`.

Legend: ``T`` steps, ``B`` rows, ``I`` features of the input.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.func import functional_call

from unrolled.errors import ConfigError
from unrolled.layers.engines.engine import Engine, Pass, Result
from unrolled.layers.state import State, map_state, state_tensors

if TYPE_CHECKING:
    from unrolled.layers.stack import RecurrentLayer


def _offer(given: Pass) -> str | Callable[[], Result]:
    layer = given.layer
    if not torch.compiler.is_exporting():
        return "nobody exports it"
    if layer.training or layer.observers or layer.listeners or given.unrolled:
        return "in training it draws masks, and is exported step by step"
    return partial(_run, given)


ENGINE = Engine(
    name=lambda: "an operator of an exported program", why=lambda: "torch.export runs", offer=_offer
)


def _run(given: Pass) -> Result:
    """Put the operator into the program."""
    layer, arranged, state = given.layer, given.arranged, given.state
    rows = arranged.values.shape[1]
    if layer.proj_size and arranged.resets is not None:
        raise ConfigError(
            "an LSTM that projects its state cannot be exported with resets: expected proj_size=0 with them."
        )
    if state is not None:
        layer._layout.split(state, rows)  # refuses what does not fit
    before = layer.initial_state(rows) if state is None else state
    described = description(layer)
    parameters = [getattr(layer, name) for name in parameter_names(described)]
    output, *final = torch.ops.unrolled.recurrent(
        described, arranged.values, state_tensors(before), parameters, arranged.lengths, arranged.resets
    )
    return Result(output, nested(before, final))


def description(layer: RecurrentLayer) -> str:
    """What makes the same layer again, without its weights, as JSON."""
    own = layer.program.to_dict() if layer.cell not in ("rnn", "gru", "lstm") else layer.cell
    options = {
        "cell": own,
        "input_size": layer.input_size,
        "hidden_size": list(layer.hidden_sizes),
        "num_layers": layer.num_layers,
        "bias": layer.bias,
        "bidirectional": layer.bidirectional,
        "layer_norm": layer.layer_norm,
        "zoneout": list(layer.zoneout),
        "activation": layer.nonlinearity if layer.cell == "rnn" else None,
        "projection_size": layer.proj_size,
        "peepholes": layer.peepholes,
    }
    return json.dumps(options)


def described_layer(described: str) -> RecurrentLayer:
    """The layer of a description, in evaluation, without weights; one for each thread."""
    return _made(described, threading.get_ident())


@lru_cache(maxsize=128)
def _made(described: str, thread: int) -> RecurrentLayer:
    # In a thread of its own, where what traces this one does not see it.
    with ThreadPoolExecutor(1) as other:
        return other.submit(_build, described).result()


def _build(described: str) -> RecurrentLayer:
    from unrolled.layers.recurrent import build_recurrent

    options = json.loads(described)
    for name in ("hidden_size", "zoneout"):
        options[name] = tuple(options[name])
    return build_recurrent(**options, device="meta").eval()


@lru_cache(maxsize=128)
def parameter_names(described: str) -> tuple[str, ...]:
    """The parameters of a description's layer, in the operator's order."""
    return tuple(name for name, _ in described_layer(described).named_parameters())


def nested(like: State, tensors: Sequence[Tensor]) -> State:
    """Tensors in their order, nested as a state is."""
    rest: Iterator[Tensor] = iter(tensors)
    return map_state(lambda _: next(rest), like)


@lru_cache(maxsize=128)
def _template(described: str) -> State:
    with ThreadPoolExecutor(1) as other:  # as in `_made`
        return other.submit(lambda: _build(described).initial_state(1)).result()


def state_like(described: str, tensors: Sequence[Tensor]) -> State:
    """Tensors nested as the state of a description's layer is."""
    return nested(_template(described), tensors)


@torch.library.custom_op("unrolled::recurrent", mutates_args=())
def _recurrent(
    layer: str,
    values: Tensor,
    state: Sequence[Tensor],
    parameters: Sequence[Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
) -> list[Tensor]:
    """Run a layer.

    Args:
        layer: its description.
        values: ``(T, B, I)``.
        state: before the first step, the tensors of the layer's state in their order.
        parameters: in the order of `parameter_names`.
        lengths: ``(B,)`` int64, or None.
        resets: ``(T, B)`` bool, or None.

    Returns:
        The output, ``(T, B, width)``, and the state at each row's end.
    """
    output, final = _call(layer, values, state, parameters, lengths, resets)
    return [output.clone(), *(part.clone() for part in state_tensors(final))]  # an operator's are its own


def _call(
    described: str,
    values: Tensor,
    state: Sequence[Tensor],
    parameters: Sequence[Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
) -> tuple[Tensor, State]:
    layer = described_layer(described)
    named = dict(zip(parameter_names(described), parameters, strict=True))
    return functional_call(layer, named, (values, state_like(described, state), lengths, resets))


@_recurrent.register_fake
def fake_recurrent(
    layer: str,
    values: Tensor,
    state: Sequence[Tensor],
    parameters: Sequence[Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
) -> list[Tensor]:
    """Tensors like the results."""
    made = described_layer(layer)
    width = made._state_sizes(made.num_layers - 1)[made.state_names[0]] * made._directions
    output = values.new_empty(*values.shape[:2], width)
    return [output, *(part.new_empty(part.shape) for part in state)]


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    described, values, state, parameters, lengths, resets = inputs
    ctx.save_for_backward(values, lengths, resets, *state, *parameters)
    ctx.described, ctx.count = described, len(state)


def _differentiate(ctx: Any, grads: Sequence[Tensor | None]) -> Any:
    values, lengths, resets, *rest = ctx.saved_tensors
    with torch.enable_grad():
        given = [tensor.detach().requires_grad_() for tensor in (values, *rest)]
        state, parameters = given[1 : 1 + ctx.count], given[1 + ctx.count :]
        output, final = _call(ctx.described, given[0], state, parameters, lengths, resets)
    arrived = [
        (result, grad)
        for result, grad in zip((output, *state_tensors(final)), grads, strict=True)
        if grad is not None and result.requires_grad
    ]
    results, over = zip(*arrived, strict=True)
    found = torch.autograd.grad(results, given, over, allow_unused=True)
    return None, found[0], list(found[1 : 1 + ctx.count]), list(found[1 + ctx.count :]), None, None


_recurrent.register_autograd(_differentiate, setup_context=_setup_context)
