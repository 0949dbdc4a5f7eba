"""The page of a diagnosis, that of a comparison, and their plots as files."""

from dataclasses import replace

import pytest
from matplotlib.figure import Figure

from tests.reporting.diagnosed import HOSTILE, examination
from tests.reporting.test_page import Page
from unrolled.diagnosis import (
    ContextCurve,
    GradientFlow,
    InputGradient,
    Need,
    OrderTest,
    RecurrentMatrix,
    Verdict,
)
from unrolled.errors import StorageError
from unrolled.inspection.comparison import Compared
from unrolled.reporting.comparison import comparison_page, rows
from unrolled.reporting.diagnosis.flow import norm_is_decay
from unrolled.reporting.diagnosis.inputs import decisive
from unrolled.reporting.diagnosis.page import diagnosis_page, sections, write_diagnosis, write_plots
from unrolled.tasks.evaluation import Evaluation
from unrolled.training.history import LayerRecord

TWO_LAYERS = {"recurrent.l0": 0.5, "recurrent.l1": 1.2}


def compared(name, rate):
    evaluation = Evaluation(
        "tag", "words.tsv", {"accuracy": 0.9 * rate}, {"majority": {"accuracy": 0.4}}, 10, "words", 1.0
    )
    return Compared(name, 1234, 5, 6.5, evaluation, examination({"recurrent.l0": rate}))


@pytest.fixture(scope="module")
def pages():
    """Every kind of page, once."""
    return {
        "diagnosis": diagnosis_page(examination(TWO_LAYERS)),
        "comparison": comparison_page([compared("RNN", 0.5), compared(HOSTILE, 0.9)], "words.tsv"),
    }


@pytest.mark.parametrize("kind", ["diagnosis", "comparison"])
def test_a_page_is_well_formed_and_loads_nothing(kind, pages):
    page = Page(pages[kind])
    addresses = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "srcset", "action")
    ]
    # The pixels of a heat map stand in the page itself.
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in addresses)
    assert not page.all("script")
    assert "url(http" not in pages[kind]
    assert HOSTILE not in pages[kind]


@pytest.mark.parametrize("kind", ["diagnosis", "comparison"])
def test_identifiers_are_unique_and_references_lead_somewhere(kind, pages):
    page = Page(pages[kind])
    identifiers = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    used = {
        value.removeprefix("#")
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name == "aria-labelledby" or (name == "xlink:href" and value.startswith("#"))
    }
    assert used <= set(identifiers)
    assert all(drawing["aria-label"] for drawing in page.all("svg"))


def test_the_verdict_its_numbers_and_remedies_are_shown(pages):
    text = Page(pages["diagnosis"]).text
    for shown in (
        "Vanishing.",
        "4.9e-04 of it is left",
        "left at that lag",
        "0.00049",
        "--cell lstm --chrono 12",
        "It keeps & carries.",
        "forget gate",
        "25 % of the candidate's values are saturated",
    ):
        assert shown in text


def test_every_measurement_of_every_layer_is_drawn(pages):
    names = [plot.name for section in sections(examination(TWO_LAYERS)) for plot in section.plots]
    assert names == [
        *("gradient", "decay-0", "decay-1", "triangle-0", "triangle-1", "weights-0", "weights-1"),
        *("jacobians-0", "jacobians-1", "gates-0", "gates-1", "memory-0", "memory-1"),
        *("context", "order", "clipping"),
    ]
    assert len(Page(pages["diagnosis"]).all("svg")) == len(names)


def test_what_was_not_measured_is_left_out():
    bare = examination(context=None, order=None, clipping=None, weights=())
    page = Page(diagnosis_page(bare))
    assert "Clipping in training" not in page.text
    assert "How much of the past is used" not in page.text


def test_a_sound_network_needs_nothing():
    page = Page(diagnosis_page(examination(verdict=Verdict("healthy", "It is sound.", {}))))
    assert "Nothing needs to change" in page.text
    assert "verdict" in [attributes.get("class") for attributes in page.all("p")]


def drawn(made, name):
    """One plot of an examination."""
    return next(plot for section in sections(made) for plot in section.plots if plot.name == name).svg()


def test_tokens_stand_under_the_gates():
    labels = [f"t{number}" for number in range(12)]
    drawing = drawn(examination(labels=labels), "gates-0")
    assert all(f">{label}<" in drawing for label in labels)


def test_a_layer_of_other_steps_than_the_sequence_gets_numbers_for_tokens():
    drawing = drawn(examination(labels=["only", "three", "words"]), "gates-0")
    assert ">only<" not in drawing
    assert ">12<" in drawing


@pytest.mark.parametrize("rate", [1.0, 1e-30, 1e28])
@pytest.mark.parametrize("name", ["gradient", "decay-0", "triangle-0", "jacobians-0", "weights-0"])
def test_extreme_errors_can_be_drawn(rate, name):
    assert drawn(examination({"recurrent.l0": rate}), name)


def test_an_rnn_has_no_gates():
    (gates,) = examination().diagnosis.gates
    plain = replace(
        gates, cell="rnn", gates={"candidate": gates.gates["candidate"]}, time_constant=None, saturated=0.25
    )
    text = Page(diagnosis_page(examination(gates=(plain,)))).text
    assert "gate" not in text.replace("has no gates", "").lower()
    assert "Units over a sequence" in text
    assert "25 % of the units' values are saturated" in text


