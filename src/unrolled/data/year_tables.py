"""Tables with a year in each row and its months beside each other, as one long table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unrolled.data.dates import MONTH_NAMES
from unrolled.data.tables import Table, is_missing

_YEARS = ("year", "yr", "yyyy", "jahr", "")


def in_months(table: Table) -> Table:
    """The table with a row for each month, where it has one for each year and columns `Jan` to `Dec`.

    Other columns of numbers, such as the year's mean, are left out. Any other table is given back as it is.

    Example:
        >>> months = {name.title(): ["1", "2"] for name in MONTH_NAMES}
        >>> table = in_months(Table("passengers.csv", {"Year": ["1949", "1950"], **months}, np.array([2, 3])))
        >>> len(table), table.columns["date"][:2], table.columns["value"][11:13]
        (24, ['1949-01', '1949-02'], ['1', '2'])
    """
    lowered = {name.strip().lower()[:3]: name for name in table.columns if name.strip().isalpha()}
    year = next((name for name in table.columns if name.strip().lower() in _YEARS), None)
    if year is None or not set(MONTH_NAMES) <= set(lowered) or not table.is_numeric(year):
        return table
    years = table.numbers(year)
    if not ((years == np.round(years)) & (years >= 1000) & (years < 3000)).all():
        return table
    months = [lowered[name] for name in MONTH_NAMES]
    rows = [(entry, place) for entry in np.argsort(years, kind="stable").tolist() for place in range(12)]
    given = [not is_missing(table.columns[months[place]][entry]) for entry, place in rows]
    if any(given):  # the last year is not over, and the first may have begun late
        rows = rows[given.index(True) : len(rows) - given[::-1].index(True)]
    columns = {
        name: [cells[entry] for entry, _ in rows]
        for name, cells in table.columns.items()
        if name not in (year, *months) and not table.is_numeric(name)
    }
    columns["date"] = [f"{int(years[entry]):04}-{place + 1:02}" for entry, place in rows]
    columns["value"] = [table.columns[months[place]][entry] for entry, place in rows]
    note = "Each row holds a year, and its months are put one after another."
    every = np.array([table.rows[entry] for entry, _ in rows])
    return replace(table, columns=columns, rows=every, gaps=None, notes=(*table.notes, note))
