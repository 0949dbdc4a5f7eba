"""The machine a number was measured on: a number without it says nothing."""

import os
import platform
from pathlib import Path

import torch


def machine() -> str:
    """Processor, instruction set, threads, system and torch in one line."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line
        ]
        processor = names[0] if names else processor
    return (
        f"{processor} with {instruction_set()}, {os.cpu_count()} CPUs, {torch.get_num_threads()} threads, "
        f"{platform.system()}, Python {platform.python_version()}, torch {torch.__version__}"
    )


def instruction_set() -> str:
    """The vectors that torch uses, and matrix tiles where the processor has them."""
    vectors = torch.backends.cpu.get_cpu_capability()
    return f"{vectors} and AMX" if torch.cpu._is_amx_tile_supported() else vectors
