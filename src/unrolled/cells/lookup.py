"""A cell by whatever a person calls it: its definition, its program, its name, or the file it stands in."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from unrolled.cells import library
from unrolled.errors import ConfigError
from unrolled.ops.cells.cell import Cell
from unrolled.ops.cells.plain import PlainCell
from unrolled.ops.cells.program import Program


def description_of(cell: Any) -> Program | PlainCell:
    """The program of a cell, or the cell with its own step where it is not fused.

    Args:
        cell: a `Cell`, its class, a `Program`, one as plain JSON, the name of one of the library, or
            "file.py:Name".

    Raises:
        ConfigError: it is none of these, or its step cannot be traced.

    Example:
        >>> description_of("janet").states
        ('h',)
    """
    if isinstance(cell, str):
        cell = _named(cell)
    if isinstance(cell, Program | PlainCell):
        return cell
    if isinstance(cell, dict):
        return Program.from_dict(cell)
    if isinstance(cell, type) and issubclass(cell, Cell):
        try:
            cell = cell()
        except TypeError as error:
            raise ConfigError(
                f"{cell.__name__} has options of its own: expected an instance of it, got the "
                f"class ({error})."
            ) from error
        except Exception as error:
            raise ConfigError(f"{cell.__name__} cannot be made: {type(error).__name__}: {error}.") from error
    if not isinstance(cell, Cell):
        raise ConfigError(f"expected a Cell, its class, its program or its name, got {cell!r}.")
    return cell.program() if cell.fused else PlainCell.of(cell)


def _named(name: str) -> Any:
    path, colon, of = name.rpartition(":")
    if colon:
        return _from_file(Path(path).expanduser(), of)
    if name not in library.names():
        of_file = " (a file without the name of a cell in it)" if Path(name).suffix == ".py" else ""
        raise ConfigError(
            f"expected cell to be one of rnn, gru, lstm, {', '.join(library.names())}, or file.py:Name for "
            f"one of your own, got {name!r}{of_file}."
        )
    return library.cell(name)


def _from_file(path: Path, name: str) -> Any:
    """What a file of Python calls ``name``; the file is run, as Python runs it by its path."""
    if not path.is_file():
        raise ConfigError(f"expected a file of Python before the colon of {path}:{name}, found none.")
    # Not by import, which keeps what it compiled: a file written anew within a second would be the old one.
    module = ModuleType(re.sub(r"\W", "_", f"cells of {path}"))
    module.__file__ = str(path)
    with _imported(module, path.resolve().parent):
        try:
            exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
        except (Exception, SystemExit) as error:
            raise ConfigError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    if not hasattr(module, name):
        own = [
            each
            for each, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, Cell) and value is not Cell
        ]
        raise ConfigError(f"expected a cell named {name!r} in {path}, found {', '.join(own) or 'none'}.")
    return getattr(module, name)


@contextmanager
def _imported(module: ModuleType, folder: Path) -> Iterator[None]:
    """A module is known by its name, and what lies beside its file can be imported."""
    sys.modules[module.__name__] = module
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(str(folder))
