"""Several hostile cases that are tried in one process, for starting one takes as long as some of them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Protocol

from tests.fuzz.case import program_of
from tests.fuzz.hostile.confined import faults_of


class HostileCase(Protocol):
    """Something that is refused or works; its repr makes it again."""

    def prepared(self) -> AbstractContextManager[Callable[[], object]]:
        """What is to be tried, ready while the context lasts."""
        ...


@dataclass(frozen=True)
class Batch:
    """Cases, tried one after the other."""

    cases: Sequence[HostileCase]

    @property
    def size(self) -> int:
        """How many."""
        return len(self.cases)

    def faults(self) -> list[tuple[HostileCase, str]]:
        """Those with a fault, and what it is."""
        with ExitStack() as stack:
            actions = [stack.enter_context(case.prepared()) for case in self.cases]
            found = faults_of(actions)
        return [(case, fault) for case, fault in zip(self.cases, found, strict=True) if fault]

    def difference(self) -> str | None:
        """The first fault."""
        return next((fault for _, fault in self.faults()), None)

    def program(self) -> str:
        """A program that shows the first fault; all of them where it does not show again."""
        faults = self.faults()
        if not faults:
            return program_of(self)
        case, _ = faults[0]
        return (
            program_of(case)
            .replace("case.difference()", "Batch([case]).difference()")
            .replace("\n\n", "\nfrom tests.fuzz.hostile.batch import Batch\n\n", 1)
        )
