"""Recurrent neural networks on PyTorch: train one on your own sequences, from the shell and from Python.

Every public name is imported on first use (PEP 562), so ``import unrolled`` is quick and the command line
starts at once. What torch must know beforehand, the operators of exported programs, is registered with
torch's own import (`unrolled._operators`).
"""

import importlib
from typing import TYPE_CHECKING, Any

from unrolled._operators import register_with_torch

if TYPE_CHECKING:
    from unrolled import diagnosis as diagnosis
    from unrolled import export as export
    from unrolled.cells import Cell
    from unrolled.data.outside import reading_outside
    from unrolled.layers import GRU, LSTM, RNN, Recurrent
    from unrolled.ops.deterministic_rows import are_deterministic_rows_enabled, use_deterministic_rows
    from unrolled.ops.precision import get_float32_recurrence_precision, set_float32_recurrence_precision
    from unrolled.tasks.caption import Captioner
    from unrolled.tasks.classify import Classifier
    from unrolled.tasks.forecast import Forecaster
    from unrolled.tasks.generate import Generator
    from unrolled.tasks.registry import load
    from unrolled.tasks.regress import Regressor
    from unrolled.tasks.tag import Tagger
    from unrolled.tasks.translate import Translator

    __version__: str

_MODULE_OF = {
    "Cell": "unrolled.ops.cells.cell",
    "GRU": "unrolled.layers",
    "LSTM": "unrolled.layers",
    "RNN": "unrolled.layers",
    "Recurrent": "unrolled.layers",
    "Captioner": "unrolled.tasks.caption",
    "Classifier": "unrolled.tasks.classify",
    "Forecaster": "unrolled.tasks.forecast",
    "Generator": "unrolled.tasks.generate",
    "Regressor": "unrolled.tasks.regress",
    "Tagger": "unrolled.tasks.tag",
    "Translator": "unrolled.tasks.translate",
    "are_deterministic_rows_enabled": "unrolled.ops.deterministic_rows",
    "get_float32_recurrence_precision": "unrolled.ops.precision",
    "load": "unrolled.tasks.registry",
    "reading_outside": "unrolled.data.outside",
    "set_float32_recurrence_precision": "unrolled.ops.precision",
    "use_deterministic_rows": "unrolled.ops.deterministic_rows",
}

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Captioner",
    "Cell",
    "Classifier",
    "Forecaster",
    "Generator",
    "Recurrent",
    "Regressor",
    "Tagger",
    "Translator",
    "are_deterministic_rows_enabled",
    "get_float32_recurrence_precision",
    "load",
    "reading_outside",
    "set_float32_recurrence_precision",
    "use_deterministic_rows",
]


_ROOMS = ("diagnosis", "export")
"""Packages to be used by their name: ``unrolled.diagnosis.watch(module)``."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("unrolled")
    if name in _ROOMS:
        return importlib.import_module(f"unrolled.{name}")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'unrolled' has no attribute {name!r}")
    from unrolled.errors import MissingDependencyError

    with MissingDependencyError.explaining(f"unrolled.{name}"):
        value = getattr(importlib.import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__) | set(_ROOMS) | {"__version__"})


register_with_torch()
