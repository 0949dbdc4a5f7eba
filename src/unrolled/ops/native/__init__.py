"""The recurrences in C++ (``csrc/``), for tensors on a CPU.

What the library does not cover (an LSTM's projection, element types other than float32 and float64, no
elements at all) plain torch does, and so do double backward, `torch.func` and everything when no library was
built.
"""

from collections.abc import Iterator
from contextlib import contextmanager


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
