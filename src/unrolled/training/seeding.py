"""Runs that repeat: seeds, and deterministic algorithms on the CPU."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed the generators of Python, NumPy and torch, those of the accelerators included.

    Example:
        >>> seed_everything(7); first = torch.rand(2)
        >>> seed_everything(7); bool((first == torch.rand(2)).all())
        True
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Use only deterministic algorithms inside the `with`, when the device is the CPU.

    On accelerators some of the operators have none, so there a run repeats only about.
    """
    if device.type != "cpu":
        yield
        return
    before = torch.are_deterministic_algorithms_enabled()
    settings: Any = torch.utils.deterministic
    fill = settings.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    # Filling fresh memory only guards programs that read it unwritten, and costs a pass over every tensor.
    settings.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        settings.fill_uninitialized_memory = fill
