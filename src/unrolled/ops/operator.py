"""From two plain-torch functions, a recurrence and its gradient, to two torch operators.

Each recurrence is one operator and its backward another, so that a faster implementation can be registered
for either on any device (``operator.register_kernel("cpu")``) and everything above stays as it is. What
torch needs to know beside the computation is the same for all cells and stands here:

- autograd: the forward operator's gradient is the backward operator;
- double backward: the backward operator is differentiated by replaying its plain-torch implementation. It
  reads the forward's results (states, gates) rather than the forward's input, so gradients with respect to
  those results come back too and flow through the forward operator once more: nothing has to be kept for a
  second derivative;
- vmap of a gradient (``is_grads_batched``): one call for each element of the mapped dimension, results
  stacked;
- autocast: a recurrence accumulates over time, so it runs in float32 inside an autocast region.

Operators defined from Python cannot be differentiated by `torch.func` (torch 2.13), so
`callable_under_func` runs the reference there, which composes with every transform.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor

Operator = Any
"""What `torch.library.custom_op` returns; its class has no public name."""
Plain = Callable[..., tuple[Tensor, ...]]
P = ParamSpec("P")
R = TypeVar("R")


def recurrence_operators(
    name: str, forward: Plain, backward: Plain, saved: Sequence[int], differentiable: Sequence[str]
) -> tuple[Operator, Operator]:
    """Register ``unrolled::{name}`` and ``unrolled::{name}_backward``.

    Args:
        name: the operator's name.
        forward: the reference; its first parameter is ``gates_x``, the only tensor the backward does not
            read.
        backward: takes the gradient of every result of ``forward`` (None where there is none), then the saved
            results, then every parameter of ``forward`` but the first; returns one gradient for each name in
            ``differentiable``, an empty tensor for an option that was not given.
        saved: the positions of the results of ``forward`` that ``backward`` reads.
        differentiable: the parameters of ``forward`` that receive gradients; all others are constants.
    """
    operator = torch.library.custom_op(f"unrolled::{name}", _without_autograd(forward), mutates_args=())
    backward_operator = torch.library.custom_op(
        f"unrolled::{name}_backward", _without_autograd(backward), mutates_args=()
    )
    parameters = list(inspect.signature(forward).parameters)

    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        # Gradients of unused results stay None: zeros for the gates of every step would cost a pass.
        ctx.set_materialize_grads(False)
        _save(ctx, [*(output[position] for position in saved), *inputs[1:]])
        ctx.present = dict(zip(parameters, (value is not None for value in inputs), strict=True))

    def differentiate(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        if all(grad is None for grad in grads):
            return (None,) * len(parameters)
        found = dict(zip(differentiable, backward_operator(*grads, *_restore(ctx)), strict=True))
        return tuple(found.get(name) if ctx.present[name] else None for name in parameters)

    operator.register_autograd(differentiate, setup_context=setup_context)
    _differentiate_by_replay(backward_operator, backward)
    for each in (operator, backward_operator):
        _batch_by_loop(each)
        for device in ("cpu", "cuda"):
            each.register_autocast(device, torch.float32)
    return operator, backward_operator


def callable_under_func(operator: Operator, reference: Callable[P, R]) -> Callable[P, R]:
    """``operator`` with the signature of ``reference``; inside `torch.func` transforms the latter itself."""

    @functools.wraps(reference)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if torch._C._are_functorch_transforms_active():
            return reference(*args, **kwargs)
        return operator(*args, **kwargs)

    return call


def shaped_like(device_of: Tensor, *tensors: Tensor | None) -> tuple[Tensor, ...]:
    """Contiguous tensors of the given shapes, empty for each None: what a fake backward returns."""
    return tuple(
        device_of.new_empty(0) if tensor is None else tensor.new_empty(tensor.shape) for tensor in tensors
    )


def _without_autograd(plain: Plain) -> Plain:
    @functools.wraps(plain)
    def run(*args: Any) -> tuple[Tensor, ...]:
        with torch.no_grad():
            return plain(*args)

    return run


def _save(ctx: Any, values: Sequence[Any]) -> None:
    ctx.save_for_backward(*(value for value in values if isinstance(value, Tensor)))
    ctx.constants = [None if isinstance(value, Tensor) else (value,) for value in values]


def _restore(ctx: Any) -> list[Any]:
    tensors = iter(ctx.saved_tensors)
    return [next(tensors) if constant is None else constant[0] for constant in ctx.constants]


def _differentiate_by_replay(operator: Operator, plain: Plain) -> None:
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        _save(ctx, inputs)

    def differentiate(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        values = _restore(ctx)
        wanted = [index for index, needed in enumerate(ctx.needs_input_grad) if needed]

        def replay(*tensors: Tensor) -> tuple[Tensor, ...]:
            arguments = list(values)
            for index, tensor in zip(wanted, tensors, strict=True):
                arguments[index] = tensor
            return plain(*arguments)

        pull_back = torch.func.vjp(replay, *(values[index] for index in wanted))[1]
        found = dict(zip(wanted, pull_back(grads), strict=True))
        return tuple(found.get(index) for index in range(len(values)))

    operator.register_autograd(differentiate, setup_context=setup_context)


def _batch_by_loop(operator: Operator) -> None:
    def batch(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> tuple[tuple[Tensor, ...], Any]:
        def one(index: int) -> tuple[Tensor, ...]:
            chosen = (
                arg if dim is None else arg.select(dim, index) for arg, dim in zip(args, in_dims, strict=True)
            )
            return operator(*chosen)

        results = [one(index) for index in range(info.batch_size)]
        stacked = tuple(torch.stack(parts) for parts in zip(*results, strict=True))
        return stacked, (0,) * len(stacked)

    operator.register_vmap(batch)
