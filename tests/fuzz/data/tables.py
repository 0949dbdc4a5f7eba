"""Tables in the files that people keep them in, read back."""

import bz2
import csv
import gzip
import io
import json
import lzma
import math
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from tests.fuzz.case import program_of
from unrolled.data.delimited import SEPARATORS
from unrolled.data.table_form import TableForm
from unrolled.data.tables import read_table
from unrolled.errors import DataError

_ASCII = (
    "fine",
    "dull",
    "so",
    "a",
    "film",
    "plot",
    "Slow",
    "the",
    "ACT",
    "x1",
    "don't",
    "e.g.",
    "(sic)",
    "half%",
)
_WESTERN = (*_ASCII, "größe", "naïve", "süß", "Café", "“so”", "señor")
_WIDE = (*_WESTERN, "東京", "слово", "żółć", "ЖЗЛ", "日本語", "🙂")
_CYRILLIC = (*_ASCII, "слово", "дело", "Москва")
_TROUBLE = (", and", '"so"', "a; b", "#1", "- ", "'", '"')
_MISSING = ("", "", "NA", "nan", "null", "None", "N/A")
_USUAL = ("text", "label", "date", "value", "id", "Sentence", "Target")
_NAMES = ("alpha", "beta", "gamma ray", "Größe", "v1", "mean_of_all")

Cell = str | float | None


@dataclass(frozen=True)
class Column:
    """A column by its name and what it holds, and its cells as they are, None where one is missing."""

    name: str
    kind: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class TableCase:
    """A file by its name and content, how it is asked for, and the table that is in it.

    ``bad`` is the row and the column of a cell that is no number in a column of numbers.
    """

    name: str
    content: bytes
    options: tuple[tuple[str, str | bool], ...]
    columns: tuple[Column, ...]
    rows: tuple[int, ...]
    bad: tuple[int, str] | None

    def difference(self) -> str | None:
        """The first column that came out as another, or a bad cell that was not named."""
        form = TableForm(**dict(self.options))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, self.name)
            path.write_bytes(self.content)
            table = read_table(path, form=form)
            again = read_table(path, form=TableForm(known=table.form(), **dict(self.options)))
        if again.columns.keys() != table.columns.keys() or len(again) != len(table):
            return f"read as itself: {dict(again.columns)}, else {dict(table.columns)}"
        if sorted(table.columns) != sorted(column.name for column in self.columns):
            return f"columns {list(table.columns)}, true {[column.name for column in self.columns]}"
        if table.rows.tolist() != list(self.rows):
            return f"rows {table.rows.tolist()}, true {self.rows}"
        for column in self.columns:
            if column.kind == "text":
                if list(table.column(column.name)) != list(column.cells):
                    return f"column {column.name!r}: {table.column(column.name)}, true {column.cells}"
                continue
            try:
                got = table.numbers(column.name)
            except DataError as error:
                if self.bad != (error.row, error.column):
                    return f"column {column.name!r}: {error}, true {column.cells}, the bad cell is {self.bad}"
                continue
            if self.bad is not None and self.bad[1] == column.name:
                return f"column {column.name!r}: {got}, the bad cell {self.bad} went unnoticed"
            true = np.array([math.nan if cell is None else cell for cell in column.cells])
            if not np.array_equal(got, true, equal_nan=True):
                return f"column {column.name!r}: {got}, true {true}"
        return None

    def program(self) -> str:
        """A program that shows the difference."""
        return program_of(self)


def draw(random: Random) -> TableCase:
    """A random table in a file of a random kind."""
    kind = random.choice(
        ("csv", "csv", "csv", "tsv", "tsv", "json", "jsonl", "ndjson", "parquet", "xlsx", "npz")
    )
    encoding, words = (
        random.choice(_ENCODINGS) if kind in ("csv", "tsv", "json", "jsonl", "ndjson") else ("utf-8", _WIDE)
    )
    count = random.randint(3, 12)
    names = random.sample(_USUAL if random.random() < 0.4 else _NAMES, random.randint(2, 4))
    if "Größe" in names and encoding == "cp1251":
        names[names.index("Größe")] = "size"
    columns = [_column(random, name, count, words) for name in names]
    if all(column.kind != "text" for column in columns):
        columns[0] = _texts(random, columns[0].name, count, words)
    file = {"csv": _delimited, "tsv": _delimited, "json": _json, "jsonl": _json, "ndjson": _json}.get(kind)
    if file is not None:
        content, options, columns, rows, bad = file(random, kind, columns, encoding)
    else:
        maker = {"parquet": _parquet, "xlsx": _sheet, "npz": _arrays}[kind]
        content, options, columns, rows, bad = maker(random, columns)
    name = f"t.{kind}"
    if random.random() < 0.2:
        name, content = _packed(random, name, content)
    return TableCase(name, content, tuple(options), tuple(columns), tuple(rows), bad)


