"""Recurrent cells from the literature, one file each; the name of the file is the name of the cell."""

import importlib
import pkgutil

from unrolled.ops.cells.cell import Cell


def names() -> tuple[str, ...]:
    """The cells by name."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def cell(name: str) -> type[Cell]:
    """The cell of a name among `names`.

    Example:
        >>> cell("janet")().program().gates
        ('forget_gate', 'candidate')
    """
    module = importlib.import_module(f"{__name__}.{name}")
    (found,) = (
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Cell) and each.__module__ == module.__name__
    )
    return found
