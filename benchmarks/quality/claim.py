"""One claim about quality: train with default settings through the command line, print one line of scores.

The modules beside this one hold one claim each; they take the data folder as their first argument:

    python -m benchmarks.quality.sentiment DATA_FOLDER
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, TypeVar

from benchmarks.machine import machine

QUICK = "--quick"
"""What a script is given to learn from a part of the data and be scored on one, which its figures are of."""

Row = TypeVar("Row")


def data_folder() -> Path:
    """The folder given as the script's first argument."""
    if len(sys.argv) < 2 or not Path(sys.argv[1]).is_dir():
        raise SystemExit(
            f"expected the folder that holds the data sets as first argument, got {sys.argv[1:]}"
        )
    return Path(sys.argv[1])


def fewer(rows: Sequence[Row], every: int = 4) -> list[Row]:
    """With ``--quick`` every so many-th of some rows, and otherwise all."""
    return list(rows[:: every if QUICK in sys.argv else 1])


def chosen(names: Iterable[str], first: int = 2) -> list[str]:
    """The names given as the script's arguments from that place on; all of them where there are none."""
    names, asked = list(names), [each for each in sys.argv[first:] if each != QUICK]
    if unknown := set(asked) - set(names):
        raise SystemExit(f"expected some of {', '.join(names)}, got {', '.join(sorted(unknown))}")
    return asked or names


def claim(score: str, bar: float, *commands: list[str], better: str, **further: float) -> None:
    """As `held`, and end the program: without a fault where every bar is held."""
    raise SystemExit(0 if held(score, bar, *commands, better=better, **further) else 1)


def held(
    score: str,
    bar: float,
    *commands: list[str],
    better: str,
    name: str | None = None,
    peers: Mapping[str, float] | None = None,
    **further: float,
) -> bool:
    """Train, print the score, the bar and every baseline's score on the same data; whether every bar is held.

    Args:
        score: the name of the score the claim is about.
        bar: what it has to reach.
        commands: the words after ``unrolled train``; of several, such as the folds of a cross-validation, the
            scores are averaged.
        better: "less" or "more".
        name: what the data is called; by default as the commands call it.
        peers: the score that others reach on the same data, by name.
        further: bars for further scores of the same model, by name.
    """
    runs = [_trained(command) for command in commands]
    bars = {score: bar} | further
    values = {name: fmean(run["scores"][name] for run in runs) for name in bars}
    good = {
        each: values[each] <= bars[each] if better == "less" else values[each] >= bars[each] for each in bars
    }
    beside = {each: _beside(runs, each) for each in bars}
    beside[score] |= peers or {}
    shown = ", ".join(
        f"{each} {values[each]:.4f} (bar {bars[each]:g} {'held' if good[each] else 'MISSED'}; "
        + ", ".join(f"{other} {value:.4f}" for other, value in beside[each].items())
        + ")"
        for each in bars
    )
    data = name or (runs[0]["data"] if len(runs) == 1 else f"{len(runs)} folds")
    seconds = sum(run["seconds"] for run in runs)
    print(f"{commands[0][0]} {data}: {shown} in {seconds:.0f} s on {machine()}", flush=True)
    return all(good.values())


def _trained(command: list[str]) -> dict[str, Any]:
    """What ``unrolled train ... --json`` prints."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [
                str(Path(sys.executable).with_name("unrolled")),
                "train",
                *command,
                "-o",
                str(Path(folder) / "model"),
                "--json",
            ],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return json.loads(run.stdout)


def _beside(runs: list[dict[str, Any]], name: str) -> dict[str, float]:
    """The baselines' scores of that name."""
    return {
        simple: fmean(run["baselines"][simple][name] for run in runs)
        for simple, row in runs[0]["baselines"].items()
        if name in row
    }
