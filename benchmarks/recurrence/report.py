"""Sections on the terminal, as JSON, as a plot, and as a page."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.recurrence.result import Bar, Section


def show(section: Section, console: Console) -> None:
    """Print a section with its bars."""
    table = Table(*section.columns, title=section.title, title_justify="left")
    for row in section.rows:
        table.add_row(*row)
    console.print(table)
    if section.note:
        console.print(section.note, style="dim")
    for bar in section.bars:
        console.print(f"{'[green]holds[/]' if bar.holds else '[red]misses[/]'}  {_sentence(bar)}")


def conclude(sections: Sequence[Section], console: Console) -> bool:
    """Print how many bars hold; whether all do."""
    bars = [bar for section in sections for bar in section.bars]
    console.print(f"{sum(bar.holds for bar in bars)} of {len(bars)} bars hold.")
    return all(bar.holds for bar in bars)


def write_json(path: Path, machine: str, sections: Sequence[Section]) -> None:
    """Save everything that was printed."""
    found: dict[str, Any] = {"machine": machine, "sections": [section.to_dict() for section in sections]}
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def marks(kind: str) -> tuple[str, str]:
    """The lines between which a page has the figures of a kind of machine."""
    return f"<!-- measured on {kind}: begin -->", f"<!-- measured on {kind}: end -->"


def around(path: Path, kind: str) -> tuple[str, str]:
    """What a page in Markdown has before and after the figures of a kind of machine, the marks included.

    Raises:
        ValueError: there is no such page, or it lacks the marks.
    """
    begin, end = marks(kind)
    page = path.read_text(encoding="utf-8") if path.is_file() else ""
    if page.count(begin) != 1 or page.find(end) < page.find(begin):
        raise ValueError(f"expected the lines {begin} and {end} in {path}, in this order.")
    before, rest = page.split(begin)
    return before + begin, end + rest.split(end, 1)[1]


def write_page(path: Path, kind: str, machine: str, command: str, sections: Sequence[Section]) -> None:
    """Put the figures between the two marks of a page; those of other kinds of machines stay.

    Raises:
        ValueError: as of `around`.
    """
    before, after = around(path, kind)
    parts = [f"Measured on {date.today():%d %B %Y} by `{command}` on: {machine}."]
    bars = [
        (bar.what, _measured(bar), _wanted(bar), "yes" if bar.holds else "**no**")
        for s in sections
        for bar in s.bars
    ]
    parts += ["### What was aimed at", _markdown(("figure", "measured", "aimed at", "holds"), bars)]
    for section in sections:
        parts += [f"### {section.title}", _markdown(section.columns, section.rows), section.note]
    body = "\n\n".join(part for part in parts if part)
    path.write_text(f"{before}\n{body}\n{after}", encoding="utf-8")


def draw(path: Path, sections: Sequence[Section]) -> None:
    """Every bar's figure beside what it has to reach, as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    bars = [bar for section in sections for bar in section.bars][::-1]
    places, colours = range(len(bars)), ["tab:green" if bar.holds else "tab:red" for bar in bars]
    measured, wanted = [bar.measured for bar in bars], [bar.wanted for bar in bars]
    figure, axes = pyplot.subplots(figsize=(9, 0.28 * len(bars) + 1), layout="constrained")
    axes.hlines(places, wanted, measured, color=colours)
    axes.scatter(measured, places, color=colours, zorder=3, label="measured")
    axes.scatter(wanted, places, marker="|", s=120, color="black", label="aimed at")
    axes.set_yticks(places, [bar.what + (" (at most)" if bar.at_most else "") for bar in bars], fontsize=7)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("ratio")
    axes.grid(axis="x", alpha=0.3)
    axes.set_ylim(-0.6, len(bars) - 0.4)
    axes.legend(loc="lower right")
    figure.savefig(path)
    pyplot.close(figure)


def _sentence(bar: Bar) -> str:
    return f"{bar.what}: {_measured(bar)} ({_wanted(bar)})"


def _measured(bar: Bar) -> str:
    return f"{bar.measured:.2f}"


def _wanted(bar: Bar) -> str:
    return f"at {'most' if bar.at_most else 'least'} {bar.wanted:g}"


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
