"""From two plain-torch functions, a recurrence and its gradient, to two torch operators.

Each recurrence is one operator and its backward another, so that a faster implementation can be registered
for either (`register_cpu_kernel`) and everything above stays as it is. What
torch needs to know beside the computation is the same for all cells and stands here:

- autograd: the forward operator's gradient is the backward operator;
- double backward: the backward operator is differentiated by replaying its plain-torch implementation. It
  reads the forward's results (states, gates) rather than the forward's input, so gradients with respect to
  those results come back too and flow through the forward operator once more: nothing has to be kept for a
  second derivative;
- vmap of a gradient (``is_grads_batched``): one call for each element of the mapped dimension, results
  stacked;
- autocast: a recurrence accumulates over time, so it runs in float32 inside an autocast region.

Operators defined from Python cannot be differentiated by `torch.func` (torch 2.13), so the reference runs
there, which composes with every transform. And where nothing but autograd would see the operator, the CPU
kernel is called without torch's dispatcher (`unrolled.ops.direct`), by an `autograd.Function` of the same
derivative.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor
from torch._C._functorch import is_legacy_batchedtensor

from unrolled.ops.direct import unobserved

_cpu_kernels: dict[Any, Callable[..., Any]] = {}
"""What computes each operator on a CPU."""

Operator = Any
"""What `torch.library.custom_op` returns; its class has no public name."""
Plain = Callable[..., tuple[Tensor, ...]]
Kernel = Callable[..., Any]
P = ParamSpec("P")
R = TypeVar("R", bound=tuple[Tensor, ...])


def recurrence_operators(
    name: str, forward: Callable[P, R], backward: Plain, saved: Sequence[int], differentiable: Sequence[str]
) -> tuple[Callable[P, R], Operator, Operator]:
    """Register ``unrolled::{name}`` and ``unrolled::{name}_backward``.

    Args:
        name: the operator's name.
        forward: the reference; its first parameter is ``gates_x``, the only tensor the backward does not
            read. Its tensors come first, ``lengths`` the last of them.
        backward: takes the gradient of every result of ``forward`` (None where there is none), then the saved
            results, then every parameter of ``forward`` but the first; returns one gradient for each name in
            ``differentiable``, an empty tensor for an option that was not given.
        saved: the positions of the results of ``forward`` that ``backward`` reads.
        differentiable: the parameters of ``forward`` that receive gradients; all others are constants.

    Returns:
        What computes the recurrence, called like ``forward``; the operator and the backward operator.
    """
    operator = torch.library.custom_op(f"unrolled::{name}", _without_autograd(forward), mutates_args=())
    backward_operator = torch.library.custom_op(
        f"unrolled::{name}_backward", _without_autograd(backward), mutates_args=()
    )
    signature = inspect.signature(forward)
    parameters = list(signature.parameters)
    defaults = tuple(parameter.default for parameter in signature.parameters.values())
    tensors = parameters.index("lengths") + 1
    receivers = [parameters.index(name) for name in differentiable]
    nothing = (None,) * len(parameters)

    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        # Gradients of unused results stay None: zeros for the gates of every step would cost a pass.
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*(output[position] for position in saved), *inputs[1:tensors])
        ctx.constants = inputs[tensors:]

    def differentiate(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        if all(grad is None for grad in grads):
            return nothing
        arguments = (*grads, *ctx.saved_tensors, *ctx.constants)
        # With `is_grads_batched` the gradients are of a kind that only the dispatcher knows.
        batched = any(grad is not None and is_legacy_batchedtensor(grad) for grad in grads)
        direct = not (batched or torch.is_grad_enabled()) and unobserved(ctx.saved_tensors[0], arguments)
        run = _cpu_kernels[backward_operator] if direct else backward_operator
        found: list[Tensor | None] = [None] * len(parameters)
        needed = ctx.needs_input_grad  # may lack arguments at the end that were left at their defaults
        for position, gradient in zip(receivers, run(*arguments), strict=True):
            if position < len(needed) and needed[position]:
                found[position] = gradient
        return tuple(found)

    class Direct(torch.autograd.Function):
        # With a `setup_context` of its own, torch would bind the arguments to the signature at every call.
        @staticmethod
        def forward(ctx: Any, *args: Any) -> Any:
            results = _cpu_kernels[operator](*args)
            setup_context(ctx, args, results)
            return results

        @staticmethod
        def backward(ctx: Any, *grads: Tensor | None) -> Any:
            return differentiate(ctx, *grads)

    @functools.wraps(forward)
    def call(*args: Any, **kwargs: Any) -> Any:
        if torch._C._are_functorch_transforms_active():
            return forward(*args, **kwargs)
        if torch.compiler.is_compiling():
            return operator(*args, **kwargs)
        if kwargs:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            args = bound.args
        else:
            args += defaults[len(args) :]
        if not unobserved(args[0], args):
            return operator(*args)
        return Direct.apply(*args) if torch.is_grad_enabled() else _cpu_kernels[operator](*args)

    _cpu_kernels[operator], _cpu_kernels[backward_operator] = (
        _without_autograd(forward),
        _without_autograd(backward),
    )
    operator.register_autograd(differentiate, setup_context=setup_context)
    _differentiate_by_replay(backward_operator, backward)
    for each in (operator, backward_operator):
        _batch_by_loop(each)
        for device in ("cpu", "cuda"):
            each.register_autocast(device, torch.float32)
    return call, operator, backward_operator


def register_cpu_kernel(operator: Operator, kernel: Kernel) -> None:
    """Make ``kernel`` what computes ``operator`` on a CPU, through torch's dispatcher and past it.

    Args:
        operator: a recurrence's or its backward's.
        kernel: takes all its arguments by position; may return None for the gradient of an absent option.
    """

    def with_empty(*args: Any) -> tuple[Tensor, ...]:
        results = kernel(*args)
        return tuple(results[0].new_empty(0) if result is None else result for result in results)

    operator.register_kernel("cpu", with_empty)
    _cpu_kernels[operator] = kernel


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


def _differentiate_by_replay(operator: Operator, plain: Plain) -> None:
    tensors = list(inspect.signature(plain).parameters).index("lengths") + 1

    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.save_for_backward(*inputs[:tensors])
        ctx.constants = inputs[tensors:]

    def differentiate(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        values = (*ctx.saved_tensors, *ctx.constants)
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
