"""What the gates did along a sequence, with its tokens under them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unrolled.diagnosis import Gates
from unrolled.reporting.diagnosis.scales import logarithmic, shown_token, thinned
from unrolled.reporting.figure import MARK, MODEL
from unrolled.reporting.plot import Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LABELS = 66
"""Steps that are labelled at most; of more every second, third... is."""


def gate_strips(gates: Gates, labels: Sequence[str], number: int = 0) -> Plot:
    """A strip for each gate: a row for each unit, a column for each step, the tokens beneath.

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
            axes.set_ylabel(name.replace("_", "\n"), rotation=0, ha="right", va="center")
            figure.colorbar(image, ax=axes, ticks=[-1, 1] if signed else [0, 1], pad=0.01)
        places = thinned(steps, _LABELS)
        rows[-1].set_xticks(
            places, [shown_token(tokens[place]) for place in places], rotation=60, ha="right",
            rotation_mode="anchor", fontsize=7.5,
        )  # fmt: skip

    opened = ", ".join(
        f"{name.replace('_', ' ')} {use.open:.0%} open and {use.shut:.0%} shut"
        for name, use in gates.gates.items()
        if name != "candidate"
    )
    label = f"Values of the gates over {steps} steps of one sequence; {opened or 'an RNN has none'}."
    height = 0.9 + 0.95 * len(strips)
    return Plot(
        f"gates-{number}", f"Gates along a sequence: {gates.layer}", label, draw, (8.4, max(2.0, height))
    )


def time_constants(gates: Gates, steps: int, number: int = 0) -> Plot | None:
    """How long each unit remembers, beside the sequence's length; None for a cell without such a gate."""
    constants = gates.time_constant
    if constants is None:
        return None

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.plot(range(1, len(constants) + 1), constants, ".", ms=4, color=MODEL, label="unit")
        axes.axhline(steps, color=MARK, ls="--", lw=1, label=f"sequence: {steps} steps")
        logarithmic(axes, [*constants, steps])
        axes.set(xlabel="unit, the most forgetful first", ylabel="time constant, steps")
        axes.legend()

    longest = max(constants, default=0.0)
    label = f"Time constants of {len(constants)} units; the longest is {longest:.3g} steps."
    return Plot(f"memory-{number}", f"How long each unit remembers: {gates.layer}", label, draw)
