"""What is measured, and what it is expected to reach."""

from dataclasses import dataclass
from itertools import product

CELLS = ("lstm", "gru", "rnn")
GATES = {"lstm": 4, "gru": 3, "rnn": 1}


@dataclass(frozen=True)
class Shape:
    """As many features as hidden units."""

    rows: int
    steps: int
    hidden: int

    def __str__(self) -> str:
        return f"{self.rows}x{self.steps}x{self.hidden}"

    def operations(self, cell: str) -> int:
        """Floating-point operations of a forward pass's matrix products; training takes three times these."""
        return 4 * GATES[cell] * self.hidden**2 * self.rows * self.steps


GRIDS = {
    "small": [Shape(*each) for each in product((1, 16), (35, 100), (32, 64, 128))],
    "medium": [Shape(16, 100, 256), Shape(32, 35, 256), Shape(32, 100, 256), Shape(64, 100, 256)],
    "large": [
        Shape(16, 100, 512),
        Shape(32, 35, 512),
        Shape(64, 100, 512),
        Shape(128, 35, 512),
        Shape(32, 35, 1024),
        Shape(64, 35, 1024),
    ],
}
"""B x T x H."""

QUICK = {
    "small": [Shape(1, 35, 32), Shape(1, 100, 128), Shape(16, 35, 64), Shape(16, 100, 128)],
    "medium": [Shape(16, 100, 256), Shape(32, 35, 256)],
    "large": [Shape(16, 100, 512), Shape(32, 35, 512)],
}

WANTED = {
    "lstm": {"small": (1.9, 2.6), "medium": (1.3, 1.1), "large": (1.25, 1.1)},
    "gru": {"small": (8.0, 7.0), "medium": (2.0, 1.8), "large": (1.5, 1.5)},
    "rnn": {"small": (6.0, 6.0), "medium": (1.8, 1.9), "large": (1.4, 1.4)},
}
"""How many times as fast as torch.nn, as geometric means over a grid: training, inference."""

WANTED_WITH_AMX = {"medium": 1.7, "large": 1.5}
"""The same for training an LSTM where the processor has matrix units for bfloat16."""
