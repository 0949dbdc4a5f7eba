"""Tables that once came out as others, and a few draws."""

from random import Random

import pytest

from tests.fuzz.data.tables import Column, TableCase, draw

FOUND = [
    # Most cells of a column of decimal commas are missing.
    TableCase(
        "t.csv",
        b'text,v\nfine,null\nso,NA\ndull,N/A\na,"70,5"\nb,"133,62"\n',
        (),
        (
            Column("text", "text", ("fine", "so", "dull", "a", "b")),
            Column("v", "n", (None, None, None, 70.5, 133.62)),
        ),
        (2, 3, 4, 5, 6),
        None,
    ),
    # Groups of thousands and decimal commas beneath a name.
    TableCase(
        "t.csv",
        b'alpha,beta\ne.g.,"87.391,00"\nso,"637.959,07"\n',
        (),
        (Column("alpha", "text", ("e.g.", "so")), Column("beta", "n", (87391.0, 637959.07))),
        (2, 3),
        None,
    ),
    # A missing number stands in the first row, and is no name; nor is a missing first cell a data frame's.
    TableCase(
        "t.tsv",
        b"so , and\tNone\t14.85\nfine\t923\t84.96\nslow\t473\t-4.5\n",
        (),
        (
            Column("column_1", "text", ("so , and", "fine", "slow")),
            Column("column_2", "n", (None, 923.0, 473.0)),
            Column("column_3", "n", (14.85, 84.96, -4.5)),
        ),
        (1, 2, 3),
        None,
    ),
    TableCase(
        "t.tsv",
        b"\t4535\n923\t84\n\t-4\n",
        (),
        (Column("column_1", "n", (None, 923.0, None)), Column("column_2", "n", (4535.0, 84.0, -4.0))),
        (1, 2, 3),
        None,
    ),
    # One spoilt number does not make data of the names above it.
    TableCase(
        "t.csv",
        b"alpha,beta\n1,slow\n2,fine film\n3,so\n4,a b\nx,c\n",
        (),
        (
            Column("alpha", "n", (1.0, 2.0, 3.0, 4.0, None)),
            Column("beta", "text", ("slow", "fine film", "so", "a b", "c")),
        ),
        (2, 3, 4, 5, 6),
        (6, "alpha"),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", FOUND, ids=range(len(FOUND)))
def test_what_once_came_out_as_another(case):
    assert case.difference() is None


@pytest.mark.parametrize("seed", range(40))
def test_random_tables_are_read_back(seed):
    pytest.importorskip("openpyxl")
    assert draw(Random(seed)).difference() is None
