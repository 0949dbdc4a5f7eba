"""What notebooks show: short texts, tables, plots."""

import pytest
import torch
from matplotlib import pyplot

import unrolled
from unrolled.tasks.classify import Classifier
from unrolled.tasks.plots import legend

DATA = [(f"{word} {other}", word) for word in ("red", "<blue>") for other in "abcdefghij"]


@pytest.fixture(scope="module")
def made():
    return Classifier(hidden_size=3, epochs=2).fit(DATA, dev=DATA)


def test_texts_are_short(made):
    assert repr(made) == "Classifier(hidden_size=3, epochs=2)"
    layer = unrolled.LSTM(4, 8, num_layers=2)
    shown = repr(layer.unroll(torch.zeros(5, 2, 4), gates=True))
    assert shown.count("\n") == 3
    assert "states={h: (5, 2, 8), c: (5, 2, 8)}" in shown


def test_tables_have_what_was_asked_for_and_the_scores(made):
    html = made._repr_html_()
    assert "<th>hidden_size</th><td>3</td>" in html
    assert "majority class" in html
    assert "not fitted" in Classifier()._repr_html_()
    assert "weight_hh_l0" in unrolled.GRU(2, 3)._repr_html_()
    rows = 2 + len(made.dev_evaluation.baselines)  # the names of the scores, the model's, and theirs
    assert made.dev_evaluation._repr_html_().count("<tr>") == rows


def test_plots_are_drawn_where_they_are_asked_for(made):
    figure, (left, right) = pyplot.subplots(1, 2)
    assert made.plot(left) is left
    assert made.dev_evaluation.plot(right) is right
    assert len(left.lines[0].get_xdata()) == 2
    compared = 1 + len(made.dev_evaluation.baselines)
    assert len(right.patches) == compared * len(made.dev_evaluation.scores)
    pyplot.close(figure)
    axes = made.plot()
    pyplot.close(axes.figure)


def test_a_legend_has_every_name_whatever_it_is_called():
    names = ["_west", r"$\frac$", "$a$", "east"]
    figure, axes = pyplot.subplots()
    legend(axes, [(name, *axes.plot([0, 1])) for name in names])
    figure.canvas.draw()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == names
    pyplot.close(figure)
