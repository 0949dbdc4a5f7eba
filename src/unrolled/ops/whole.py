"""A cell from its input to its states, and from their gradient to every other, in one call each way.

What `unrolled.ops` splits into a product over all steps, an operator and their gradients is here one
`autograd.Function` over `unrolled.ops.native.cell`: on a short sequence torch's machinery around each of
these parts takes longer than the parts, and on a long one what is handed from one to the next is written to
memory and read again.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_legacy_batchedtensor

from unrolled.ops.cell_pass import OPTIONS, TENSORS, Pass
from unrolled.ops.direct import unobserved
from unrolled.ops.gru import gru
from unrolled.ops.inputs import project_input
from unrolled.ops.listening import listening_probe
from unrolled.ops.lstm import lstm
from unrolled.ops.native import in_use
from unrolled.ops.native.cell import Kept, backward, covered, forward, has_options
from unrolled.ops.rnn import rnn
from unrolled.ops.scan import real_steps, zero_padding


def run_whole(given: Pass) -> tuple[Tensor, ...]:
    """Run a cell over all steps.

    Returns:
        All h ``(T, B, H)``, zero past each row's end, and the state at each row's end, ``(1, B, H)`` each.
    """
    options = has_options(given)
    tensors = given[TENSORS:] if options else given[TENSORS:OPTIONS]
    if not (unobserved(given.values, tensors) and in_use() and covered(given, options)):
        return _in_pieces(given)
    if not torch.is_grad_enabled():
        return forward(given, options, keep=False)[0]
    last = len(tensors)
    while tensors[last - 1] is None:
        last -= 1
    return _apply(given, *tensors[:last])


def _in_pieces(given: Pass) -> tuple[Tensor, ...]:
    """The same by the operators, which torch can transform, trace and differentiate as often as one likes."""
    values, lengths = given.values, given.lengths
    steps, rows, _ = values.shape
    gates_x = project_input(
        zero_padding(values, real_steps(lengths, steps)),
        given.weight_ih,
        given.bias_ih,
        given.norm_ih_gain,
        given.cell,
    )
    nothing = gates_x.new_zeros(rows, given.weight_hh.shape[1])
    h_0 = nothing if given.h_0 is None else given.h_0
    named = ("weight_hh", "bias_hh", "norm_hh_gain", "hidden_mask", "lengths", "reverse", "clip_step")
    options: dict[str, Any] = {name: getattr(given, name) for name in named}
    heard = None
    if given.listen is not None:
        heard = listening_probe(given.listen, h_0, (steps, *h_0.shape))
    if given.cell == "rnn":
        options |= {"activation": given.activation, "zoneout": given.zoneout_h, "probe": heard}
        hidden, *last, _ = rnn(gates_x, h_0, **options)
        return hidden, *_as_layers(last)
    if given.cell == "gru":
        hidden, *last, _, _ = gru(gates_x, h_0, zoneout=given.zoneout_h, probe=heard, **options)
        return hidden, *_as_layers(last)
    own = ("norm_cell_gain", "norm_cell_bias", "peephole", "zoneout_h", "zoneout_c")
    options |= {name: getattr(given, name) for name in own}
    c_0 = nothing if given.c_0 is None else given.c_0
    hidden, _, *last, _ = lstm(gates_x, h_0, c_0, probe_h=heard, **options)
    return hidden, *_as_layers(last)


def _as_layers(states: Sequence[Tensor]) -> list[Tensor]:
    return [state.unsqueeze(0) for state in states]


class _Whole(torch.autograd.Function):
    # Given a pass, and its tensors once more up to the last that is there, for autograd to see.
    # With a `setup_context` of its own, torch would bind the arguments to the signature at every call.
    @staticmethod
    def forward(ctx: Any, given: Pass, *tensors: Tensor | None) -> tuple[Tensor, ...]:
        results, kept, layout = forward(given, has_options(given), keep=True)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors, *kept)
        ctx.constants, ctx.layout, ctx.count = given[:TENSORS], layout, len(tensors)
        return results

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        count: int = ctx.count
        arrived = [grad for grad in grads if grad is not None]
        if not arrived:
            return (None,) * (1 + count)
        saved = ctx.saved_tensors
        given, needed = Pass(*ctx.constants, *saved[:count]), Pass(*_CONSTANT, *ctx.needs_input_grad[1:])
        # With `is_grads_batched` the gradients are of a kind that only torch's own functions know.
        if torch.is_grad_enabled() or any(map(is_legacy_batchedtensor, arrived)):
            over = _backward_in_pieces(given, grads, needed)
        else:
            over = backward(given, Kept(*saved[count:]), ctx.layout, grads, needed)
        return None, *over[:count]


_CONSTANT: Any = (False,) * TENSORS
# Past what `Function.apply` does for functorch, in Python for every argument: where nothing is transformed.
_apply = super(torch.autograd.Function, _Whole).apply  # type: ignore[misc]


def _backward_in_pieces(
    given: Pass, grads: Sequence[Tensor | None], needed: Pass
) -> tuple[Tensor | None, ...]:
    with torch.enable_grad():
        results = _in_pieces(given)
    arrived = [(result, grad) for result, grad in zip(results, grads, strict=True) if grad is not None]
    receivers = [index for index, wanted in enumerate(needed) if wanted and given[index] is not None]
    inputs: list[Any] = [given[index] for index in receivers]
    gradients = torch.autograd.grad(
        [result for result, _ in arrived],
        inputs,
        [grad for _, grad in arrived],
        create_graph=torch.is_grad_enabled(),
        allow_unused=True,
    )
    found: list[Tensor | None] = [None] * len(given)
    for index, gradient in zip(receivers, gradients, strict=True):
        found[index] = gradient
    return tuple(found[TENSORS:])
