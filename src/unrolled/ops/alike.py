"""Recognising tensors like those of the call before.

To ask a tensor for its type, its device, its sizes and how they lie in memory takes Python as long as a short
sequence takes the library. torch compares all of these at once, of several tensors, as `torch.compile` does
before it runs what it has compiled.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from unrolled.ops.torch_private import tensor_guards


def alike(*tensors: Tensor) -> Callable[..., bool]:
    """What takes as many others and says whether they could stand in their places.

    They are of the same classes, element types and devices, have the same sizes and strides, want a gradient
    or not, and are seen in the same way by whatever looks on (a transform, autocast, inference mode).

    Example:
        >>> import torch
        >>> same = alike(torch.zeros(2, 3))
        >>> same(torch.ones(2, 3)), same(torch.ones(3, 2).t()), same(torch.ones(2, 3).double())
        (True, False, False)
    """
    if tensor_guards is not None:
        return tensor_guards(*tensors, dynamic_dims_sizes=None, dynamic_dims_strides=None).check
    known = [_seen(tensor) for tensor in tensors]
    return lambda *others: [_seen(tensor) for tensor in others] == known


def _seen(tensor: Tensor) -> tuple[object, ...]:
    flags = tensor.requires_grad, tensor.is_neg(), tensor.is_inference(), torch.is_inference_mode_enabled()
    return type(tensor), tensor.dtype, tensor.device, tensor.shape, tensor.stride(), *flags
