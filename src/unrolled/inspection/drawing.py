"""The drawing of a network unrolled over the first steps of an input, as textbooks have it.

Time runs to the right, the input stands beneath, layers and directions are rows above it. Every arrow that
stands for a weight has its name, the same at every step; above the outputs is what they are compared with::

            y_1      y_2      y_3       targets
            ŷ_1      ŷ_2      ŷ_3
             | W_hy   |        |
       h_0 -[ ]-W_hh-[ ]-W_hh-[ ]- ...
             | W_xh   |        |
            x_1      x_2      x_3
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from unrolled.errors import ConfigError
from unrolled.inspection.fonts import any_characters
from unrolled.saving.files import write_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FORMATS = (".svg", ".png", ".pdf")
_FORWARD, _BACKWARD, _INPUT, _OUTPUT, _TARGET = "#cfe6f5", "#f8dcc4", "#ececec", "#cfeadf", "#f6e7b4"
_ROW, _WIDTH, _HEIGHT = 1.15, 1.02, 0.56
_LINE = "#333333"
_LABELS = 1.9  # the room for the layers' names, on the left
_INCHES = 0.55  # of one unit
_SYMBOL, _TEXT = 11, 9


@dataclass(frozen=True, slots=True)
class Row:
    """One direction of one recurrent layer.

    Attributes:
        layer: counted from 1.
        cell: its name, such as "GRU".
        size: hidden units.
        states: what is carried from step to step, by name.
        backward: whether it reads from the last step to the first.
    """

    layer: int
    cell: str
    size: int
    states: tuple[str, ...]
    backward: bool = False


@dataclass(frozen=True, slots=True)
class Unrolling:
    """A network over the first steps of a sequence.

    Attributes:
        inputs: what stands beneath each step, such as a word.
        rows: the recurrent layers from the lowest up.
        outputs: "each" step has one; "pooled" is one for all steps; "last" is one at the last step; "none" is
            for an encoder, which only hands its states on.
        more: whether the sequence goes on beyond the steps shown.
        feedback: whether an output becomes the next step's input when the network is used.
        decoder: what starts from its last states.
        attends: whether the decoder looks back at every step.
        targets: what each output is compared with in training; empty draws none.
    """

    inputs: Sequence[str]
    rows: Sequence[Row]
    outputs: Literal["each", "pooled", "last", "none"]
    more: bool = False
    feedback: bool = False
    decoder: Unrolling | None = None
    attends: bool = False
    targets: Sequence[str] = ()


def save_drawing(unrolling: Unrolling, path: str | Path) -> Path:
    """Draw into a file.

    Args:
        unrolling: what to draw.
        path: its ending says the format: .svg, .png or .pdf.

    Raises:
        ConfigError: another ending.
        StorageError: the file cannot be written.
    """
    target = Path(path).expanduser()
    if target.suffix.lower() not in _FORMATS:
        raise ConfigError(
            f"{target}: expected a name that ends in {', '.join(_FORMATS)}, got {target.suffix!r}"
        )
    kind, buffer = target.suffix.lower()[1:], io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else None
    with any_characters():
        draw(unrolling).savefig(buffer, format=kind, dpi=160, metadata=metadata)
    return write_file(target, buffer.getvalue())


def draw(unrolling: Unrolling) -> Figure:
    """The drawing as a matplotlib figure."""
    from matplotlib.figure import Figure

    pens = [_Pen(unrolling)] if unrolling.decoder is None else [_Pen(unrolling), _Pen(unrolling.decoder)]
    bottom, top = -0.75 * _ROW, max(pen.height for pen in pens) * _ROW
    widths = [pen.right - pen.left for pen in pens]
    figure = Figure(figsize=(_INCHES * sum(widths), _INCHES * (top - bottom)), facecolor="white")
    begin = 0.0
    for pen, width in zip(pens, widths, strict=True):
        axes = figure.add_axes((begin, 0, width / sum(widths), 1))
        axes.set(xlim=(pen.left, pen.right), ylim=(bottom, top))
        axes.axis("off")
        pen.draw(axes)
        begin += width / sum(widths)
    return figure


class _Pen:
    """Where things stand, and the strokes that all of them are made of.

    The two directions of a layer stand aside from the middle of their step: no arrow passes under a box.
    """

    def __init__(self, unrolling: Unrolling) -> None:
        self.unrolling = unrolling
        self.both = any(row.backward for row in unrolling.rows)
        self.column = 2.6 if self.both else 1.85
        self.left = -0.75 * self.column - _LABELS
        self.right = (len(unrolling.inputs) - 0.1) * self.column
        above = {"each": 1.5, "last": 1.5, "pooled": 2.5, "none": 1.5}[unrolling.outputs]
        self.height = len(unrolling.rows) + above + 1.45 * bool(unrolling.targets) + 0.4 * unrolling.feedback

    def draw(self, axes: Axes) -> None:
        """Draw all of it."""
        self.axes = axes
        for step, label in enumerate(self.unrolling.inputs):
            self.box(step * self.column, 0, f"$x_{{{step + 1}}}$", _INPUT)
            self.text(step * self.column, -0.5, _shortened(label), _TEXT + 1)
        if self.unrolling.more:
            self.text((len(self.unrolling.inputs) - 0.35) * self.column, 0, r"$\cdots$", 14)
        for height, row in enumerate(self.unrolling.rows, start=1):
            self.draw_row(height, row)
        self.draw_outputs(len(self.unrolling.rows) + 1)

    def draw_row(self, height: int, row: Row) -> None:
        """One direction of a layer: its boxes, what feeds them, and the state from step to step."""
        arrow, symbol = (r"\leftarrow", r"\overleftarrow{h}") if row.backward else (r"\rightarrow", "h")
        name = f"{_without_mathematics(row.cell)}, layer {row.layer}\n{row.size} units ${arrow}$"
        self.axes.text(
            -0.7 * self.column - _LABELS, height * _ROW, name, ha="left", va="center", fontsize=_TEXT
        )
        reads, carries = _weights(row, many=len({each.layer for each in self.unrolling.rows}) > 1)
        places = [self.place(step, height) for step in range(len(self.unrolling.inputs))]
        under = self.heights(row.layer - 1)
        for step, place in enumerate(places):
            label = f"${symbol}^{{({row.layer})}}_{{{step + 1}}}$"
            self.box(place, height, label, _BACKWARD if row.backward else _FORWARD)
            for lower in under:
                # From two directions one matrix reads both: it is named once.
                self.arrow(self.place(step, lower), lower, place, height, reads if lower == under[-1] else "")
        half, reach = _WIDTH / 2, 0.5
        edges = [
            places[0] - half - reach,
            *(edge for place in places for edge in (place - half, place + half)),
        ]
        edges.append(places[-1] + half + reach)
        for left, right in zip(edges[::2], edges[1::2], strict=True):
            self.state_arrow(left, right, height, backward=row.backward)
        for left, right in zip(edges[2:-2:2], edges[3:-2:2], strict=True):
            self.text((left + right) / 2, height + 0.16, carries, _SYMBOL)
        carried = f"${', '.join(row.states)}$"
        self.text(places[-1] + half + reach / 2, height - 0.14, carried, _TEXT)
        if self.unrolling.more:
            self.text(edges[-1] + 0.2, height, r"$\cdots$", 12)

    def draw_outputs(self, height: int) -> None:
        """The outputs above the highest layer."""
        steps = range(len(self.unrolling.inputs))
        top = self.heights(self.unrolling.rows[-1].layer)
        if self.unrolling.outputs == "each":
            for step in steps:
                self.box(step * self.column, height, rf"$\hat{{y}}_{{{step + 1}}}$", _OUTPUT)
                for row in top:
                    named = _READOUT if row == top[-1] else ""
                    self.arrow(self.place(step, row), row, step * self.column, height, named)
            for step, label in enumerate(self.unrolling.targets):
                self.target(step * self.column, height + 1, f"_{{{step + 1}}}", label)
            if self.unrolling.feedback:
                fed_back = r"in use, each $\hat{y}$ is fed back as the next $x$"
                above = self.height - 0.75 + 0.2
                self.text(steps[-1] / 2 * self.column, above, fed_back, _TEXT)
            return
        if self.unrolling.outputs == "none":
            handed = "the last states start the decoder" + (
                ", which looks at every step's" if self.unrolling.attends else ""
            )
            self.text(steps[-1] / 2 * self.column, height - 0.2, f"{handed} ⟶", _TEXT)
            return
        if self.unrolling.outputs == "last":
            place = steps[-1] * self.column
            self.box(place, height, r"$\hat{y}$", _OUTPUT)
            for row in top:
                named = _READOUT if row == top[-1] else ""
                self.arrow(self.place(steps[-1], row), row, place, height, named)
            for label in self.unrolling.targets[:1]:
                self.target(place, height + 1, "", label)
            return
        middle = steps[-1] / 2 * self.column
        self.box(middle, height, "pooled over all steps", _INPUT, width=steps[-1] * self.column + 2 * _WIDTH)
        for step in steps:
            for row in top:
                self.arrow(self.place(step, row), row, self.place(step, row), height)
        self.box(middle, height + 1, r"$\hat{y}$", _OUTPUT)
        self.arrow(middle, height, middle, height + 1, _READOUT)
        for label in self.unrolling.targets[:1]:
            self.target(middle, height + 2, "", label)

    def heights(self, layer: int) -> list[int]:
        """The heights of a layer's directions; that of the input for layer 0."""
        return [index for index, row in enumerate(self.unrolling.rows, start=1) if row.layer == layer] or [0]

    def place(self, step: int, height: int) -> float:
        """The middle of the box of a step in the input (height 0) or in a recurrent row."""
        if not self.both or height == 0:
            return step * self.column
        return (step + (0.26 if self.unrolling.rows[height - 1].backward else -0.26)) * self.column

    def box(self, x: float, height: float, label: str, colour: str, width: float = _WIDTH) -> None:
        """A box with a symbol in it."""
        from matplotlib.patches import FancyBboxPatch

        corner = (x - width / 2, height * _ROW - _HEIGHT / 2)
        style = "round,pad=0,rounding_size=0.12"
        self.axes.add_patch(
            FancyBboxPatch(corner, width, _HEIGHT, boxstyle=style, fc=colour, ec=_LINE, lw=0.9, zorder=3)
        )
        self.text(x, height, label, _SYMBOL)

    def target(self, x: float, height: int, number: str, label: str) -> None:
        """What an output is compared with, above it; the loss lies between the two."""
        self.box(x, height, f"$y{number}$", _TARGET)
        self.text(x, height + 0.45, _shortened(label), _TEXT + 1)
        low, high = (height - 1) * _ROW + _HEIGHT / 2, height * _ROW - _HEIGHT / 2
        self.axes.plot([x, x], [low, high], color=_LINE, lw=0.9, ls=":", zorder=2)
        self.axes.text(x + 0.1, (low + high) / 2, f"$L{number}$", ha="left", va="center", fontsize=_SYMBOL)

    def text(self, x: float, height: float, text: str, size: float) -> None:
        """Text around a point."""
        self.axes.text(x, height * _ROW, text, ha="center", va="center", fontsize=size, zorder=4)

    def arrow(self, x: float, height: int, to_x: float, to_height: int, weight: str = "") -> None:
        """An arrow upwards, from the top of one box to the bottom of another, named by its weight."""
        start, stop = (x, height * _ROW + _HEIGHT / 2), (to_x, to_height * _ROW - _HEIGHT / 2)
        self.stroke(start, stop, _LINE, 0.9)
        if weight:
            # Just beneath the box that it leads to: a long arrow passes another row's names on its way.
            beneath = (_ROW - _HEIGHT) / 2
            x = stop[0] - beneath * (stop[0] - start[0]) / (stop[1] - start[1])
            self.axes.text(
                x + 0.07, stop[1] - beneath, weight, ha="left", va="center", fontsize=_SYMBOL, zorder=4
            )

    def state_arrow(self, left: float, right: float, height: int, *, backward: bool) -> None:
        """The state from one step to the next, in the direction of reading."""
        start, stop = (right, left) if backward else (left, right)
        colour = "#a8480a" if backward else "#0b5c8f"
        self.stroke((start, height * _ROW), (stop, height * _ROW), colour, 1.3)

    def stroke(
        self, start: tuple[float, float], stop: tuple[float, float], colour: str, width: float
    ) -> None:
        """A straight arrow."""
        look = {"arrowstyle": "-|>", "lw": width, "color": colour, "shrinkA": 0, "shrinkB": 0}
        self.axes.annotate("", xy=stop, xytext=start, arrowprops=look, zorder=2)


_READOUT = "$W_{hy}$"


def _weights(row: Row, *, many: bool) -> tuple[str, str]:
    """The symbols of what a row reads its input with and of what it carries its state with.

    Those of a cell with gates hold a block for each: the table of weights has their letters.
    """
    one = "h" if row.cell == "RNN" else ""
    layer = f"^{{({row.layer})}}" if many else ""
    return f"$W{layer}_{{x{one}}}$", f"$W{layer}_{{h{one}}}$"


def _shortened(label: str) -> str:
    return _without_mathematics(label if len(label) <= 11 else f"{label[:10]}…")


def _without_mathematics(text: str) -> str:
    return text.replace("$", r"\$")
