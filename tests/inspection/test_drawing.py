"""The drawing shows every step, layer and direction, and says what stands beneath."""

import pytest

from unrolled.errors import ConfigError, StorageError
from unrolled.inspection.drawing import Row, Unrolling, draw, save_drawing

BOTH = [Row(1, "LSTM", 8, ("h", "c")), Row(1, "LSTM", 8, ("h", "c"), backward=True)]


def texts(unrolling):
    return [text.get_text() for text in draw(unrolling).axes[0].texts if text.get_text()]


def test_every_step_of_every_direction_has_its_box():
    shown = texts(Unrolling(["the", "cat"], BOTH, "each"))
    for symbol in (
        "$x_{1}$",
        "$x_{2}$",
        "$h^{(1)}_{2}$",
        r"$\overleftarrow{h}^{(1)}_{2}$",
        r"$\hat{y}_{2}$",
        "the",
        "cat",
    ):
        assert symbol in shown
    assert "$h, c$" in shown


@pytest.mark.parametrize(("outputs", "boxes"), [("each", 3), ("last", 1), ("pooled", 1)])
def test_the_outputs(outputs, boxes):
    shown = texts(Unrolling(["a", "b", "c"], [Row(1, "GRU", 8, ("h",))], outputs))
    assert sum(text.startswith(r"$\hat{y}") for text in shown) == boxes
    assert ("pooled over all steps" in shown) == (outputs == "pooled")


def test_every_arrow_that_stands_for_a_weight_names_it():
    shown = texts(Unrolling(["a", "b"], [Row(1, "RNN", 8, ("h",))], "each"))
    assert [shown.count(f"$W_{{{name}}}$") for name in ("xh", "hh", "hy")] == [2, 1, 2]
    deep = texts(Unrolling(["a", "b"], [Row(1, "GRU", 8, ("h",)), Row(2, "GRU", 8, ("h",))], "last"))
    assert [deep.count(f"$W^{{({layer})}}_{{x}}$") for layer in (1, 2)] == [2, 2]
    assert deep.count("$W_{hy}$") == 1


@pytest.mark.parametrize(("outputs", "targets"), [("each", ["x", "y"]), ("last", ["x"]), ("pooled", ["x"])])
def test_what_the_outputs_are_compared_with_stands_above_them(outputs, targets):
    shown = texts(Unrolling(["a", "b"], BOTH, outputs, targets=targets))
    assert set(targets) <= set(shown)
    assert sum(text.startswith("$L") for text in shown) == len(targets)


def test_what_goes_on_is_marked():
    assert r"$\cdots$" in texts(Unrolling(["a"], BOTH, "each", more=True))
    assert r"$\cdots$" not in texts(Unrolling(["a"], BOTH, "each"))


def test_feedback_is_said():
    assert any(
        "fed back" in text
        for text in texts(Unrolling(["a"], [Row(1, "RNN", 8, ("h",))], "each", feedback=True))
    )


def test_a_decoder_stands_beside_its_encoder():
    decoder = Unrolling(["<start>", "le"], [Row(1, "GRU", 4, ("h",))], "each", feedback=True)
    encoder = Unrolling(["the", "cat"], BOTH, "none", decoder=decoder, attends=True)
    first, second = (
        [text.get_text() for text in axes.texts if text.get_text()] for axes in draw(encoder).axes
    )
    assert any("start the decoder, which looks at every step" in text for text in first)
    assert not any(text.startswith(r"$\hat{y}") for text in first)
    assert {"<start>", "le", r"$\hat{y}_{2}$", "GRU, layer 1\n4 units $\\rightarrow$"} <= set(second)
    (alone,) = draw(decoder).axes
    assert alone.get_position().width == 1


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_saving(suffix, tmp_path):
    # Words that look like mathematics or markup, or are long, are drawn as they are.
    unrolling = Unrolling(["$x", "<b>", "a_b^c", "incomprehensibly"], BOTH, "each")
    saved = save_drawing(unrolling, tmp_path / f"network{suffix}")
    assert saved.stat().st_size > 1000
    assert [path.name for path in tmp_path.iterdir()] == [saved.name]


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"ends in \.svg"):
        save_drawing(Unrolling(["a"], BOTH, "each"), tmp_path / "network.gif")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(StorageError, match="could not be written"):
        save_drawing(Unrolling(["a"], BOTH, "each"), tmp_path / "gone" / "network.svg")


@pytest.mark.parametrize("label", ["\0", "\n", "\N{CJK UNIFIED IDEOGRAPH-6F22}", "$", r"$\frac$"])
def test_any_symbol_is_drawn_without_a_word(label, tmp_path):
    unrolling = Unrolling([label], [Row(1, f"{label}ell", 8, ("h",))], "each", targets=[label])
    assert save_drawing(unrolling, tmp_path / "network.svg").stat().st_size > 0
