"""One claim about quality: train with default settings through the command line, print one line of scores.

The modules beside this one hold one claim each; they take the data folder as their argument:

    python -m benchmarks.quality.sentiment DATA_FOLDER
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.machine import machine


def data_folder() -> Path:
    """The folder given as the script's only argument."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        raise SystemExit(f"expected one argument, the folder that holds the data sets, got {sys.argv[1:]}")
    return Path(sys.argv[1])


def claim(score: str, bar: float, command: list[str], *, better: str, **further: float) -> None:
    """Train, and print the score, the bar and every baseline's score on the same data.

    Args:
        score: the name of the score the claim is about.
        bar: what it has to reach.
        command: the words after ``unrolled train``.
        better: "less" or "more".
        further: bars for further scores of the same model, by name.
    """
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
    printed = json.loads(run.stdout)
    bars = {score: bar} | further
    values = {name: printed["scores"][name] for name in bars}
    held = {
        name: values[name] <= bars[name] if better == "less" else values[name] >= bars[name] for name in bars
    }
    shown = ", ".join(
        f"{name} {values[name]:.4f} (bar {bars[name]:g} {'held' if held[name] else 'MISSED'}; "
        + ", ".join(
            f"{simple} {row[name]:.4f}" for simple, row in printed["baselines"].items() if name in row
        )
        + ")"
        for name in bars
    )
    print(f"{command[0]} {printed['data']}: {shown} in {printed['seconds']:.0f} s on {machine()}")
    raise SystemExit(0 if all(held.values()) else 1)
