"""What decided an output: the gradient with respect to every input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unrolled.diagnosis.inputs import InputGradient
from unrolled.reporting.diagnosis.scales import drawable, percentage, shown_token, thinned
from unrolled.reporting.figure import MODEL
from unrolled.reporting.plot import Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LABELS = 40
"""Steps that are labelled at most; of more every second, third... is."""


def input_gradient(gradient: InputGradient, labels: Sequence[str] = (), number: int = 0) -> Plot:
    """A bar for every step: the norm of dL/dx, with what was read beneath.

    Args:
        gradient: along one sequence.
        labels: what each step reads; numbers of steps where there are not as many.
        number: tells the plots of several layers apart.
    """
    norm = drawable(gradient.norm)
    steps = len(norm)
    read = list(labels) if len(labels) == steps else [str(step + 1) for step in range(steps)]

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.bar(np.arange(steps), norm, width=0.9 if steps <= _LABELS else 1.0, color=MODEL)
        places = thinned(steps, _LABELS)
        shown = [shown_token(read[place]) for place in places]
        short = all(len(each) <= 3 for each in shown)
        axes.set_xticks(
            places, shown, rotation=0 if short else 60, ha="center" if short else "right",
            rotation_mode="anchor", fontsize=8,
        )  # fmt: skip
        axes.set(xlabel="what was read, step by step", ylabel="norm of dL/dx")
        axes.margins(x=0.01)

    most = max(range(steps), key=gradient.norm.__getitem__, default=0)
    label = "Norm of the gradient with respect to every input" + (
        f"; the largest is that of step {most + 1} ({read[most]}), {percentage(gradient.share[most])} of all."
        if steps
        else "."
    )
    of = f": what {gradient.layer} reads" if gradient.layer else ""
    return Plot(f"inputs-{number}", f"What decided the output{of}", label, draw, (8.4, 2.9))


def decisive(gradient: InputGradient, labels: Sequence[str] = (), most: int = 3) -> str:
    """The steps whose input did most to the output, in words; nothing where none did anything.

    Args:
        gradient: along one sequence.
        labels: what each step reads, where there are as many.
        most: steps that are named.

    Example:
        >>> decisive(InputGradient("", (3.0, 1.0, 0.0), (0.0,) * 3), ("not", "bad", "."))
        'step 1 (not) 75 %, step 2 (bad) 25 %'
    """
    share = gradient.share
    first = sorted(range(len(share)), key=lambda step: -share[step])[:most]
    read = [f" ({label})" for label in labels] if len(labels) == len(share) else [""] * len(share)
    return ", ".join(
        f"step {step + 1}{read[step]} {percentage(share[step])}" for step in first if share[step]
    )
