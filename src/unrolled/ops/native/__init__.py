"""The recurrences in C++ (``csrc/``), registered as the operators' kernels for tensors on a CPU.

The library computes what depends on the step before; the products over all steps at once stay in torch.
What it does not cover (an LSTM's projection, element types other than float32 and float64, no elements at
all) plain torch does, and so do double backward, `torch.func` and everything when no library was built.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from unrolled.ops.gru import gru_backward_operator, gru_backward_reference, gru_operator, gru_reference
from unrolled.ops.lstm import lstm_backward_operator, lstm_backward_reference, lstm_operator, lstm_reference
from unrolled.ops.native.gru import gru_backward, gru_forward
from unrolled.ops.native.lstm import lstm_backward, lstm_forward
from unrolled.ops.native.rnn import rnn_backward, rnn_forward
from unrolled.ops.operator import Kernel, Operator, Plain, register_cpu_kernel
from unrolled.ops.rnn import rnn_backward_operator, rnn_backward_reference, rnn_operator, rnn_reference

_KERNELS: tuple[tuple[Operator, Callable[..., tuple[Tensor | None, ...] | None], Plain], ...] = (
    (rnn_operator, rnn_forward, rnn_reference),
    (rnn_backward_operator, rnn_backward, rnn_backward_reference),
    (gru_operator, gru_forward, gru_reference),
    (gru_backward_operator, gru_backward, gru_backward_reference),
    (lstm_operator, lstm_forward, lstm_reference),
    (lstm_backward_operator, lstm_backward, lstm_backward_reference),
)


def register() -> None:
    """Make the library's functions the operators' kernels on the CPU."""
    for operator, kernel, reference in _KERNELS:
        register_cpu_kernel(operator, _or_reference(kernel, reference))


@contextmanager
def plain_torch() -> Iterator[None]:
    """Within the context, in all threads, the plain-torch references run."""
    global _in_use
    before, _in_use = _in_use, False
    try:
        yield
    finally:
        _in_use = before


_in_use = True


def in_use() -> bool:
    """Whether the library is called at all: outside `plain_torch`."""
    return _in_use


def _or_reference(kernel: Callable[..., tuple[Tensor | None, ...] | None], reference: Plain) -> Kernel:
    def run(*args: object) -> tuple[Tensor | None, ...]:
        results = kernel(*args) if _in_use else None
        if results is not None:
            return results
        with torch.no_grad():
            return reference(*args)

    return run
