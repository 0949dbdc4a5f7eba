"""A remedy: what it is called, the options that apply it, and why it helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unrolled.diagnosis.result import Result


@dataclass(frozen=True, slots=True)
class Remedy(Result):
    """Something to change before training again.

    Attributes:
        name: what it is called.
        options: the options of the task that apply it, as Python takes them.
        why: one sentence with the numbers that speak for it.

    Example:
        >>> remedy = Remedy("LSTM", {"cell": "lstm", "chrono": 200, "layer_norm": True}, "It keeps its cell.")
        >>> remedy.flag
        '--cell lstm --chrono 200 --layer-norm'
    """

    name: str
    options: Mapping[str, Any]
    why: str

    @property
    def flag(self) -> str:
        """The options as flags of ``unrolled train``."""
        return " ".join(_flag(name.replace("_", "-"), value) for name, value in self.options.items())

    def together_with(self, other: Remedy) -> Remedy:
        """Both at once.

        Example:
            >>> slow = Remedy("lower learning rate", {"learning_rate": 0.001}, "Small steps do not leap.")
            >>> Remedy("LSTM", {"cell": "lstm"}, "It keeps its cell.").together_with(slow).flag
            '--cell lstm --learning-rate 0.001'
        """
        return Remedy(
            f"{self.name}, {other.name}", {**self.options, **other.options}, f"{self.why} {other.why}"
        )

    def to_json(self) -> dict[str, Any]:
        """As every result, and the flag with it."""
        return Result.to_json(self) | {"flag": self.flag}


def _flag(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no-{name}"
    written = "none" if value is None else format(value, ".6g") if isinstance(value, float) else value
    return f"--{name} {written}"
