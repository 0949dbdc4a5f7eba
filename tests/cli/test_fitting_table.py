"""No number is cut, however narrow the terminal is."""

from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from unrolled.cli.fitting_table import FittingTable

SCORES = [f"rmse of target {index}" for index in range(9)]
METHODS = ["model", "seasonal naive", "linear autoregression"]


def printed(table: FittingTable, width: int) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=False)
    console.print(table)
    return console.file.getvalue()  # type: ignore[union-attr]


@pytest.mark.parametrize("width", [70, 80, 120, 200])
def test_a_wide_table_is_turned_rather_than_cut(width):
    rows = [
        [Text(name), *[Text(f"{at}.{10 * line + at:04}") for at in range(9)]]
        for line, name in enumerate(METHODS)
    ]
    text = printed(FittingTable(["method", *SCORES], rows, title="scores"), width)
    assert "…" not in text
    assert all(cell.plain in text for row in rows for cell in row[1:])
    assert max(map(len, text.splitlines())) <= width
    lines = text.splitlines()
    upright = any("model" in line and "0.0000" in line and "8.0008" in line for line in lines)
    assert upright == (width >= 120)


@settings(max_examples=25)
@given(st.integers(1, 12), st.integers(1, 4), st.integers(60, 220), st.randoms(use_true_random=False))
def test_every_number_is_there_and_no_line_is_too_long(columns, lines, width, random):
    numbers = [[f"{random.uniform(0, 99):.4f}" for _ in range(columns)] for _ in range(lines)]
    heads = ["method", *[random.choice(["rmse ↓", "coverage", "left at the start"]) for _ in range(columns)]]
    rows = [[Text("a b"), *map(Text, row)] for row in numbers]
    text = printed(FittingTable(heads, rows), width)
    assert all(number in text for row in numbers for number in row)
    assert max(map(len, text.splitlines())) <= width