_ENCODINGS = (
    *(("utf-8", _WIDE), ("utf-8", _WIDE), ("utf-8", _ASCII), ("utf-8-sig", _WIDE), ("utf-16", _WIDE)),
    *(("utf-16-le", _ASCII), ("utf-16-be", _ASCII), ("cp1252", _WESTERN), ("cp1251", _CYRILLIC)),
)


def _column(random, name, count, words):
    kind = random.choice(("numbers", "numbers", "whole", "text"))
    if kind == "text":
        return _texts(random, name, count, words)
    scale = random.choice((1, 100, 1e6))
    numbers = [
        float(random.randint(-50, 5000))
        if kind == "whole"
        else round(random.gauss(0, scale), random.choice((1, 2)))
        for _ in range(count)
    ]
    gaps = random.choice((0, 0, 0.2, 0.6))
    cells = [None if random.random() < gaps else number for number in numbers]
    # A column without numbers is none of numbers.
    if sum(cell is not None for cell in cells) < 2:
        cells[-2:] = numbers[-2:]
    return Column(name, kind, tuple(cells))


def _texts(random, name, count, words):
    def text():
        some = [random.choice(words) for _ in range(random.randint(1, 5))]
        if random.random() < 0.2:
            some.append(random.choice(_TROUBLE))
        return " ".join(some)

    return Column(name, "text", tuple(text() for _ in range(count)))


def _delimited(random, kind, columns, encoding):
    options = [("encoding", "cp1251")] if encoding == "cp1251" else []
    separator = random.choice(SEPARATORS) if random.random() < 0.5 else {"csv": ",", "tsv": "\t"}[kind]
    comma = random.random() < 0.4
    header = random.random() < 0.75
    counter = header and random.random() < 0.15
    plain = separator == "\t" and random.random() < 0.7
    newlines = not plain and random.random() < 0.3
    if newlines:
        columns = [
            Column(
                c.name, c.kind, tuple(f"{cell}\nand" if random.random() < 0.2 else cell for cell in c.cells)
            )
            if c.kind == "text"
            else c
            for c in columns
        ]
    shown = [_shown(random, column, comma, encoding.startswith("utf")) for column in columns]
    bad_at = _spoilt(random, columns, shown)
    if counter:
        shown = [list(map(str, range(len(shown[0])))), *shown]
    names = [*([""] if counter else []), *(column.name for column in columns)]
    records = [*([names] if header else []), *map(list, zip(*shown, strict=True))]
    ends = random.choice(("\n", "\n", "\r\n"))
    buffer, rows, row = io.StringIO(), [], 1
    quoting = (
        csv.QUOTE_ALL
        if separator == "\t"
        else random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    )
    if random.random() < 0.05:
        buffer.write(f"sep={separator}{ends}")
        row += 1
    for line in _above(random, columns, shown, header, bad_at):
        buffer.write(line + ends)
        row += 1
    ending = separator * (random.randint(1, 2) if header and random.random() < 0.1 else 0)
    spaced = " " if separator != "\t" and quoting == csv.QUOTE_ALL and random.random() < 0.5 else ""
    for number, record in enumerate(records):
        line = io.StringIO()
        if plain:
            line.write(separator.join(record) + ending + ends)
        else:
            csv.writer(line, delimiter=separator, quoting=quoting, lineterminator=ends).writerow(record)
            written = line.getvalue().removesuffix(ends)
            if spaced:
                written = (separator + " ").join('"' + cell.replace('"', '""') + '"' for cell in record)
            line = io.StringIO(written + ending + ends)
        if not (header and number == 0):
            rows.append(row)
        buffer.write(line.getvalue())
        row += line.getvalue().count("\n")
        if random.random() < 0.05:
            buffer.write(ends)
            row += 1
    text = buffer.getvalue()
    if random.random() < 0.3:
        text = text.rstrip("\r\n")
    first = shown[1:] if counter else shown
    options += _asked(random, columns, [each[0] for each in first], records, separator, comma, header)
    if not header:
        columns = [Column(f"column_{n}", c.kind, c.cells) for n, c in enumerate(columns, start=1)]
    bad = None if bad_at is None else (rows[bad_at[1]], columns[bad_at[0]].name)
    return text.encode(encoding), options, columns, rows, bad


