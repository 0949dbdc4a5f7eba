"""The machine a number was measured on: a number without it says nothing."""

import os
import platform
from pathlib import Path

import torch


def machine() -> str:
    """Processor, threads, system and torch in one line."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line
        ]
        processor = names[0] if names else processor
    return (
        f"{processor}, {os.cpu_count()} CPUs, {torch.get_num_threads()} threads, {platform.system()}, "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )
