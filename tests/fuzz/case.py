"""What a subject of the harness draws."""

from collections.abc import Callable
from random import Random
from typing import Protocol


class Case(Protocol):
    """Something drawn at random; its fields hold all that decides it, so its repr makes it again."""

    def difference(self) -> str | None:
        """What came beside what is true, in a few lines; None where they agree."""
        ...

    def program(self) -> str:
        """A short Python program that shows the difference, run from the root of the repository."""
        ...


Draw = Callable[[Random], Case]


def program_of(case: Case) -> str:
    """The program of a case whose repr makes it again: a dataclass of plain values."""
    return (
        f"from {type(case).__module__} import {type(case).__name__}\n\n"
        f"case = {case!r}\n"
        "print(case.difference())"
    )
