"""Calling a recurrence's CPU kernel at once, where torch's dispatcher would do nothing but find it.

A short sequence takes a kernel some microseconds and the dispatcher's way through Python several times
that. So the dispatcher is asked only where something listens: a transform, a mode, autocast, a trace, a
subclass.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.compiler import is_compiling

from unrolled.ops.torch_private import (
    dispatch_modes,
    forward_differentiated,
    tracing_state,
    transforms_active,
)

_ORDINARY = frozenset({Tensor, torch.nn.Parameter, type(None), bool, int, float, str})


def unobserved(like: Tensor, args: Iterable[Any]) -> bool:
    """Whether nothing but autograd sees an operator called with ``args``, on the device of ``like``."""
    return (
        like.is_cpu
        and not is_compiling()
        and not transforms_active()
        and not dispatch_modes()
        and tracing_state() is None
        and not forward_differentiated()
        and not torch.is_autocast_enabled("cpu")
        and ordinary(args)
    )


def transformed() -> bool:
    """Whether a transform of `torch.func`, or forward differentiation, looks at every operation."""
    return transforms_active() or forward_differentiated()


def traced() -> bool:
    """Whether somebody writes down which operators are called."""
    return is_compiling() or dispatch_modes() > 0 or tracing_state() is not None


def ordinary(args: Iterable[Any]) -> bool:
    """Whether no argument is of a class that torch would ask what an operator is to do with it."""
    return _ORDINARY.issuperset(map(type, args))
