"""The recurrences beside torch.nn and others: tables, the figures aimed at and whether they are reached.

Both sides of every comparison run in turns on the same threads, in a process of their own; a ratio is the
median over the rounds' ratios, for the machine's pace changes while it is measured. Gradients are compared
before anything is timed. It takes some ten minutes, with --quick under two, on an otherwise idle machine.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

SECTIONS = (
    "grids",
    "ragged",
    "options",
    "normalised",
    "recording",
    "streaming",
    "stacked",
    "memory",
    "others",
)


def main() -> int:
    """Measure what was asked for; 1 where a figure is not reached."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recurrence", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="fewer shapes and rounds")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="these parts")
    parser.add_argument("--compile", action="store_true", help="torch.compile too, which takes minutes")
    parser.add_argument("--threads", type=int, help="by default those that torch takes")
    parser.add_argument("--json", type=Path, help="save the figures")
    parser.add_argument("--plot", type=Path, help="draw the figures aimed at")
    parser.add_argument("--page", type=Path, help="put the tables between the marks of a page in Markdown")
    arguments = parser.parse_args()
    _settle_threads(arguments.threads)
    return _measure(arguments)


def _settle_threads(threads: int | None) -> None:
    """Bind the threads to their cores, for both sides: two of them can share one core for seconds.

    OpenMP reads this when it is loaded, so the program begins anew where it was not said.
    """
    wanted = {"OMP_PROC_BIND": "true"} | ({"OMP_NUM_THREADS": str(threads)} if threads else {})
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.environ.update(wanted)
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.recurrence", *sys.argv[1:]])


def _measure(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from benchmarks.machine import instruction_set, machine
    from benchmarks.processes import apart
    from benchmarks.recurrence import grids, memory, others, streaming, variants
    from benchmarks.recurrence.measure import FULL, QUICK
    from benchmarks.recurrence.report import around, conclude, draw, show, write_json, write_page
    from benchmarks.recurrence.result import Section

    quick, effort = arguments.quick, QUICK if arguments.quick else FULL
    console = Console(width=None if sys.stdout.isatty() else 140)
    if arguments.page:
        try:
            around(arguments.page, instruction_set())  # not to say so ten minutes later
        except ValueError as error:
            raise SystemExit(f"--page: {error}") from None
    console.print(machine())
    with console.status("") as status:

        def report(what: str) -> None:
            status.update(what)

        parts: dict[str, Callable[[], list[Section]]] = {
            "grids": lambda: grids.grids(effort, quick, report),
            "ragged": lambda: [apart(variants.ragged, effort)],
            "options": lambda: [apart(variants.options, effort, quick)],
            "normalised": lambda: [apart(variants.normalised, effort)],
            "recording": lambda: [apart(variants.recording, effort)],
            "streaming": lambda: [apart(streaming.streaming, effort, quick)],
            "stacked": lambda: [apart(variants.stacked, effort)],
            "memory": lambda: [memory.memory(quick)],
            "others": lambda: [others.others(effort, quick, arguments.compile, report)],
        }
        found: list[Section] = []
        for name in arguments.only:
            report(name)
            for section in parts[name]():
                show(section, console)
                found.append(section)
    if arguments.json:
        write_json(arguments.json, machine(), found)
    if arguments.plot:
        draw(arguments.plot, found)
    if arguments.page:
        write_page(arguments.page, instruction_set(), machine(), _command(arguments), found)
    return 0 if conclude(found, console) else 1


def _command(arguments: argparse.Namespace) -> str:
    """What measures the same, wherever its results are put."""
    parts = ["python -m benchmarks.recurrence"]
    parts += ["--quick"] * arguments.quick + ["--compile"] * arguments.compile
    if arguments.only != SECTIONS:
        parts += ["--only", *arguments.only]
    return " ".join(parts + (["--threads", str(arguments.threads)] if arguments.threads else []))


if __name__ == "__main__":
    sys.exit(main())
