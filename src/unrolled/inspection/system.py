"""What this machine offers, and which implementation of a recurrence runs on it."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from unrolled.layers import GRU, LSTM, RNN
from unrolled.ops.native.library import choices

_PACKAGES = ("unrolled", "torch", "numpy", "pandas", "accelerate", "safetensors", "tokenizers", "pydantic")


def system() -> dict[str, Any]:
    """Versions, processor, threads, BLAS and devices, as plain values."""
    return {
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in _PACKAGES},
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
            "layer": f"{name}: {type(layer).__name__}" if name else type(layer).__name__,
            "operator": f"unrolled::{type(layer).__name__.lower()}",
        }
        | _implementation(layer)
        for name, layer in layers
        if isinstance(layer, RNN | GRU | LSTM)
    ]


def _implementation(layer: RNN | GRU | LSTM) -> dict[str, str]:
    weight = layer.get_parameter("weight_hh_l0")
    reasons = {
        "no compiled library was installed; a C++ compiler and a new install bring it": not choices(),
        f"the compiled library is for CPUs, the layer is on {weight.device}": weight.device.type != "cpu",
        f"the compiled library has no {weight.dtype}": weight.dtype not in (torch.float32, torch.float64),
        "the compiled library has no projection": isinstance(layer, LSTM) and layer.proj_size > 0,
    }
    for reason, holds in reasons.items():
        if holds:
            return {"runs": "reference (plain torch)", "why": reason}
    capability = torch.backends.cpu.get_cpu_capability()
    return {
        "runs": f"compiled ({choices()[0]})",
        "why": f"the fastest one built for a processor with {capability}",
    }


def default_layers() -> list[tuple[str, nn.Module]]:
    """One small layer of every cell."""
    return [("", layer(1, 1)) for layer in (RNN, GRU, LSTM)]
