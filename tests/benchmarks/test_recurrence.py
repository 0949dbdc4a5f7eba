"""The benchmark of the recurrences: that it compares like with like, and says what it found."""

import json

import pytest
import torch
from rich.console import Console

from benchmarks.recurrence import contestants, jax_model, onnx_model
from benchmarks.recurrence.measure import Effort, Times, alternate
from benchmarks.recurrence.report import conclude, draw, marks, show, write_json, write_page
from benchmarks.recurrence.result import Bar, Section
from benchmarks.recurrence.shapes import CELLS, GRIDS, Shape

FOUND = [
    Section(
        "A title",
        ("shape", "ms"),
        [("1x2x3", "4.5")],
        [Bar("it", 2.0, 1.5), Bar("other", 2.0, 1.5, at_most=True)],
    )
]


@pytest.mark.parametrize("cell", CELLS)
def test_every_way_gives_the_same_outputs_and_gradients(cell):
    ours, theirs = contestants.layers(cell, torch.randn(5, 2, 3), 4)
    ways = {
        "torch.nn": theirs,
        "packed": contestants.packed(theirs, torch.tensor([5, 5])),
        "loop": contestants.cell_loop(cell, theirs),
    }
    contestants.check_same(ours, ways)
    lengths = torch.tensor([2, 5])
    ragged = contestants.ours_ragged(ours, lengths)
    contestants.check_same(ragged, {"packed": contestants.packed(theirs, lengths)})
    if onnx_model.AVAILABLE:
        found = torch.tensor(onnx_model.inference(cell, ours.module, ours.inputs)())
        torch.testing.assert_close(found, ours.infer().clone(), rtol=1e-4, atol=1e-5)
    if jax_model.AVAILABLE:
        way = jax_model.JaxLayer(cell, ours.module, ours.inputs, ours.upstream)
        for name, gradient in way.gradients().items():
            torch.testing.assert_close(
                torch.from_numpy(gradient), ours.gradients()[name], rtol=1e-3, atol=1e-5
            )


def test_what_differs_is_not_timed():
    ours, theirs = contestants.layers("gru", torch.randn(5, 2, 3), 4)
    with torch.no_grad():
        theirs.module.weight_hh_l0.mul_(1.1)
    with pytest.raises(AssertionError, match=r"torch\.nn: the gradient of inputs is off by"):
        contestants.check_same(ours, {"torch.nn": theirs})


@pytest.mark.parametrize("ahead", [False, True])
def test_a_layer_normalised_loop_is_the_layers_own(ahead):
    torch.manual_seed(0)
    layer = contestants.OURS["lstm"](3, 4, layer_norm=True)
    ours = contestants.Contestant(layer, lambda x: layer(x)[0], torch.randn(4, 2, 3), torch.randn(4, 2, 4))
    contestants.check_same(ours, {"loop": contestants.layer_norm_loop(ours, ahead=ahead)}, 1e-3)


def test_a_ratio_is_taken_round_by_round():
    times = Times({"ours": (1.0, 2.0, 4.0), "other": (2.0, 4.0, 8.0)})
    assert times.speedup("ours", "other") == 2
    assert times.median("ours") == 2


def test_calls_take_turns():
    order = []
    alternate({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, Effort(0, 2, 2, 1e-9))
    warming, rounds = order[:4], order[4:]
    assert warming == ["a", "a", "b", "b"]
    assert rounds == ["b", "b", "a", "a", "a", "a", "b", "b"]  # before each is timed it is called once more


def test_the_grids_are_those_that_the_figures_are_given_for():
    assert {grid: len(shapes) for grid, shapes in GRIDS.items()} == {"small": 12, "medium": 4, "large": 6}
    assert Shape(2, 3, 5).operations("lstm") == 2 * (2 * 3) * (4 * 5) * (5 + 5)


def test_a_bar_holds_on_its_side():
    assert [bar.holds for bar in FOUND[0].bars] == [True, False]


def test_what_was_found_is_printed_saved_drawn_and_put_on_a_page(tmp_path):
    console = Console(width=120, record=True)
    show(FOUND[0], console)
    assert not conclude(FOUND, console)
    said = console.export_text()
    assert "holds  it: 2.00 (at least 1.5)" in said
    assert "misses  other: 2.00 (at most 1.5)" in said
    assert "1 of 2 bars hold." in said

    write_json(tmp_path / "found.json", "a machine", FOUND)
    saved = json.loads((tmp_path / "found.json").read_text())
    assert [bar["holds"] for bar in saved["sections"][0]["bars"]] == [True, False]
    draw(tmp_path / "found.png", FOUND)
    assert (tmp_path / "found.png").stat().st_size > 1000

    page = tmp_path / "page.md"
    (begin, end), (others, others_end) = marks("AVX9"), marks("AVX9 and more")
    page.write_text(f"Before\n{begin}\nstale\n{end}\nbetween\n{others}\nother\n{others_end}\nafter\n")
    for _ in range(2):
        write_page(page, "AVX9", "a machine", "a command", FOUND)
    text = page.read_text()
    assert text.startswith("Before\n")
    assert text.endswith("after\n")
    assert "stale" not in text
    assert f"\nbetween\n{others}\nother\n{others_end}\n" in text
    assert text.count("| it | 2.00 | at least 1.5 | yes |") == 1
    page.write_text("no marks")
    with pytest.raises(ValueError, match="expected the lines"):
        write_page(page, "AVX9", "a machine", "a command", FOUND)
