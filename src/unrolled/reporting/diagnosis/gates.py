"""What gates and units did along a sequence, with its tokens under them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unrolled.diagnosis import Gates, Jacobians
from unrolled.reporting.diagnosis.scales import drawable, logarithmic, shown_token, thinned
from unrolled.reporting.figure import MARK, MODEL, whole_steps
from unrolled.reporting.plot import Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LABELS = 40
"""Steps that are labelled at most; of more every second, third... is."""


def has_gates(gates: Gates) -> bool:
    """Whether a cell has any: the one thing that a plain RNN computes is its state."""
    return len(gates.gates) > 1


def gate_strips(gates: Gates, labels: Sequence[str], number: int = 0) -> Plot:
    """A strip for each gate, of an RNN for its state: a row a unit, a column a step, the tokens beneath.

    Units stand in one order in all strips: those that keep the longest at the top.

    Args:
        gates: of one layer in one direction.
        labels: what each step reads.
        number: tells the plots of several layers apart.
    """
    strips = {name: np.array(use.strip, dtype=float).T for name, use in gates.gates.items()}
    keeping = strips.get("forget_gate", strips.get("update_gate", next(iter(strips.values()))))
    order = np.argsort(-keeping.mean(axis=1), kind="stable")
    steps = keeping.shape[1]
    # A layer over something else than the sequence's own steps has numbers beneath.
    tokens = labels if len(labels) == steps else [str(step + 1) for step in range(steps)]

    def draw(figure: Figure) -> None:
        rows = figure.subplots(len(strips), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (name, strip) in zip(rows, strips.items(), strict=True):
            signed = bool((strip < 0).any())
            image = axes.imshow(
                strip[order], aspect="auto", interpolation="nearest", vmin=-1 if signed else 0, vmax=1,
                cmap="PuOr_r" if signed else "cividis",
            )  # fmt: skip
            axes.grid(visible=False)
            axes.set_yticks([])
            shown = name.replace("_", "\n") if has_gates(gates) else "state"
            axes.set_ylabel(shown, rotation=0, ha="right", va="center")
            figure.colorbar(image, ax=axes, ticks=[-1, 1] if signed else [0, 1], pad=0.01)
        places = thinned(steps, _LABELS)
        rows[-1].set_xticks(
            places, [shown_token(tokens[place]) for place in places], rotation=60, ha="right",
            rotation_mode="anchor",
        )  # fmt: skip

    if not has_gates(gates):
        label = f"Values of the units over {steps} steps of one sequence."
        return Plot(f"units-{number}", f"Units along a sequence: {gates.layer}", label, draw, (9.4, 2.4))
    opened = ", ".join(
        f"{name.replace('_', ' ')} {use.open:.0%} open and {use.shut:.0%} shut"
        for name, use in gates.gates.items()
        if name != "candidate"
    )
    label = f"Values of the gates over {steps} steps of one sequence; {opened}."
    size = (9.4, 1.4 + 0.95 * len(strips))
    return Plot(f"gates-{number}", f"Gates along a sequence: {gates.layer}", label, draw, size)


def time_constants(gates: Gates, steps: int, number: int = 0) -> Plot | None:
    """How long each unit remembers, beside the sequence's length; None for a cell without such a gate."""
    if gates.time_constant is None:
        return None
    return _memory(gates.time_constant, f"How long each unit remembers: {gates.layer}", steps, number)


def own_time_constants(jacobians: Jacobians, steps: int, number: int = 0) -> Plot:
    """The same of a cell without such a gate, by what each unit passes on to itself."""
    constants = sorted(jacobians.time_constant)
    caption = f"How long each unit remembers by what it passes on to itself: {jacobians.layer}"
    return _memory(constants, caption, steps, number)


def _memory(constants: Sequence[float], caption: str, steps: int, number: int) -> Plot:
    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.plot(range(1, len(constants) + 1), drawable(constants), ".", ms=4, color=MODEL, label="unit")
        axes.axhline(steps, color=MARK, ls="--", lw=1, label=f"sequence: {steps} steps")
        logarithmic(axes, [*constants, steps])
        axes.set(xlabel="unit, the most forgetful first", ylabel="time constant, steps")
        whole_steps(axes.xaxis)
        axes.legend()

    longest = max(constants, default=0.0)
    label = f"Time constants of {len(constants)} units; the longest is {longest:.3g} steps."
    return Plot(f"memory-{number}", caption, label, draw)
