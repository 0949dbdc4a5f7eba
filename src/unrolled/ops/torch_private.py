"""What is used of torch beyond its public names, each with a public answer for a torch that lacks it.

Where there is no public answer the one here is the careful one: somebody looks on, so plain torch runs.
"""

import importlib
from collections.abc import Callable
from typing import Any

import torch
from torch.autograd import forward_ad


def _found(module: str, name: str, otherwise: Any) -> Any:
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return otherwise


transforms_active: Callable[[], bool] = _found("torch._C", "_are_functorch_transforms_active", lambda: True)
"""Whether `torch.func` transforms what is called."""
dispatch_modes: Callable[[], int] = _found("torch._C", "_len_torch_dispatch_stack", lambda: 1)
"""How many modes see every operator."""
tracing_state: Callable[[], Any] = _found(
    "torch._C", "_get_tracing_state", lambda: getattr(torch.jit, "is_tracing", bool)() or None
)
"""None where `torch.jit.trace` does not trace."""
batched_gradient: Callable[[Any], bool] = _found(
    "torch._C._functorch", "is_legacy_batchedtensor", lambda tensor: True
)
"""Whether a gradient is many, as ``is_grads_batched`` makes them, which torch's own functions alone know."""
cpu_capability: Callable[[], str] = _found(
    "torch._C", "_get_cpu_capability", lambda: torch.backends.cpu.get_cpu_capability()
)
"""The processor's vector instructions, as torch names them."""
allocate: Callable[[tuple[int, ...], tuple[int, ...], torch.dtype], torch.Tensor] = _found(
    "torch._C._dynamo.guards",
    "_empty_strided_cpu",
    lambda sizes, strides, dtype: torch.empty_strided(sizes, strides, dtype=dtype),
)
"""A tensor on the CPU of some sizes and strides, not filled.

What programs compiled by torch allocate with, in half the time of `torch.empty`.
"""
tensor_guards: Any = _found("torch._C._dynamo.guards", "TensorGuards", None)
"""Compares several tensors with others at once; None where torch has nothing to do so."""


def forward_differentiated() -> bool:
    """Whether forward-mode differentiation goes on."""
    return getattr(forward_ad, "_current_level", 0) >= 0
