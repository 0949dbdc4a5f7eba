"""Tables with several columns to forecast, read back: a series for each, told of the others."""

import csv
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd

from tests.fuzz.case import program_of
from unrolled.data.series import read_series

_NAMES = ("low", "high", "Sales", "Größe", "y", "visits 2")
Numbers = tuple[float | None, ...]


@dataclass(frozen=True)
class TargetsCase:
    """A table, the targets that are asked for, and what each is.

    Attributes:
        rows: the header first.
        asked: what is asked for, with commas between.
        targets: their names.
        series: by name the dates, the numbers of each target and those of the column beside them, if any.
    """

    rows: tuple[tuple[str, ...], ...]
    asked: str
    targets: tuple[str, ...]
    series: tuple[tuple[str, tuple[str, ...], tuple[Numbers, ...], Numbers | None], ...]

    def difference(self) -> str | None:
        """The first series that came out as another."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "a.csv")
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows(self.rows)
            found = {(each.of or "", each.target): each for each in read_series(path, target=self.asked)}
        wanted = {(name, target) for name, *_ in self.series for target in self.targets}
        if found.keys() != wanted:
            return f"series {sorted(found)}, true {sorted(wanted)}"
        for name, dates, numbers, beside in self.series:
            # All end where the last of them is known; what is known behind that is the future.
            end = max(at for each in numbers for at, value in enumerate(each) if value is not None) + 1
            for place, target in enumerate(self.targets):
                one = found[name, target]
                columns = dict(zip(one.names, one.covariates.T, strict=True))
                expected = {"": numbers[place]}
                for other, own in zip(self.targets, numbers, strict=True):
                    for of in self.targets:
                        if other != of:
                            expected[f"{other} for {of}"] = own if of == target else (None,) * len(own)
                expected["(target)"] = (float(place),) * len(dates)
                if beside is not None:
                    expected["beside"] = beside
                if sorted(columns) != sorted(expected.keys() - {""}):
                    return f"{target} of {name!r}: beside it {sorted(columns)}, true {sorted(expected)}"
                for column, true in expected.items():
                    got = columns[column] if column else one.values
                    if not np.array_equal(got, _array(true[:end]), equal_nan=True):
                        return f"{target} of {name!r}, {column or 'itself'}: got {got}, true {true[:end]}"
                if [str(each)[:10] for each in one.times] != list(dates[:end]):
                    return f"{target} of {name!r}: times {one.times}, true {dates[:end]}"
                if (one.future is not None) != (end < len(dates)):
                    return f"{target} of {name!r}: future {one.future}, true {len(dates) - end} steps"
                if one.future is not None and beside is not None:
                    got = one.future[:, one.names.index("beside")]
                    if not np.array_equal(got, _array(beside[end:]), equal_nan=True):
                        return f"{target} of {name!r}: future {got}, true {beside[end:]}"
        return None

    def program(self) -> str:
        """A program that shows the difference."""
        return program_of(self)


def _array(numbers: Numbers) -> np.ndarray:
    return np.array([np.nan if each is None else each for each in numbers])


def draw(random: Random) -> TargetsCase:
    """A random table."""
    targets = random.sample(_NAMES, random.randint(2, 4))
    several = random.random() < 0.6
    beside = random.random() < 0.5
    names = random.sample(("shop", "a: b", "7"), random.randint(2, 3)) if several else [""]
    rows, series = [], []
    for name in names:
        length = random.randint(12, 20)
        first = pd.Timestamp("2024-02-20") + pd.Timedelta(days=random.randint(0, 20))
        dates = tuple(str((first + pd.Timedelta(days=step)).date()) for step in range(length))
        future = random.randint(1, 3) if beside and random.random() < 0.5 else 0
        numbers = []
        for place in range(len(targets)):
            own = [random.randint(0, 999) / 4 if random.random() < 0.9 else None for _ in range(length)]
            early = random.choice((0, 0, 2)) if place else 0  # one may be known for less long
            own[0] = own[length - 1 - future] = 3.5
            if future + early:
                own[length - future - early :] = [None] * (future + early)
            numbers.append(tuple(own))
        numbers_beside = tuple(float(random.randint(0, 9999)) / 2 for _ in range(length)) if beside else None
        series.append((name, dates, tuple(numbers), numbers_beside))
        for at, date in enumerate(dates):
            cells = [date, *("" if own[at] is None else str(own[at]) for own in numbers)]
            rows.append(
                (*([name] if several else []), *cells, *([str(numbers_beside[at])] if beside else []))
            )
    header = (*(["unique_id"] if several else []), "ds", *targets, *(["beside"] if beside else []))
    if random.random() < 0.5:
        random.shuffle(rows)
    places = list(range(len(header)))
    if random.random() < 0.5:
        random.shuffle(places)
    table = tuple(tuple(row[place] for place in places) for row in (header, *rows))
    asked = random.choice((",", ", ")).join(targets)
    return TargetsCase(table, asked, tuple(targets), tuple(series))
