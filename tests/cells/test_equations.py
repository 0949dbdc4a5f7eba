"""Programs as a person reads them."""

from unrolled.cells import Cell, constant, where
from unrolled.cells.library import cell
from unrolled.layers import LSTM
from unrolled.ops.cells.equations import equations


def test_what_others_need_stands_first():
    assert equations(LSTM(2, 3).program) == [
        "f = sigmoid(W_f x + b_f + U_f h' + c_f)",
        "i = sigmoid(W_i x + b_i + U_i h' + c_i)",
        "n = tanh(W_n x + b_n + U_n h' + c_n)",
        "c = c' * f + i * n",
        "o = sigmoid(W_o x + b_o + U_o h' + c_o)",
        "h = o * tanh(c)",
    ]


def test_brackets_stand_where_they_are_needed():
    class Brackets(Cell):
        gates = ("candidate",)
        parameters = {"scale": constant(1.0)}  # noqa: RUF012

        def step(self, x, u, h):
            value = (x.candidate - (h - self.scale)) / (2 * self.scale) - -h
            return where(h < 0.5, value * u.candidate(h), (h + 1) * (h - 1))

    assert equations(Brackets().program()) == [
        "n = W_n x + b_n - (h' - scale)",
        "h = where(h' < 0.5, (h' + n / (scale * 2)) * (U_n h' + c_n), (h' + 1) * (h' - 1))",
    ]


def test_a_gate_without_a_textbook_letter_keeps_its_name():
    assert equations(cell("lem")().program())[0].startswith("scale_z = sigmoid(W_scale_z x + ")