def test_norms_that_run_as_the_decay_does_are_no_figure_of_their_own():
    (flow,) = examination().diagnosis.flows

    def names(norm):
        made = examination(flows=(replace(flow, norm=norm),), triangles=())
        return [plot.name for section in sections(made) for plot in section.plots][:2]

    assert names(tuple(3 * norm for norm in flow.norm)) == ["decay-0", "weights-0"]
    assert names((1.0,) * len(flow.norm)) == ["gradient", "decay-0"]
    alike = examination(triangles=())
    assert "mean over sequences (so runs the norm of dL/dh)" in drawn(alike, "decay-0")


def test_every_band_and_bound_has_its_legend_and_a_bound_outside_the_frame_is_said():
    (found,) = examination().diagnosis.jacobians
    far = replace(found, matrix=RecurrentMatrix({"candidate": 50.0}, {"candidate": 0.45}, 1.0))
    made = examination(jacobians=(far,))
    assert "bound, (γλ)^steps, above the frame from step 1 on" in drawn(made, "decay-0")
    assert "band: one standard deviation" in drawn(made, "gradient")
    assert "all between" in drawn(made, "jacobians-0")


@pytest.mark.parametrize("name", ["gradient", "decay-0", "weights-0", "context"])
def test_time_runs_to_the_right(name):
    """The ticks of an axis of steps back fall from left to right, and are whole."""
    figure = Figure()
    next(plot for section in sections(examination()) for plot in section.plots if plot.name == name).draw(
        figure
    )
    axes = figure.axes[0]
    left, right = axes.get_xlim()
    assert left > right
    assert all(tick == round(tick) for tick in axes.get_xticks())


def test_numbers_that_are_all_equal_or_nothing_can_be_drawn():
    flat = examination(context=ContextCurve((1,), (0.0,)), order=OrderTest(0.0, (0.0,), None))
    for name in ("context", "order", "clipping"):
        assert drawn(replace(flat, norms=(), threshold=None), name)


def test_every_plot_is_written_twice(tmp_path):
    few = examination(triangles=(), jacobians=(), weights=(), gates=(), order=None)
    written = write_plots(tmp_path, few)
    assert len(written) == 2 * len({path.stem for path in written}) == 6
    assert {path.suffix for path in written} == {".png", ".svg"}
    assert all(path.stat().st_size > 500 for path in written)
    assert (tmp_path / "decay-0.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_diagnosis_gives_the_same_bytes(pages):
    assert diagnosis_page(examination(TWO_LAYERS)) == pages["diagnosis"]


def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(StorageError, match="could not be written"):
        write_diagnosis(tmp_path / "gone" / "report.html", examination())
    assert list(tmp_path.iterdir()) == []


def test_a_comparison_has_a_row_a_model_and_the_baselines_in_its_plots(pages):
    first, second = rows([compared("RNN", 0.5), compared("LSTM", 0.9)])
    assert (first["model"], first["weights"], first["accuracy"]) == ("RNN", "1,234", "0.4500")
    assert first["left at the start"] != second["left at the start"]
    assert "majority" in pages["comparison"]


def test_the_course_over_epochs_is_drawn_where_there_is_one():
    records = [
        LayerRecord(
            epoch=epoch, layer=layer, lags=[1, 2, 4, 11], left=[0.9, 0.5, 0.1, 1e-5 * epoch],
            memory=[1.0, 3.0, float("inf")], idle=0.1,
        )
        for epoch in (1, 2, 3)
        for layer in ("recurrent.l0", "recurrent.l1")
    ]  # fmt: skip
    made = replace(examination(), measured=tuple(records))
    page = diagnosis_page(made)
    assert "Over the epochs of training" in page
    assert "1e-03 % in epoch 1, 3e-03 % in epoch 3" in page
    assert page.count("How long units remember, epoch by epoch") == 4  # above it, and for who cannot see it
    assert "Over the epochs" not in diagnosis_page(replace(made, measured=tuple(records[:2])))


def test_a_few_long_sequences_go_on_beyond_what_is_left_of_an_error():
    flow = GradientFlow("recurrent.l0", 1, (8, 8, 8, 1), (4.0, 2.0, 1.0, 0.5), (0.0,) * 4, (0.5,) * 3)
    assert len(flow.decay) < len(flow.norm)
    assert norm_is_decay(flow)
    (triangle,) = examination().diagnosis.triangles
    made = examination(
        flows=(flow,), triangles=(replace(triangle, loss_steps=(3,), norms=triangle.norms[:1]),)
    )
    assert "Decay with its bound" in diagnosis_page(made)


def test_what_decided_an_output_stands_over_what_was_read():
    given = InputGradient("recurrent", (3.0, 1.0, *[0.0] * 10), (0.0,) * 12)
    page = diagnosis_page(examination(inputs=(given,)))
    assert "What decided the last output" in page
    assert "75 % of all" in page
    assert decisive(given, ["<b>", *"bcdefghijkl"], most=2) == "step 1 (<b>) 75 %, step 2 (b) 25 %"


def test_what_a_probe_found_is_drawn():
    page = diagnosis_page(examination(need=Need("an n-gram", (1, 64), (0.0, 0.4), loss=1.0)))
    assert "most 64 steps back" in page
