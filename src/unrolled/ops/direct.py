"""Calling a recurrence's CPU kernel at once, where torch's dispatcher would do nothing but find it.

A short sequence takes a kernel some microseconds and the dispatcher's way through Python several times
that. So the dispatcher is asked only where something listens: a transform, a mode, autocast, a trace, a
subclass.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch._C import _are_functorch_transforms_active, _get_tracing_state, _len_torch_dispatch_stack
from torch.autograd import forward_ad
from torch.compiler import is_compiling

_ORDINARY = frozenset({Tensor, torch.nn.Parameter, type(None), bool, int, float, str})


def unobserved(like: Tensor, args: Iterable[Any]) -> bool:
    """Whether nothing but autograd sees an operator called with ``args``, on the device of ``like``."""
    return (
        like.is_cpu
        and not is_compiling()
        and not _are_functorch_transforms_active()
        and not _len_torch_dispatch_stack()
        and _get_tracing_state() is None
        and forward_ad._current_level < 0
        and not torch.is_autocast_enabled("cpu")
        and ordinary(args)
    )


def ordinary(args: Iterable[Any]) -> bool:
    """Whether no argument is of a class that torch would ask what an operator is to do with it."""
    return _ORDINARY.issuperset(map(type, args))
