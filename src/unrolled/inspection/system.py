"""What this machine offers, and which implementation of a recurrence runs on it."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from unrolled.errors import ConfigError
from unrolled.layers import build_recurrent
from unrolled.layers.implementation import implementation
from unrolled.layers.recurrent import CELLS
from unrolled.layers.stack import RecurrentLayer
from unrolled.models.config import NetworkConfig
from unrolled.tasks.options import validated

_PACKAGES = ("unrolled", "torch", "numpy", "pandas", "accelerate", "safetensors", "tokenizers", "pydantic")


def system() -> dict[str, Any]:
    """Versions, processor, threads, BLAS and devices, as plain values."""
    return {
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in _PACKAGES},
        "platform": platform.platform(),
        "instruction_set": torch.backends.cpu.get_cpu_capability(),
        "blas": _blas(),
        "threads": {"intra_op": torch.get_num_threads(), "inter_op": torch.get_num_interop_threads()},
        "devices": [
            "cpu",
            *(f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())),
        ],
    }


def _blas() -> str:
    found = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    return found[1] if found else "unknown"


def recurrences(layers: Iterable[tuple[str, nn.Module]]) -> list[Mapping[str, str]]:
    """For every recurrent layer among named modules: its operator, what computes it, and why."""
    return [
        {
            "layer": f"{name}: {layer.cell_name}" if name else layer.cell_name,
            "cell": layer.program.name,
        }
        | implementation(layer)._asdict()
        for name, layer in layers
        if isinstance(layer, RecurrentLayer)
    ]


def default_layers(device: str = "cpu") -> list[tuple[str, nn.Module]]:
    """One small layer of every cell."""
    return [("", layer_of({"cell": cell, "hidden_size": 1}, device)) for cell in CELLS]


def layer_of(options: Mapping[str, Any], device: str = "cpu") -> RecurrentLayer:
    """A layer as a network's options describe it.

    Raises:
        ConfigError: an option does not fit, or the device is not there.
    """
    network = validated(NetworkConfig, options)
    try:
        return build_recurrent(input_size=1, device=device, **network.layer_options())
    except (RuntimeError, AssertionError) as problem:
        # torch says it in its first line, and then how to look for bugs in it.
        raise ConfigError(f"device={device!r} cannot be used: {str(problem).splitlines()[0]}") from problem


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
