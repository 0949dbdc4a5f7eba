"""What a part of the benchmark found, in a form that can be printed, saved and put on a page."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Bar:
    """A figure that was measured beside the one it has to reach.

    Attributes:
        what: was measured.
        measured: the figure.
        wanted: the figure to reach.
        at_most: the measured one must not be larger, rather than not smaller.
    """

    what: str
    measured: float
    wanted: float
    at_most: bool = False

    @property
    def holds(self) -> bool:
        """Whether it is reached, at the two digits after the point that are printed."""
        measured = round(self.measured, 2)
        return measured <= self.wanted if self.at_most else measured >= self.wanted


@dataclass
class Section:
    """One table, and the bars that its figures have to reach."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self) | {"bars": [asdict(bar) | {"holds": bar.holds} for bar in self.bars]}


def milliseconds(seconds: float) -> str:
    """With three digits or so."""
    value = seconds * 1e3
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def times(ratio: float) -> str:
    """A ratio."""
    return f"{ratio:.2f}"
