"""What a subject of the harness draws."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Protocol

import torch

from unrolled.ops.native import library


class Case(Protocol):
    """Something drawn at random; its fields hold all that decides it, so its repr makes it again."""

    def difference(self) -> str | None:
        """What came beside what is true, in a few lines; None where they agree."""
        ...

    def program(self) -> str:
        """A short Python program that shows the difference, run from the root of the repository."""
        ...


Draw = Callable[[Random], Case]


@contextmanager
def running_on(threads: int, instruction_set: str) -> Iterator[None]:
    """Within the context so many threads run the library of this instruction set."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with library.instruction_set(instruction_set):
            yield
    finally:
        torch.set_num_threads(before)


def program_of(case: Case) -> str:
    """The program of a case whose repr makes it again: a dataclass of plain values."""
    return (
        f"from {type(case).__module__} import {type(case).__name__}\n\n"
        f"case = {case!r}\n"
        "print(case.difference())"
    )
