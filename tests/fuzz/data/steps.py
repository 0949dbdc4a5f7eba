"""Tables with a row a step and a tag in each, read back as sequences of numbers and tags."""

import io
import json
import math
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd

from tests.fuzz.case import program_of
from unrolled.data.conll import read_tagged
from unrolled.data.table_form import TableForm

_NAMES = ("run", "run 2", "7", "a,b", "żółć", "x-1", "Walk")
_TAGS = ("still", "moving", "up, down", "O", "1", "None", "NA", "être", "true")
_MISSING = ("", "NA", "nan")
Number = float | None


@dataclass(frozen=True)
class StepsCase:
    """A table in a file, and the sequences that are in it.

    Attributes:
        name: of the file.
        content: of the file.
        untagged: the same without tags.
        sequences: by name, the steps in the order of their times: numbers, None for one that is missing, and
            the tag. The time since the step before is the last of the numbers where steps are uneven.
    """

    name: str
    content: bytes
    untagged: bytes
    sequences: tuple[tuple[tuple[tuple[Number, ...], ...], tuple[str, ...]], ...]

    def difference(self) -> str | None:
        """The first sequence that came out as another, with its tags or later without."""
        with tempfile.TemporaryDirectory() as folder:
            path, later = Path(folder, self.name), Path(folder, f"later-{self.name}")
            path.write_bytes(self.content)
            later.write_bytes(self.untagged)
            found = read_tagged(path)
            again = read_tagged(later, tagged=False, form=TableForm(known=found.form))
        if len(found) != len(self.sequences) or len(again) != len(found):
            return f"got {len(found)} sequences, then {len(again)}, true {len(self.sequences)}"
        for number, (one, other, true) in enumerate(zip(found, again, self.sequences, strict=True)):
            steps = np.array([[math.nan if each is None else each for each in step] for step in true[0]])
            for got in (one.inputs, other.inputs):
                if got.shape != steps.shape or not np.allclose(got, steps, rtol=1e-9, equal_nan=True):
                    return f"sequence {number + 1}: got {got.tolist()}, true {steps.tolist()}"
            if one.target != true[1]:
                return f"sequence {number + 1}: tags {one.target}, true {true[1]}"
        return None

    def program(self) -> str:
        """A program that shows the difference."""
        return program_of(self)


def draw(random: Random) -> StepsCase:
    """A random table."""
    names = random.sample(_NAMES, random.randint(2, 4))
    channels = random.sample(("ax", "ay", "Größe", "heart rate"), random.randint(1, 3))
    tags = random.sample(_TAGS, random.randint(2, 4))
    time = random.choice((None, _counted, _counted, _seconds, _days, _instants))
    even = random.random() < 0.5
    columns = [random.choice(("id", "sequence_id", "series", "Sequence"))]
    rows, true = [], []
    lengths = [random.randint(2, 6) for _ in names]
    times = [_times(random, length, even) for length in lengths]
    steps = {b - a for each in times for a, b in pairwise(each)}
    for name, length, when in zip(names, lengths, times, strict=True):
        numbers = [tuple(_number(random) for _ in channels) for _ in range(length)]
        if not rows:  # that each column is of numbers can be seen
            numbers[0] = tuple(1.5 for _ in channels)
        own = tuple(random.choice(tags) for _ in range(length))
        unit = 1 if time is None else time(0)[1]
        elapsed = [0.0, *((b - a) * unit for a, b in pairwise(when))]
        read = tuple(
            (*each, since) if time is not None and len(steps) > 1 else each
            for each, since in zip(numbers, elapsed, strict=True)
        )
        true.append((read, own))
        rows += [
            (name, *(() if time is None else (time(at)[0],)), *each, tag)
            for at, each, tag in zip(when, numbers, own, strict=True)
        ]
    columns += [] if time is None else [random.choice(("t", "time", "timestamp"))]
    columns += [*channels, random.choice(("label", "tag", "activity", "State"))]
    order = list(range(len(rows)))
    if time is not None and random.random() < 0.5:
        random.shuffle(order)
    elif random.random() < 0.5:  # sequences side by side
        order.sort(key=lambda place: (sum(row[0] == rows[place][0] for row in rows[:place]), place))
    rows = [rows[place] for place in order]
    # Sequences come in the order of their first rows.
    firsts = {name: next(at for at, row in enumerate(rows) if row[0] == name) for name in names}
    true = [each for _, each in sorted(zip(names, true, strict=True), key=lambda pair: firsts[pair[0]])]
    places = list(range(len(columns)))
    if random.random() < 0.4:
        random.shuffle(places)
        # Numbers come in the order of their columns.
        first = len(columns) - 1 - len(channels)
        own = [place - first for place in places if first <= place < len(columns) - 1]
        true = [
            (tuple((*(step[at] for at in own), *step[len(own) :]) for step in steps), tags)
            for steps, tags in true
        ]
    write = random.choice((_delimited, _delimited, _lines, _parquet, _sheet))
    settings = random.randrange(1 << 30)
    kept = [place for place in places if place != len(columns) - 1]
    name, content = write(Random(settings), columns, rows, places)
    _, untagged = write(Random(settings), columns, rows, kept)
    return StepsCase(name, content, untagged, tuple(true))


def _times(random: Random, length: int, even: bool) -> list[int]:
    step, start = 2, random.randint(0, 50)
    if even:
        return [start + step * place for place in range(length)]
    return sorted(random.sample(range(start, start + 40), length))


def _counted(at: int) -> tuple[object, float]:
    return at, 1


def _seconds(at: int) -> tuple[object, float]:
    return at / 4, 0.25


def _days(at: int) -> tuple[object, float]:
    return str((pd.Timestamp("2024-01-25") + pd.Timedelta(days=at)).date()), 86400


def _instants(at: int) -> tuple[object, float]:
    return str(pd.Timestamp("2024-03-01 23:59:40") + pd.Timedelta(seconds=at)), 1


def _number(random: Random) -> Number:
    if random.random() < 0.1:
        return None
    return random.choice((0.0, -1.25, 3e6, 12.0, random.randint(-999, 999) / 8))


def _delimited(random, columns, rows, places):
    separator = random.choice((",", ",", ";", "\t"))
    decimal = "," if separator == ";" and random.random() < 0.5 else "."
    missing = random.choice(_MISSING)

    def cell(value):
        if value is None:
            return missing
        text = str(value).replace(".", decimal) if isinstance(value, float) else str(value)
        return '"' + text + '"' if separator in text else text

    lines = [separator.join(columns[place] for place in places)]
    lines += [separator.join(cell(row[place]) for place in places) for row in rows]
    return ("a.tsv" if separator == "\t" else "a.csv"), ("\n".join(lines) + "\n").encode()


def _lines(random, columns, rows, places):
    return "a.jsonl", "".join(
        json.dumps({columns[place]: row[place] for place in places}) + "\n" for row in rows
    ).encode()


def _frame(columns, rows, places):
    return pd.DataFrame(
        [[row[place] for place in places] for row in rows], columns=[columns[p] for p in places]
    )


def _parquet(random, columns, rows, places):
    return "a.parquet", _frame(columns, rows, places).to_parquet(index=False)


def _sheet(random, columns, rows, places):
    buffer = io.BytesIO()
    _frame(columns, rows, places).to_excel(buffer, index=False)
    return "a.xlsx", buffer.getvalue()
