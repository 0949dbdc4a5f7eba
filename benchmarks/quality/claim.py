"""One claim about quality: train with default settings through the command line, print one line beside the baselines.

The scripts beside this one hold one claim each; they take the data folder as their argument.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import torch


def machine() -> str:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}"


def data_folder() -> Path:
    """The folder given as the script's only argument."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        raise SystemExit(f"usage: {sys.argv[0]} DATA_FOLDER")
    return Path(sys.argv[1])


def claim(score: str, bar: float, command: list[str], *, better: str) -> None:
    """Train, and print the score, the bar and every baseline's score on the same data.

    Args:
        score: the name of the score the claim is about.
        bar: what it has to reach.
        command: the words after ``unrolled train``.
        better: "less" or "more".
    """
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [sys.executable, "-m", "unrolled", "train", *command, "-o", str(Path(folder) / "model"), "--json"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    printed = json.loads(run.stdout)
    value = printed["scores"][score]
    held = value <= bar if better == "less" else value >= bar
    beside = ", ".join(f"{name} {row[score]:.4f}" for name, row in printed["baselines"].items() if score in row)
    print(
        f"{command[0]} {printed['data']}: {score} {value:.4f} (bar {bar:g}, {'held' if held else 'MISSED'}; {beside}) "
        f"in {printed['seconds']:.0f} s on {machine()}"
    )
    raise SystemExit(0 if held else 1)
