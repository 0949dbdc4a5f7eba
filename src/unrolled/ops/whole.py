"""A cell from its input to its states, and from their gradient to every other, in one call each way.

What `unrolled.ops` splits into a product over all steps, an operator and their gradients is here one
`autograd.Function` over `unrolled.ops.native.cell`: on a short sequence torch's machinery around each of
these parts takes longer than the parts, and on a long one what is handed from one to the next is written to
memory and read again.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_legacy_batchedtensor

from unrolled.ops.cell_pass import CONSTANTS, NO_OPTIONS, Pass, make_pass, tensors_of
from unrolled.ops.direct import unobserved
from unrolled.ops.gru import gru
from unrolled.ops.inputs import NORM_GROUPS, project_input
from unrolled.ops.listening import listening_probe
from unrolled.ops.lstm import lstm
from unrolled.ops.native import in_use
from unrolled.ops.native.cell import Kept, backward, covered, forward
from unrolled.ops.rnn import rnn
from unrolled.ops.scan import real_steps, zero_padding


def run_whole(*passes: Pass) -> tuple[Tensor, ...]:
    """Run a cell over all steps, in one direction or in both.

    Args:
        passes: of each direction; they read the same input, with the same lengths, and have options or not.

    Returns:
        All h ``(T, B, H)``, zero past each row's end, those of both directions side by side; and the state
        at each row's end, ``(1, B, H)`` each, of one direction after the other.
    """
    tensors = tensors_of(passes[0])
    for given in passes[1:]:
        tensors += tensors_of(given)
    if not (unobserved(passes[0].values, tensors) and in_use() and covered(passes)):
        return _in_pieces(*passes)
    if not torch.is_grad_enabled():
        return forward(passes, keep=False)[0]
    return _apply(passes, *tensors)


def _in_pieces(*passes: Pass) -> tuple[Tensor, ...]:
    """The same by the operators, which torch can transform, trace and differentiate as often as one likes."""
    hidden, ends = zip(*map(_one_in_pieces, passes), strict=True)
    return hidden[0] if len(passes) == 1 else torch.cat(hidden, -1), *itertools.chain(*ends)


def _one_in_pieces(given: Pass) -> tuple[Tensor, Sequence[Tensor]]:
    """All h of one direction, and the states at its end."""
    values, lengths = given.values, given.lengths
    steps, rows, _ = values.shape
    special = given.options or NO_OPTIONS
    gates_x = project_input(
        zero_padding(values, real_steps(lengths, steps)),
        given.weight_ih,
        given.bias_ih,
        special.norm_ih_gain,
        NORM_GROUPS[given.cell],
    )
    nothing = gates_x.new_zeros(rows, given.weight_hh.shape[1])
    h_0 = nothing if given.h_0 is None else given.h_0
    named = ("weight_hh", "bias_hh", "lengths", "reverse", "clip_step")
    options: dict[str, Any] = {name: getattr(given, name) for name in named}
    options |= {"norm_hh_gain": special.norm_hh_gain, "hidden_mask": special.hidden_mask}
    heard = None
    if given.listen is not None:
        heard = listening_probe(given.listen, h_0, (steps, *h_0.shape))
    if given.cell == "rnn":
        options |= {"activation": given.activation, "zoneout": special.zoneout_h, "probe": heard}
        hidden, *last, _ = rnn(gates_x, h_0, **options)
        return hidden, _as_layers(last)
    if given.cell == "gru":
        hidden, *last, _, _ = gru(gates_x, h_0, zoneout=special.zoneout_h, probe=heard, **options)
        return hidden, _as_layers(last)
    own = ("norm_cell_gain", "norm_cell_bias", "peephole", "zoneout_h", "zoneout_c")
    options |= {name: getattr(special, name) for name in own}
    c_0 = nothing if given.c_0 is None else given.c_0
    hidden, _, *last, _ = lstm(gates_x, h_0, c_0, probe_h=heard, **options)
    return hidden, _as_layers(last)


def _as_layers(states: Sequence[Tensor]) -> list[Tensor]:
    return [state.unsqueeze(0) for state in states]


class _Whole(torch.autograd.Function):
    # Given passes, and the tensors of each once more, for autograd to see.
    # With a `setup_context` of its own, torch would bind the arguments to the signature at every call.
    @staticmethod
    def forward(ctx: Any, passes: Sequence[Pass], *tensors: Tensor | None) -> tuple[Tensor, ...]:
        results, kept, layout = forward(passes, keep=True)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors, *itertools.chain(*kept))
        ctx.constants, ctx.count = [given[:CONSTANTS] for given in passes], len(tensors)
        ctx.layout = layout
        return results

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        count: int = ctx.count
        arrived = [grad for grad in grads if grad is not None]
        if not arrived:
            return (None,) * (1 + count)
        saved, asked, constants = ctx.saved_tensors, ctx.needs_input_grad[1:], ctx.constants
        each, passes, needed, kept = count // len(constants), [], [], []
        for place, own in enumerate(constants):
            begin, end = place * each, (place + 1) * each
            passes.append(make_pass(own, saved[begin:end]))
            needed.append(asked[begin:end])
            kept.append(Kept(*saved[count + place * _KEPT : count + (place + 1) * _KEPT]))
        # With `is_grads_batched` the gradients are of a kind that only torch's own functions know.
        if torch.is_grad_enabled() or any(map(is_legacy_batchedtensor, arrived)):
            over = _backward_in_pieces(passes, grads, needed)
        else:
            over = backward(passes, kept, ctx.layout, grads, needed)
        found: list[Tensor | None] = [None]
        for own in over:
            found += own
            found += [None] * (each - len(own))
        return tuple(found)


_KEPT = len(Kept._fields)
# Past what `Function.apply` does for functorch, in Python for every argument: where nothing is transformed.
_apply = super(torch.autograd.Function, _Whole).apply  # type: ignore[misc]


def _backward_in_pieces(
    passes: Sequence[Pass], grads: Sequence[Tensor | None], needed: Sequence[Sequence[bool]]
) -> list[list[Tensor | None]]:
    with torch.enable_grad():
        results = _in_pieces(*passes)
    arrived = [(result, grad) for result, grad in zip(results, grads, strict=True) if grad is not None]
    given = [tensors_of(each) for each in passes]
    receivers = [
        (place, index)
        for place, wanted in enumerate(needed)
        for index, asked in enumerate(wanted)
        if asked and given[place][index] is not None and not (place and index == 0)
    ]
    inputs: list[Any] = [given[place][index] for place, index in receivers]
    gradients = torch.autograd.grad(
        [result for result, _ in arrived],
        inputs,
        [grad for _, grad in arrived],
        create_graph=torch.is_grad_enabled(),
        allow_unused=True,
    )
    found: list[list[Tensor | None]] = [[None] * len(own) for own in given]
    for (place, index), gradient in zip(receivers, gradients, strict=True):
        found[place][index] = gradient
    return found