def _shown(random, column, comma, wide):
    """The cells of a column as text; some numbers as a ledger has them."""
    if column.kind == "text" or random.random() > 0.15:
        return [_written(random, column, cell, comma) for cell in column.cells]
    unit = random.choice(("$", "%", "€", "£", "kr", "USD", "¥") if wide else ("$", "%", "USD"))
    before = unit in "$£¥" or (unit == "USD" and random.random() < 0.5)
    space = random.choice(("", " ", "\u00a0")) if unit in ("%", "€") else random.choice(("", " "))
    losses = random.random() < 0.3
    cells = []
    for cell in column.cells:
        if cell is None:
            cells.append(random.choice(_MISSING))
            continue
        digits = f"{abs(cell):,.2f}"
        if comma:
            digits = digits.translate(str.maketrans(",.", ".,"))
        minus = "-" if cell < 0 and not losses else ""
        amount = f"{minus}{unit}{space}{digits}" if before else f"{minus}{digits}{space}{unit}"
        cells.append(f"({amount})" if cell < 0 and losses else amount)
    return cells


def _above(random, columns, shown, header, bad_at):
    """Lines of a title or of remarks, where the header below them shows itself over numbers."""
    telling = any(
        column.kind != "text" and all(cell is not None for cell in column.cells[:4])
        for place, column in enumerate(columns)
        if bad_at is None or bad_at[0] != place
    )
    if not header or not telling or len(shown) < 2 or random.random() > 0.2:
        return []
    lines = ("# exported by a tool", "#", "Report of the year", "# unit: kW", "", "Sales (thousands)")
    return random.sample(lines, random.randint(1, 3))


def _written(random, column, cell, comma):
    if cell is None:
        return random.choice(_MISSING)
    if column.kind == "text":
        return cell
    if column.kind == "whole":
        return str(int(cell))
    written = f"{cell:.1f}" if round(cell, 1) == cell and random.random() < 0.5 else f"{cell:.2f}"
    if not comma:
        return written
    if abs(cell) >= 1000 and random.random() < 0.3:
        whole, _, fraction = f"{cell:,.2f}".partition(".")
        return whole.replace(",", ".") + "," + fraction
    return written.replace(".", ",")


def _spoilt(random, columns, shown):
    """Where a cell of a column of enough numbers now holds something else: its column and its entry."""
    for place, column in enumerate(columns):
        good = [entry for entry, cell in enumerate(column.cells) if cell is not None]
        if column.kind != "text" and len(good) > 4 and random.random() < 0.1:
            entry = random.choice(good[1:])
            shown[place][entry] = random.choice(("oops", "1.2.3", "12 apples", "x"))
            return place, entry
    return None


def _asked(random, columns, first, records, separator, comma, header):
    """The flags without which nobody could tell."""
    numeric = [column.kind != "text" for column in columns]
    options = []
    over_numbers = any(
        each and sum(c is not None for c in column.cells) > 1
        for each, column in zip(numeric, columns, strict=True)
    )
    if header and not over_numbers:
        options.append(("header", True))
    if not header and not any(each and _is_number(cell) for each, cell in zip(numeric, first, strict=True)):
        options.append(("header", False))
    counts = {
        other: {sum(cell.count(other) for cell in record) for record in records}
        for other in SEPARATORS
        if other != separator
    }
    tied = any(len(found) == 1 and found != {0} for found in counts.values())
    if tied or random.random() < 0.1:
        options.append(("separator", separator))
    if comma and random.random() < 0.2:
        options.append(("decimal", ","))
    return options


