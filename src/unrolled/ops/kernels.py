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

from unrolled.ops.cells.run import run_cell
from unrolled.ops.direct import unobserved
from unrolled.ops.kernel_pass import CONSTANTS, KernelPass, as_program, make_pass, tensors_of
from unrolled.ops.native import in_use
from unrolled.ops.native.cell import Kept, backward, covered, forward
from unrolled.ops.torch_private import batched_gradient


def run_kernel(*passes: KernelPass) -> tuple[Tensor, ...]:
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
        return _by_program(*passes)
    if not torch.is_grad_enabled():
        return forward(passes, keep=False)[0]
    return _apply(passes, *tensors)


def _by_program(*passes: KernelPass) -> tuple[Tensor, ...]:
    """The same by its program, which torch can transform, trace and differentiate as often as one likes."""
    ran = [run_cell(given.program, *as_program(given), given.listen) for given in passes]
    hidden = [each.states[0] for each in ran]
    ends = [state.unsqueeze(0) for each in ran for state in each.final]
    return hidden[0] if len(passes) == 1 else torch.cat(hidden, -1), *ends


class _Kernel(torch.autograd.Function):
    # Given passes, and the tensors of each once more, for autograd to see.
    # With a `setup_context` of its own, torch would bind the arguments to the signature at every call.
    @staticmethod
    def forward(ctx: Any, passes: Sequence[KernelPass], *tensors: Tensor | None) -> tuple[Tensor, ...]:
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
        if torch.is_grad_enabled() or any(map(batched_gradient, arrived)):
            over = _backward_by_program(passes, grads, needed)
        else:
            over = backward(passes, kept, ctx.layout, grads, needed)
        found: list[Tensor | None] = [None]
        for own in over:
            found += own
            found += [None] * (each - len(own))
        return tuple(found)


_KEPT = len(Kept._fields)
# Past what `Function.apply` does for functorch, in Python for every argument: where nothing is transformed.
_apply = super(torch.autograd.Function, _Kernel).apply  # type: ignore[misc]


def _backward_by_program(
    passes: Sequence[KernelPass], grads: Sequence[Tensor | None], needed: Sequence[Sequence[bool]]
) -> list[list[Tensor | None]]:
    with torch.enable_grad():
        results = _by_program(*passes)
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
