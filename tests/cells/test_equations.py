"""Programs as a person reads them, in plain text and as TeX."""

import contextlib
import io
import math
import re
from pathlib import Path
from random import Random

import pytest
import torch

from tests.fuzz.cells.cell import draw_cell, program
from unrolled import cells
from unrolled.cells import Cell, constant, library, where
from unrolled.cells.library import cell
from unrolled.errors import ConfigError
from unrolled.layers import LSTM
from unrolled.ops.cells.equations import equations, tex
from unrolled.ops.cells.evaluate import evaluate


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


def test_what_is_read_again_is_written_once():
    assert equations(cell("janet")().program()) == [
        "a = W_f x + b_f + U_f h' + c_f",
        "n = tanh(W_n x + b_n + U_n h' + c_n)",
        "f = sigmoid(a)",
        "h = h' * f + n * (1 - sigmoid(a - 1))",
    ]


def test_names_of_gates_states_and_parameters_stay_apart():
    class Alike(Cell):
        states = ("f", "n")
        gates = ("forget_gate", "candidate", "f")
        parameters = {"i": constant(1.0)}  # noqa: RUF012

        def step(self, x, u, f, n):
            gate = cells.sigmoid(x.forget_gate + u.forget_gate(f))
            new = cells.tanh(x.candidate + u.candidate(n)) * self.i
            return gate * new + x.f, new

    written = equations(Alike().program())
    assert [line.split(" = ")[0] for line in written] == [
        "forget_gate",
        "candidate",
        "n",
        "f_gate",
        "f",
    ]
    assert "W_f_gate x" in written[-2]


def test_an_antisymmetric_matrix_is_written_so():
    assert "(U_n - U_n^T) h'" in equations(cell("antisymmetric")().program())[0]
    assert r"\left(U_{n} - U_{n}^{\top}\right) h_{t-1}" in tex(cell("antisymmetric")().program())[0]


def test_tex():
    class Every(Cell):
        states = ("h", "long_memory")
        gates = ("candidate",)
        parameters = {"scale": constant(1.0)}  # noqa: RUF012

        def step(self, x, u, h, long_memory):
            value = cells.sqrt(abs(h)) / (2 * self.scale) - 1e-7 * h
            chosen = where(h < 0.5, cells.mean(h) ** 2, cells.maximum(-h, 3.0))
            return cells.normalise(x.candidate + u.candidate(value)) - chosen, h * (long_memory + chosen)

    assert tex(Every().program()) == [
        r"a_{t} = \begin{cases} \overline{h_{t-1}}^{2} & \text{if } h_{t-1} < 0.5 \\ "
        r"\max\left(-h_{t-1}, 3\right) & \text{otherwise} \end{cases}",
        r"n_{t} = \mathrm{LN}\left(W_{n} x_{t} + b_{n} + U_{n} \left(\frac{\sqrt{\left|h_{t-1}\right|}}"
        r"{2 \, \mathrm{scale}} - 1 \cdot 10^{-7} \, h_{t-1}\right) + c_{n}\right) - a_{t}",
        r"\mathrm{long\,memory}_{t} = h_{t-1} \odot \left(\mathrm{long\,memory}_{t-1} + a_{t}\right)",
        r"h_{t} = n_{t}",
    ]


def read(lines, numbers):
    """What the lines say of a single unit, as Python computes it."""
    known = {
        "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
        "relu": lambda a: max(a, 0.0),
        "softplus": lambda a: math.log1p(math.exp(a)),
        "where": lambda condition, a, b: a if condition else b,
        "mean": lambda a: a,
        "LN": lambda a: 0.0,
        "min": min,
        "max": max,
        "abs": abs,
        **{name: getattr(math, name) for name in ("tanh", "exp", "log", "sqrt")},
        **numbers,
    }
    for line in lines:
        name, formula = line.split(" = ", 1)
        formula = re.sub(r"\b([WU]_\w+) (?=[\w(])", r"\1 * ", formula.replace("'", "_before"))
        known[name] = eval(formula, {}, known)
    return known


@pytest.mark.parametrize("seed", range(40))
def test_the_lines_say_what_the_program_computes(seed):
    random = Random(seed)
    drawn = program(draw_cell(random))
    numbers = {f"{state}_before": random.uniform(-1, 1) for state in drawn.states}
    numbers |= {name: random.uniform(-1, 1) for name in drawn.parameters} | {"x": random.uniform(-1, 1)}
    for letter, gates in (
        ("W", drawn.inputs),
        ("b", drawn.inputs),
        ("U", drawn.products),
        ("c", drawn.products),
    ):
        numbers |= {f"{letter}_{gate}": random.uniform(-1, 1) for gate in gates}

    def leaf(each):
        index = int(each.value)
        value = {
            "input": lambda: (
                numbers[f"W_{drawn.inputs[index]}"] * numbers["x"] + numbers[f"b_{drawn.inputs[index]}"]
            ),
            "state": lambda: numbers[f"{drawn.states[index]}_before"],
            "parameter": lambda: numbers[list(drawn.parameters)[index]],
            "constant": lambda: each.value,
        }[each.op]()
        return torch.full((1, 1), value, dtype=torch.float64)

    def multiply(index, value):
        gate = drawn.products[index]
        return numbers[f"U_{gate}"] * value + numbers[f"c_{gate}"]

    values = evaluate(drawn.instructions, leaf, multiply)
    found = read(equations(drawn), numbers)
    for state, result in zip(drawn.states, drawn.results, strict=True):
        assert found[state] == pytest.approx(float(values[result]), abs=1e-9)


@pytest.mark.parametrize("name", library.names())
def test_the_tex_of_the_library_is_whole(name):
    for line in cells.tex(name):
        assert line.count("{") == line.count("}")
        assert line.count(r"\left") == line.count(r"\right")
        assert "_before" not in line


def test_the_page_of_cells_runs_and_its_formulas_can_be_drawn():
    page = (Path(__file__).parents[2] / "docs" / "cells.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python exec=\"on\"\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(compile(code, "docs/cells.md", "exec"), {})
    text = said.getvalue()
    assert all(f"## `{name}`" in text for name in library.names())
    convert = pytest.importorskip("latex2mathml.converter").convert
    formulas = re.findall(r"^\$\$ (.*) \$\$$", text, flags=re.MULTILINE)
    assert len(formulas) > 2 * len(library.names())
    assert not any("\\" in convert(formula) for formula in formulas)


def test_a_cell_that_is_not_fused_has_none():
    plain = type("Plain", (library.cell("janet"),), {"fused": False})
    with pytest.raises(ConfigError, match="expected a fused cell"):
        cells.tex(plain)