def _is_number(cell):
    try:
        return math.isfinite(float(cell.replace(".", "").replace(",", ".")))
    except ValueError:
        return False


def _json(random, kind, columns, encoding):
    options = [("encoding", "cp1251")] if encoding == "cp1251" else []
    shown = [list(column.cells) for column in columns]
    bad_at = _spoilt(random, columns, shown)
    objects = []
    for cells in zip(*shown, strict=True):
        entry = {column.name: cell for column, cell in zip(columns, cells, strict=True)}
        if random.random() < 0.3 and objects:
            entry = {name: cell for name, cell in entry.items() if cell is not None}
        objects.append(entry)
    ascii_only = random.random() < 0.3
    if kind == "json":
        indent = random.choice((None, 2))
        text = json.dumps(_oriented(random, columns, objects), indent=indent, ensure_ascii=ascii_only)
        rows = list(range(1, len(objects) + 1))
    else:
        lines, rows = [], []
        for entry in objects:
            if random.random() < 0.1:
                lines.append("")
            lines.append(json.dumps(entry, ensure_ascii=ascii_only))
            rows.append(len(lines))
        text = "\n".join(lines)
    bad = None if bad_at is None else (rows[bad_at[1]], columns[bad_at[0]].name)
    return text.encode(encoding), options, columns, rows, bad


def _oriented(random, columns, objects):
    """The rows as pandas has them in one of its ways."""
    names = [column.name for column in columns]
    form = random.choice(("records", "records", "columns", "index", "split", "lists"))
    if form == "records":
        return objects
    cells = {name: [each.get(name) for each in objects] for name in names}
    if form == "lists":
        return cells
    places = list(map(str, range(len(objects))))
    if form == "columns":
        return {name: dict(zip(places, own, strict=True)) for name, own in cells.items()}
    if form == "index":
        return dict(zip(places, objects, strict=True))
    data = [[each.get(name) for name in names] for each in objects]
    return {"columns": names, "index": list(range(len(objects))), "data": data}


def _parquet(random, columns):
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.table({column.name: list(column.cells) for column in columns}), buffer)
    return buffer.getvalue(), [], columns, range(1, len(columns[0].cells) + 1), None


def _arrays(random, columns):
    buffer = io.BytesIO()
    arrays = {
        c.name: np.array(
            c.cells if c.kind == "text" else [math.nan if cell is None else cell for cell in c.cells]
        )
        for c in columns
    }
    np.savez(buffer, **arrays)
    return buffer.getvalue(), [], columns, range(1, len(columns[0].cells) + 1), None


def _sheet(random, columns):
    import openpyxl

    columns = [
        Column(c.name, c.kind, tuple(f"{cell}." if c.kind == "text" else cell for cell in c.cells))
        for c in columns
    ]
    shown = [list(column.cells) for column in columns]
    bad_at = _spoilt(random, columns, shown)
    header = random.random() < 0.75
    book = openpyxl.Workbook()
    sheet = book.active
    rows, row = [], 1
    records = [*([[column.name for column in columns]] if header else []), *zip(*shown, strict=True)]
    for number, record in enumerate(records):
        for place, cell in enumerate(record, start=1):
            sheet.cell(row, place, cell)
        if not (header and number == 0):
            rows.append(row)
        row += 1 + (random.random() < 0.1)
    first = ["" if each[0] is None else str(each[0]) for each in shown]
    options = [
        each for each in _asked(random, columns, first, [[""]], "", False, header) if each[0] == "header"
    ]
    if not header:
        columns = [Column(f"column_{n}", c.kind, c.cells) for n, c in enumerate(columns, start=1)]
    bad = None if bad_at is None else (rows[bad_at[1]], columns[bad_at[0]].name)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue(), options, columns, rows, bad


def _packed(random, name, content):
    kind = random.choice(("gz", "bz2", "xz", "zip"))
    if kind != "zip":
        return f"{name}.{kind}", {"gz": gzip, "bz2": bz2, "xz": lzma}[kind].compress(content)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return "t.zip", buffer.getvalue()
