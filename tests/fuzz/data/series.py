"""Series in the tables that people keep them in, read back: times, numbers, step, and what comes next."""

import datetime
import io
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random

import openpyxl
import pandas as pd
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.fuzz.case import program_of
from unrolled.data.calendar import future_times, time_texts
from unrolled.data.series import read_series

_DAYS = {
    **{
        "D": "D",
        "B": "B",
        "W-MON": "W",
        "W-SUN": "W",
        "2W-WED": "2W",
        "30D": "30D",
        "10D": "10D",
        "ME": "ME",
    },
    **{"MS": "MS", "QS": "QS", "QE": "QE", "YS": "YS", "YE": "YE", "BME": "BME", "BMS": "BMS", "2MS": "2MS"},
    **{"BQE": "BQE", "SIX": "6MS", "15TH": "M@15", "30TH": "M@30"},
}
"""Steps of a day or more: by pandas's name, and by ours."""
_HOURS = {
    "h": "h",
    "30min": "30min",
    "15min": "15min",
    "6h": "6h",
    "min": "min",
    "10s": "10s",
    "90min": "90min",
}
_ZONES = ("Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "UTC")
_CHANGING_ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Sydney",
    "Europe/London",
    "America/Sao_Paulo",
)
_DAYS_IN_UTC = ("D", "B", "W-MON", "MS", "ME", "QS", "BME", "10D")
_CLOCKS = (3, 4, 6, 8, 12)
"""Hours between steps by the clock; at none of them clocks of the zones are changed."""
_DAY_ZERO, _FIRST_SERIAL, _LAST_SERIAL = map(pd.Timestamp, ("1899-12-30", "1955-01-01", "2095-01-01"))
"""Excel's first day, and dates between which its numbers are taken for dates, whatever day is their first."""
_MARKERS = ("", "", "NA", "-", "missing", "null", "n/a", ".", "NaN")
_DAY_FORMS = (
    *(
        "%Y-%m-%d",
        "%Y-%m-%d",
        "%Y/%m/%d",
        "%Y.%m.%d",
        "%Y%m%d",
        "%d/%m/%Y",
        "%m/%d/%Y",
        "%d.%m.%Y",
        "%d-%m-%Y",
    ),
    *("%d %b %Y", "%d-%b-%Y", "%B %d, %Y", "%d-%b-%y", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%a, %d %b %Y"),
)
_CLOCK_FORMS = (
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%Y%m%d%H%M%S"),
    *("%Y%m%dT%H%M%S", "%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%d %b %Y %H:%M:%S"),
)
_MONTH_FORMS = ("%Y-%m", "%b-%y", "%YM%m", "%B %Y", "%Y%m", "%m/%Y", "%Y %b", "%b-%Y", "fraction")
_OFFSET_FORMS = ("iso", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S%z", "%d %b %Y %H:%M:%S %z")


@dataclass(frozen=True)
class SeriesCase:
    """A file by its name and content, how it is asked for, and the series that are in it.

    Of each series: its name, its times and the next two as texts or numbers, its numbers, its step.
    """

    name: str
    content: bytes
    options: tuple[tuple[str, object], ...]
    series: tuple[tuple[str, tuple, tuple, tuple[float | None, ...], str | None], ...]

    def difference(self) -> str | None:
        """The first series that came out as another."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, self.name)
            path.write_bytes(self.content)
            found = {one.unique_id: one for one in read_series(path, **dict(self.options))}  # type: ignore[arg-type]
        if sorted(found) != sorted(name for name, *_ in self.series):
            return f"got the series {sorted(found)}, true {sorted(name for name, *_ in self.series)}"
        for name, times, after, values, step in self.series:
            one = found[name]
            got = [None if math.isnan(each) else each for each in one.values.tolist()]
            said = time_texts(one, one.times)
            for what, came, true in (
                ("step", one.step, step),
                ("times", _comparable(said), _comparable(times)),
                ("numbers", got, list(values)),
                ("next", _comparable(time_texts(one, future_times(one, 2))), _comparable(after)),
            ):
                if came != true:
                    return f"{what} of {name!r}: got {came}, true {true}"
        return None

    def program(self) -> str:
        """A program that shows the difference."""
        return program_of(self)


def _comparable(times):
    if all(isinstance(time, int | float) for time in times):
        return [round(time, 6) for time in times]
    return [pd.Timestamp(time).isoformat() for time in times]


def draw(random: Random) -> SeriesCase:
    """A random file of a random kind."""
    if random.random() < 0.15:
        return _by_the_clock(random)
    kind = random.choice(
        ("days", "days", "days", "hours", "hours", "months", "quarters", "weeks", "years", "numbers")
    )
    count = random.choice((1, 1, 2, 3))
    length = random.randint(14, 60)
    names = ["y"] if count == 1 else [f"shop {number}" for number in range(1, count + 1)]
    if kind == "numbers":
        return _numbers(random, names, length)
    frequency, step = _step(random, kind)
    zone = random.choice(_ZONES) if kind in ("days", "hours") and random.random() < 0.3 else None
    start = pd.Timestamp(random.randint(1995, 2027), random.randint(1, 12), random.randint(1, 28))
    if kind == "hours":
        start += pd.Timedelta(minutes=random.choice((0, 0, 30)), hours=random.randint(0, 23))
    wide = zone is None and kind != "hours" and random.random() < 0.3
    every = _times(frequency, start, length + 2 + 12 * (count - 1), zone)
    write, options = _form(random, kind, every, zone)
    if "serial" in options:
        wide = False
    series, rows = [], []
    for number, name in enumerate(names):
        first = 0 if wide else random.randint(0, 12) * bool(number)
        times = every[first : first + length]
        gaps = _gaps(random, length)
        if len(gaps) > length // 4 or frequency == "B":
            gaps = gaps[:2]
        kept = [place for place in range(length) if place not in gaps]
        values = [_value(random) for _ in range(length)]
        values[0] = values[-1] = random.randint(1, 99) / 2
        for place in gaps:
            values[place] = None
        after = every[first + length : first + length + 2]
        if zone is not None:
            offsets = {time.utcoffset() for time in _among(times, kept)}
            if len(offsets) == 1:  # what lies ahead is of the offset that was seen
                fixed = next(iter(offsets))
                after = _with_offset(times, after, fixed, kind)
        texts = tuple(time.isoformat() for time in times), tuple(time.isoformat() for time in after)
        series.append((name, *texts, tuple(values), step))
        rows += [(name, times[place], values[place]) for place in kept]
    if zone is not None and count > 1:
        # Of all series together the zone is told.
        return draw(random)
    content, name = (_wide if wide else _long)(random, names, rows, write)
    return SeriesCase(name, content, tuple(options.get("options", ())), tuple(series))


def _by_the_clock(random):
    """A series that is even by the clocks of its zone alone: with their offsets, or written in UTC."""
    zone, length = random.choice(_CHANGING_ZONES), random.randint(14, 60)
    start = pd.Timestamp(random.randint(1995, 2018), random.randint(1, 12), random.randint(1, 28))
    if random.random() < 0.5:
        frequency = random.choice(_DAYS_IN_UTC)
        step = _DAYS[frequency]
        times = list(pd.date_range(start, periods=length + 2, freq=frequency))
        written_in_utc = True
    else:
        hours = random.choice(_CLOCKS)
        frequency, step = f"{hours}h", f"{hours}h by the clock"
        times = list(pd.date_range(start, periods=length + 2, freq=frequency))
        written_in_utc = random.random() < 0.5
    first_of_skipped = "shift_forward"  # midnight, in Sao Paulo
    times = [time.tz_localize(zone, nonexistent=first_of_skipped, ambiguous=True) for time in times]
    gaps = _gaps(random, length)[:2]
    kept = [place for place in range(length) if place not in gaps]
    seen = _among(times, kept)
    # In UTC a midnight that was skipped is as late as it would have been.
    even = pd.Timedelta(step.split()[0]) if step.endswith("clock") else pd.Timedelta("1D")
    in_utc = {(time.tz_convert("UTC") - _DAY_ZERO.tz_localize("UTC")) % even for time in seen}
    if len({time.utcoffset() for time in seen}) == 1 or (written_in_utc and len(in_utc) == 1):
        return _by_the_clock(random)  # no change of clock is to be seen
    if not written_in_utc:
        write = random.choice(
            (lambda time: [time.isoformat()], lambda time: [time.strftime("%Y-%m-%d %H:%M:%S%z")])
        )
        said = [time.isoformat() for time in times]
    else:
        times = [time.tz_convert("UTC") for time in times]
        form = random.choice(("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S+00:00", "%Y-%m-%d %H:%M:%S", "unix"))
        write = (
            (lambda time: [str(int(time.timestamp()))])
            if form == "unix"
            else (lambda time: [time.strftime(form)])
        )
        said = [
            (time.tz_localize(None) if form == "%Y-%m-%d %H:%M:%S" else time).isoformat() for time in times
        ]
    values = [None if place in gaps else random.randint(0, 99) for place in range(length)]
    rows = [("y", times[place], values[place]) for place in kept]
    content, name = _long(random, ["y"], rows, write)
    series = ("y", tuple(said[:length]), tuple(said[length:]), tuple(values), step)
    return SeriesCase(name, content, (), (series,))


def _among(times, kept):
    return [times[place] for place in kept]


def _with_offset(times, after, fixed, kind):
    zone = datetime.timezone(fixed)
    if kind == "hours":
        return [time.tz_convert(zone) for time in after]
    return [time.tz_localize(None).tz_localize(zone) for time in after]


def _step(random, kind):
    if kind == "days":
        return random.choice(list(_DAYS.items()))
    if kind == "hours":
        return random.choice(list(_HOURS.items()))
    return {"months": ("MS", "MS"), "quarters": ("QS", "QS"), "weeks": ("W-MON", "W"), "years": ("YS", "YS")}[
        kind
    ]


def _times(frequency, start, length, zone):
    if frequency == "SIX":
        frequency = "6MS"
    if frequency in ("15TH", "30TH"):
        day = int(frequency[:2])
        months = pd.date_range(start.normalize(), periods=length, freq="MS")
        times = [month + pd.Timedelta(days=min(day, month.days_in_month) - 1) for month in months]
        return [time.tz_localize(zone) for time in times]
    if zone is not None and frequency in _HOURS:
        instants = pd.date_range(start, periods=length, freq=frequency, tz="UTC")
        return list(instants.tz_convert(zone))
    return list(pd.date_range(start, periods=length, freq=frequency, tz=zone))


def _gaps(random, length):
    if random.random() < 0.5:
        return []
    return sorted({random.randint(1, length - 2) for _ in range(random.randint(1, max(1, length // 10)))})


def _value(random):
    return random.choice(
        (None,) if random.random() < 0.05 else (random.randint(-99, 999), random.randint(0, 9999) / 4)
    )


def _form(random, kind, times, zone):
    """A function that writes a time in one or two cells, and what is to be said of it."""
    if zone is not None:
        form = random.choice(_OFFSET_FORMS)
        return (lambda time: [time.isoformat() if form == "iso" else time.strftime(form)]), {}
    if kind == "hours" and random.random() < 0.3:
        return random.choice(
            (
                lambda time: [time.strftime("%Y-%m-%d"), time.strftime("%H:%M:%S")],
                lambda time: [str(int(time.timestamp()))],
                lambda time: [str(int(time.timestamp()) * 1000)],
                lambda time: [f"{time.timestamp():.1f}"],
            )
        ), {}
    if kind == "days" and random.random() < 0.1 and times[-1] < _LAST_SERIAL:
        return (lambda time: [str((time - _DAY_ZERO).days)]), {"serial": True}
    form = {
        **{"days": random.choice(_DAY_FORMS), "hours": random.choice(_CLOCK_FORMS)},
        **{"months": random.choice(_MONTH_FORMS), "weeks": random.choice(("%G-W%V", "%GW%V", "%G-W%V-%u"))},
        **{
            "quarters": random.choice(("{0}Q{1}", "{0}-Q{1}", "Q{1} {0}", "{1}Q{0}", "{0} Q{1}")),
            "years": "%Y",
        },
    }[kind]
    if "%y" in form and (times[0].year < 1969 or times[-1].year > 2068):
        form = form.replace("%y", "%Y")  # two digits would be of another century
    if form == "fraction":
        return (lambda time: [f"{time.year + (time.month - 1) / 12:.4f}"]), {}
    if kind == "quarters":
        return (lambda time: [form.format(time.year, time.quarter)]), {}
    said = ()
    if form.startswith(("%d/%m", "%m/%d", "%d-%m")) and all(time.day <= 12 for time in times):
        said = (("dayfirst", form.startswith("%d")),)
    elif form.startswith(("%d/%m", "%m/%d", "%d-%m")):
        # What the rows that are kept show is not known here: where few are telling, it is said.
        telling = sum(time.day > 12 for time in times)
        said = (
            (("dayfirst", form.startswith("%d")),)
            if telling < len(times) // 2 or random.random() < 0.2
            else ()
        )
    return (lambda time: [time.strftime(form)]), {"options": said}


def _cell(value, random, comma):
    if value is None:
        return random.choice(_MARKERS)
    return f"{value:g}".replace(".", ",") if comma else f"{value:g}"


def _table(random, header, rows, comma):
    separator = ";" if comma else random.choice((",", ",", ";", "\t", "|"))
    lines = [separator.join(_quoted(cell, separator) for cell in row) for row in (header, *rows)]
    text = random.choice(("\n", "\n", "\r\n")).join(lines) + random.choice(("", "\n"))
    return text.encode(random.choice(("utf-8", "utf-8", "utf-8-sig"))), random.choice(
        ("a.csv", "a.csv", "a.tsv")
    )


def _quoted(cell, separator):
    return f'"{cell}"' if separator in cell else cell


def _long(random, names, rows, write):
    comma = random.random() < 0.2
    two = len(write(rows[0][1])) == 2
    if random.random() < 0.3:
        random.shuffle(rows)
    columns: list[tuple[str, list[str]]] = [
        ("Date" if two else random.choice(("ds", "date", "Date", "timestamp", "when")), [])
    ]
    cells = [write(time) for _, time, _ in rows]
    if columns[0][0] == "when" and all(each[0].replace(".", "").lstrip("-").isdecimal() for each in cells):
        columns[0] = ("date", [])  # numbers are times by their name alone
    if all(each[0].isdecimal() and len(each[0]) == 5 for each in cells):
        columns[0] = (random.choice(("date", "Date", "Order date")), [])  # and Excel's by what it says
    columns[0][1].extend(each[0] for each in cells)
    date_cells = columns[0][1]
    if two:
        columns.append(("Time", [each[1] for each in cells]))
    if len(names) > 1:
        columns.append((random.choice(("unique_id", "id", "series")), [name for name, *_ in rows]))
    columns.append(("y", [_cell(value, random, comma) for *_, value in rows]))
    if random.random() < 0.3:
        columns.append(("note", [random.choice(("a", "b", "nothing")) for _ in rows]))
    if random.random() < 0.3:
        columns.append(("x", [str(random.randint(0, 9)) for _ in rows]))
    if random.random() < 0.3:
        random.shuffle(columns)
    if random.random() < 0.15:
        columns.insert(0, ("", [str(number) for number in range(len(rows))]))
    header, body = [name for name, _ in columns], list(zip(*(cells for _, cells in columns), strict=True))
    at = next(place for place, (_, cells) in enumerate(columns) if cells is date_cells)
    if not two and random.random() < 0.1 and all(_is_a_day_without_zone(time) for _, time, _ in rows):
        return _sheet(random, header, body, at, [time for _, time, _ in rows], comma)
    return _table(random, header, body, comma)


def _is_a_day_without_zone(time):
    return isinstance(time, pd.Timestamp) and time.tz is None and _FIRST_SERIAL <= time < _LAST_SERIAL


def _sheet(random, header, body, at, times, comma):
    """A workbook whose dates are dates, or the numbers that Excel keeps for them."""
    book = openpyxl.Workbook()
    if random.random() < 0.2:
        book.epoch = CALENDAR_MAC_1904
    serial = random.random() < 0.5
    names = list(header)
    if serial:
        names[at] = random.choice(("date", "Date", "ds", "timestamp", "Order date"))
    book.active.append(names)
    for row, time in zip(body, times, strict=True):
        cells = [_number_or_text(cell, comma) for cell in row]
        cells[at] = time.to_pydatetime()
        if serial:
            days = (time - pd.Timestamp(book.epoch)) / pd.Timedelta(days=1)
            cells[at] = int(days) if days == int(days) else days
        book.active.append(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue(), "a.xlsx"


def _number_or_text(cell, comma):
    try:
        return float(cell.replace(",", ".") if comma else cell) if cell else None
    except ValueError:
        return cell


def _wide(random, names, rows, write):
    comma = random.random() < 0.2
    times = sorted({time for _, time, _ in rows})
    values = {(name, time): value for name, time, value in rows}
    prefix = "X" if all(write(time)[0].isdecimal() for time in times) and random.random() < 0.3 else ""
    header = ["shop", *(prefix + write(time)[0] for time in times)]
    # With few rows it is by most cells of a column that its decimal commas are told.
    write_cell = (
        (lambda value: "" if value is None else _cell(value, random, comma))
        if comma
        else (lambda value: _cell(value, random, comma))
    )
    body = [[name, *(write_cell(values.get((name, time))) for time in times)] for name in names]
    if random.random() < 0.3:
        header.insert(1, "Code")
        for number, row in enumerate(body):
            row.insert(1, f"c{number % 2}")
    return _table(random, header, body, comma)


def _numbers(random, names, length):
    step = random.choice((1, 1, 2, 10, 0.5, 0.1))
    first = random.choice((0, 1, 5, -20))
    series, rows = [], []
    for name in names:
        times = [round(first + step * place, 6) for place in range(length + 2)]
        gaps = _gaps(random, length)
        values = [None if place in gaps else random.randint(0, 99) for place in range(length)]
        values[0] = values[-1] = 5
        series.append((name, tuple(times[:length]), tuple(times[length:]), tuple(values), f"{step:g}"))
        rows += [(name, times[place], values[place]) for place in range(length) if place not in gaps]
    content, file = _long(random, names, rows, lambda time: [f"{time:g}"])
    return SeriesCase(file, content, (), tuple(series))
