"""torch's own recurrences over a whole stack of layers at once, which a GPU computes with cuDNN.

They know the plain cells only, and nothing of what happens at a step. cuDNN has no double backward; within
``torch.backends.cudnn.flags(enabled=False)`` the operators of `unrolled.ops` run, which have.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from unrolled.layers.engines.engine import Engine, Pass, Result
from unrolled.layers.sequences import Arranged, check_type
from unrolled.layers.state import State, map_state, reset_rows
from unrolled.ops.deterministic_rows import are_deterministic_rows_enabled
from unrolled.ops.torch_private import transforms_active

if TYPE_CHECKING:
    from unrolled.layers.stack import RecurrentLayer

_TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def obstacle(layer: RecurrentLayer) -> str | None:
    """Why torch's own recurrences do not compute a layer, as a clause; None where they do.

    An option that acts in training only is no obstacle in evaluation.
    """
    activation = layer.nonlinearity
    reasons = {
        f"the cell {layer.cell}": layer.cell not in ("rnn", "gru", "lstm"),
        "layer normalisation": layer.layer_norm,
        "peepholes": layer.peepholes,
        "zoneout": any(layer.zoneout),
        "recurrent dropout": layer.training and layer.recurrent_dropout > 0,
        "weight drop": layer.training and layer.weight_drop > 0,
        "noise on the state": layer.training and layer.state_noise > 0,
        "the same dropout at every step": layer.training and layer.variational_dropout and layer.dropout > 0,
        "clipping at every step": bool(layer.clip_step),
        "layers of different widths": len(set(layer.hidden_sizes)) > 1,
        f"the activation {activation}": activation not in ("tanh", "relu"),
        "observers of every step": bool(layer.observers or layer.listeners),
    }
    lacking = [name for name, holds in reasons.items() if holds]
    if lacking:
        return f"cuDNN has no {', no '.join(lacking)}"
    dtype = layer._weight("weight_hh", "_l0").dtype
    return None if dtype in _TYPES else f"cuDNN has no {dtype}"


def _offer(given: Pass) -> str | Callable[[], Result]:
    layer = given.layer
    if not on_gpu(layer):
        return "cuDNN is for GPUs"
    if not available():
        return "cuDNN is not there, or switched off"
    if are_deterministic_rows_enabled():
        return "its rows depend on those beside them"
    if given.unrolled or given.arranged.resets is not None:
        return "cuDNN gives no single steps and knows no resets"
    if torch.compiler.is_compiling() or transforms_active():
        return "somebody looks on whom cuDNN does not know"
    return obstacle(layer) or partial(_run, layer, given.arranged, given.state)


ENGINE = Engine(
    name=lambda: "cuDNN",
    why=lambda: "a plain cell on a GPU; single steps, as unroll gives them, run in plain torch",
    offer=_offer,
)


def on_gpu(layer: RecurrentLayer) -> bool:
    """Whether a layer's weights lie where cuDNN could run."""
    return layer._weight("weight_hh", "_l0").is_cuda


def available() -> bool:
    """Whether cuDNN is there and switched on."""
    return torch.backends.cudnn.is_available() and torch.backends.cudnn.enabled


def _run(layer: RecurrentLayer, arranged: Arranged, state: State | None) -> Result:
    check_type(arranged.values, layer._weight("weight_ih", "_l0"))
    values, lengths, rows = arranged.without_padding(), arranged.lengths, arranged.values.shape[1]
    if state is None:
        state = layer.initial_state(rows)
    layer._layout.split(state, rows)  # refuses what does not fit
    if lengths is None:
        return Result(*_call(layer, (values,), state, batch_first=(False,)))
    # cuDNN has no rows without a step: they take one, and it is put right afterwards.
    packed = pack_padded_sequence(values, lengths.cpu().clamp(min=1), enforce_sorted=False)
    order, back = packed.sorted_indices, packed.unsorted_indices
    assert order is not None
    assert back is not None
    ordered = map_state(lambda part: part.index_select(1, order), state)
    data, after = _call(layer, (packed.data, packed.batch_sizes), ordered)
    output, _ = pad_packed_sequence(packed._replace(data=data), total_length=len(values))
    after = map_state(lambda part: part.index_select(1, back), after)
    none = lengths == 0
    return Result(output.masked_fill(none[None, :, None], 0.0), reset_rows(after, none, state))


def _call(
    layer: RecurrentLayer, given: tuple[Tensor, ...], state: State, batch_first: tuple[bool, ...] = ()
) -> tuple[Tensor, State]:
    function = getattr(torch, _name(layer))
    results: Any = function(
        *given,
        map_state(Tensor.contiguous, state),  # cuDNN refuses a learned one that is expanded
        _weights(layer),
        layer.bias,
        layer.num_layers,
        layer.dropout,
        layer.training,
        layer.bidirectional,
        *batch_first,
    )
    output, *after = results
    return output, tuple(after) if len(after) > 1 else after[0]


def lay_out(layer: RecurrentLayer) -> None:
    """Join the weights to one piece of memory, where they are used so; apart, every call would copy them."""
    if not (on_gpu(layer) and available() and obstacle(layer) is None):
        return
    from torch.backends.cudnn.rnn import get_cudnn_mode

    weights = _weights(layer)
    # Weights that are shared, or computed of others, cannot lie one after the other.
    ordinary = all(isinstance(weight, torch.nn.Parameter) for weight in weights)
    if not ordinary or len({weight.data_ptr() for weight in weights}) < len(weights):
        return
    with torch.cuda.device_of(weights[0]), torch.no_grad():
        torch.ops.aten._cudnn_rnn_flatten_weight(
            weights,
            len(weights) // len(layer._suffixes),
            layer.input_size,
            get_cudnn_mode(_name(layer).upper()),
            layer.hidden_sizes[0],
            layer.proj_size,
            layer.num_layers,
            False,
            layer.bidirectional,
        )


def _name(layer: RecurrentLayer) -> str:
    """Of torch's function: lstm, gru, rnn_tanh or rnn_relu."""
    return f"rnn_{layer.nonlinearity}" if layer.cell == "rnn" else layer.cell


def _weights(layer: RecurrentLayer) -> list[Tensor]:
    return [
        layer._weight(name, suffix)
        for index, suffix in enumerate(layer._suffixes)
        for name in layer._torch_shapes(index // layer._directions)
    ]
