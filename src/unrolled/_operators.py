"""The operators of exported programs, known to torch as soon as both it and ``unrolled`` are imported.

``torch.export.load`` asks for an operator by its name. Importing torch takes seconds, which ``import
unrolled`` must not; so where torch is not there yet, the operators are registered right after it, whoever
imports it.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType


def register_with_torch() -> None:
    """Register the operators, now or once torch is imported."""
    if "torch" in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _AfterTorch())


def _register() -> None:
    # Whatever of this package imports torch imports the layers as well, and is not ready for them yet.
    importing = (
        getattr(module.__spec__, "_initializing", False)
        for name, module in list(sys.modules.items())
        if name.startswith("unrolled.")
    )
    if not any(importing):
        importlib.import_module("unrolled.layers")


class _AfterTorch(MetaPathFinder):
    """Finds torch as ever, and registers when it has been executed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "torch":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                _register()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
