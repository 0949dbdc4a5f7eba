"""The page of a diagnosis: one HTML file that needs no network, and its plots as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from unrolled.inspection.examination import Examination
from unrolled.reporting.diagnosis.clipping import clipping_norms
from unrolled.reporting.diagnosis.context import context_curve, need, order_test
from unrolled.reporting.diagnosis.epochs import over_epochs
from unrolled.reporting.diagnosis.flow import (
    decay,
    gradient_over_time,
    jacobian_range,
    norm_is_decay,
    weight_parts,
)
from unrolled.reporting.diagnosis.gates import (
    gate_strips,
    has_gates,
    own_time_constants,
    time_constants,
)
from unrolled.reporting.diagnosis.inputs import input_gradient
from unrolled.reporting.diagnosis.triangle import triangle_map
from unrolled.reporting.pages import rendered
from unrolled.reporting.plot import Plot
from unrolled.saving.files import write_file


class Section(NamedTuple):
    """Plots that answer one question."""

    title: str
    text: str
    plots: Sequence[Plot]


def write_diagnosis(path: str | Path, examined: Examination) -> Path:
    """Writes the page.

    Raises:
        StorageError: the file cannot be written; one that was there before is untouched.
    """
    return write_file(path, diagnosis_page(examined))


def write_plots(folder: str | Path, examined: Examination) -> list[Path]:
    """Writes every plot as PNG and as SVG into a folder that exists.

    Raises:
        StorageError: a file cannot be written.
    """
    plots = [plot for section in sections(examined) for plot in section.plots]
    return [plot.save(folder, kind) for plot in plots for kind in ("png", "svg")]


def diagnosis_page(examined: Examination) -> str:
    """The page's HTML."""
    found = examined.diagnosis
    return rendered(
        "diagnosis",
        title=f"Diagnosis: {examined.name}",
        network=examined.network,
        data=examined.data,
        verdict=found.verdict,
        worrying=found.verdict.kind != "healthy",
        sections=sections(examined),
        units=found.gates,
        gates=[each for each in found.gates if has_gates(each)],
    )


def sections(examined: Examination) -> list[Section]:
    """The plots of what was measured, by the question they answer."""
    made = [
        Section(
            "How the gradient flows",
            "Time runs from left to right in every figure of this page: the loss stands on the right, and an "
            "error goes from there to the left. What has fallen by orders of magnitude by then has vanished; "
            "what has risen has exploded.",
            list(_flow_plots(examined)),
        ),
        Section(
            "What single steps do to it",
            "A singular value of 1 keeps what passes; the product over many steps is what an error meets.",
            [jacobian_range(each, number) for number, each in enumerate(examined.diagnosis.jacobians)],
        ),
        Section(
            "Gates over a sequence",
            "Each column is a step with what it read beneath, each row a unit; those that keep the longest "
            "are on top.",
            list(_gate_plots(examined)),
        ),
        Section(
            "Units over a sequence",
            "Each column is a step with what it read beneath, each row a unit; this cell has no gates.",
            list(_unit_plots(examined)),
        ),
        Section(
            "How much of the past is used",
            "What the model loses when it sees only the latest steps, and when their order is lost; and what "
            "a cheap probe, which starts from the model's own answers, makes of what stood so far back.",
            list(_context_plots(examined)),
        ),
        Section(
            "What decided the last output",
            "How much a small change of what a step read would change the loss of it, in one sequence.",
            list(_input_plots(examined)),
        ),
        Section(
            "Over the epochs of training",
            "The same measurements in the course of the run, on the batches that it trained on.",
            list(over_epochs(examined.measured)),
        ),
        Section(
            "Clipping in training",
            "Norms of the gradients before clipping, as the history of the run has them.",
            list(_clipping_plots(examined)),
        ),
    ]
    return [section for section in made if section.plots]


def _flow_plots(examined: Examination) -> Iterator[Plot]:
    found = examined.diagnosis
    triangles = {each.layer: each for each in found.triangles}
    jacobians = {each.layer: each for each in found.jacobians}
    # Where errors of several ages meet at a step, their mean says nothing of a single one.
    several = {layer for layer, each in triangles.items() if len(each.loss_steps) > 1}
    flows = {each.layer: each for each in found.flows if each.layer not in several}
    if any(each.layer in several or not norm_is_decay(each) for each in found.flows):
        yield gradient_over_time(found.flows)
    # Where every step reaches the loss on a way of its own, dL/dh of a sequence is no error on its way back.
    direct = examined.evidence is not None and examined.evidence.direct
    along = {} if direct else triangles
    for number, layer in enumerate(dict.fromkeys([*flows, *along, *jacobians])):
        yield decay(flows.get(layer), along.get(layer), jacobians.get(layer), number)
    for number, triangle in enumerate(found.triangles):
        yield triangle_map(triangle, examined.labels, number)
    for number, parts in enumerate(found.weights):
        yield weight_parts(parts, number)


def _gate_plots(examined: Examination) -> Iterator[Plot]:
    for number, gates in enumerate(examined.diagnosis.gates):
        if has_gates(gates):
            yield gate_strips(gates, examined.labels, number)
    for number, gates in enumerate(examined.diagnosis.gates):
        plot = time_constants(gates, len(examined.labels), number)
        if plot is not None:
            yield plot


def _unit_plots(examined: Examination) -> Iterator[Plot]:
    own = {each.layer: each for each in examined.diagnosis.jacobians if each.time_constant}
    for number, gates in enumerate(examined.diagnosis.gates):
        if not has_gates(gates):
            yield gate_strips(gates, examined.labels, number)
            if gates.layer in own:
                yield own_time_constants(own[gates.layer], len(examined.labels), number)


def _context_plots(examined: Examination) -> Iterator[Plot]:
    if examined.diagnosis.context is not None:
        yield context_curve(examined.diagnosis.context)
    if examined.diagnosis.order is not None:
        yield order_test(examined.diagnosis.order)
    if examined.diagnosis.need is not None:
        yield need(examined.diagnosis.need)


def _input_plots(examined: Examination) -> Iterator[Plot]:
    for number, gradient in enumerate(examined.diagnosis.inputs):
        # What comes after the first reads its outputs, or what was written.
        yield input_gradient(gradient, () if number else examined.labels, number)


def _clipping_plots(examined: Examination) -> Iterator[Plot]:
    if examined.diagnosis.clipping is not None:
        yield clipping_norms(examined.diagnosis.clipping, examined.norms, examined.threshold)
