"""Columns beside series: numbers, categories, what never changes and what is not read."""

import csv
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd

from tests.fuzz.case import program_of
from unrolled.data.categories import static_names
from unrolled.data.example import Series
from unrolled.data.series import KnownSeries, read_series_with_layout

_WORDS = ("rain", "sun", "Snow", "très chaud", "no", "A", "b 2", "5 pm", "true", "x,y", 'say "so"', "--")
_EMPTY = ("", "", "NA", "null")


@dataclass(frozen=True)
class BesideCase:
    """Two tables of the same columns, and what of them is read.

    Attributes:
        columns: the header.
        rows: of the table to learn from, then of a later one.
        asked: the columns of numbers that are said to be categories.
        read: the covariates by name: whether they are categories.
        static: those that never change within a series.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]
    asked: tuple[str, ...]
    read: tuple[tuple[str, bool], ...]
    static: tuple[str, ...]

    def difference(self) -> str | None:
        """The first thing that came out as another."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "a.csv")
            self._write(path, 0)
            learnt = read_series_with_layout(path, categories=self.asked or None)
            first = learnt.series[0]
            if sorted(first.names) != sorted(name for name, _ in self.read):
                return f"read {first.names}, true {[name for name, _ in self.read]}"
            kinds = {name: name in first.categories for name in first.names}
            if kinds != dict(self.read):
                return f"categories {kinds}, true {dict(self.read)}"
            if sorted(static_names(learnt.series)) != sorted(self.static):
                return f"static {static_names(learnt.series)}, true {self.static}"
            if wrong := self._compared(learnt.series, 0, first.categories):
                return wrong
            steps = {"": first.step or "D"}
            known = KnownSeries(learnt.layout, first.names, steps, first.categories)
            self._write(path, 1)
            return self._compared(read_series_with_layout(path, known=known).series, 1, first.categories)

    def _write(self, path: Path, part: int) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows((self.columns, *self.rows[part]))

    def _compared(self, series: tuple[Series, ...], part: int, categories) -> str | None:
        """What of the table's cells differs from the series', past and future."""
        frame = pd.DataFrame(self.rows[part], columns=list(self.columns))
        for one in series:
            rows = frame[frame["unique_id"] == one.unique_id]
            there = one.covariates if one.future is None else np.concatenate([one.covariates, one.future])
            if len(there) != len(rows):
                return f"{len(there)} steps of {one.unique_id}, true {len(rows)}"
            for name, column in zip(one.names, there.T, strict=True):
                known = categories.get(name)
                for number, cell in zip(column, rows[name], strict=True):
                    true = _true(cell, known)
                    if not (number == true or (np.isnan(number) and np.isnan(true))):
                        return f"{name} of {cell!r} in {one.unique_id}: got {number}, true {true} of {known}"
        return None

    def program(self) -> str:
        """A program that shows the difference."""
        return program_of(self)


def _true(cell: str, known) -> float:
    empty = cell in _EMPTY
    if known is None:
        return np.nan if empty else float(cell)
    if empty:
        return float(known.index("")) if "" in known else np.nan
    text = cell[: -len(".0")] if cell.endswith(".0") else cell
    return float(known.index(text)) if text in known else -1.0


def draw(random: Random) -> BesideCase:
    """Random tables."""
    count, length = random.choice((1, 2, 3, 5)), random.randint(30, 50)
    names = [f"shop {number}" for number in range(count)]
    columns: dict[str, list] = {}
    read: list[tuple[str, bool]] = []
    static, asked = [], []
    made = (_number, _words, _numbered, _kind, _size, _remark, _constant, _name_again)
    for place in range(random.randint(1, 5)):
        make = random.choice(made)
        name = f"{make.__name__.strip('_')} {place}"
        cells, kind, never_changes, ask = make(random, count, length)
        if kind is not None:
            read.append((name, kind))
        if ask:
            asked.append(name)
        if never_changes and count > 1:
            static.append(name)
        columns[name] = cells
    header = ["unique_id", "ds", "y", *columns]
    random.shuffle(header)
    future = random.randint(0, 3) if any(kind is not None for _, kind in read) else 0
    parts = []
    for start, steps, new in ((0, length, False), (length, random.randint(4, length), True)):
        rows = []
        for number, shop in enumerate(names):
            for step in range(steps):
                ends = step >= steps - future
                row = {
                    "unique_id": shop,
                    "ds": str((pd.Timestamp("2024-01-01") + pd.Timedelta(days=start + step)).date()),
                    "y": "" if ends else str(random.randint(1, 99)),
                }
                for name, cells in columns.items():
                    row[name] = cells[number][step]
                    if new and (name, True) in read and random.random() < 0.1:
                        row[name] = "never seen"
                rows.append(row)
            if not future and not rows[-1]["y"]:
                rows[-1]["y"] = "1"
        parts.append(tuple(tuple(row[name] for name in header) for row in rows))
    return BesideCase(tuple(header), (parts[0], parts[1]), tuple(asked), tuple(read), tuple(static))


def _number(random: Random, count: int, length: int):
    return (
        [[str(random.randint(0, 9999) / 4) for _ in range(length)] for _ in range(count)],
        False,
        False,
        False,
    )


def _words(random: Random, count: int, length: int):
    words = random.sample(_WORDS[:10], random.randint(2, 6))
    empty = random.choice((0, 0, 0.5))
    cells = [
        [random.choice(_EMPTY) if random.random() < empty else random.choice(words) for _ in range(length)]
        for _ in range(count)
    ]
    for place, word in enumerate(words):  # each is there, and changes
        cells[0][place] = word
    for each in cells:
        each[0], each[1], each[-1] = words[0], words[1], words[0]
    return cells, True, False, False


def _numbered(random: Random, count: int, length: int):
    ending = random.choice(("", ".0"))
    cells = [[f"{random.randint(1, 4)}{ending}" for _ in range(length)] for _ in range(count)]
    cells[0][:2] = f"1{ending}", f"2{ending}"
    return cells, True, False, True


def _kind(random: Random, count: int, length: int):
    """A category of each series, which at least two have in common."""
    if count < 3:
        return _words(random, count, length)
    kinds = [random.choice(("small", "large")) for _ in range(count)]
    kinds[:3] = "small", "large", "small"
    return [[kind] * length for kind in kinds], True, True, False


def _size(random: Random, count: int, length: int):
    return [[str(random.randint(1, 900))] * length for _ in range(count)], False, True, False


def _remark(random: Random, count: int, length: int):
    return [[f"see {number}.{step}" for step in range(length)] for number in range(count)], None, False, False


def _constant(random: Random, count: int, length: int):
    return [["degrees"] * length for _ in range(count)], None, False, False


def _name_again(random: Random, count: int, length: int):
    return [[f"The shop number {number}"] * length for number in range(count)], None, False, False
