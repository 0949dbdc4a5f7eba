"""The docstrings of Python modules as running text."""

from __future__ import annotations

import ast
import inspect
import tokenize
import warnings
from collections.abc import Iterator
from pathlib import Path

from unrolled.errors import DataError

_LEFT_OUT = frozenset(
    {"site-packages", "dist-packages", "test", "tests", "idlelib", "turtledemo", "lib2to3", "__pycache__"}
)


class Docstrings:
    """One document for every module in a folder that has docstrings.

    The modules come in sorted order and are read as they are gone through. Installed packages, tests and
    what cannot be parsed are left out.

    Args:
        folder: the folder of a library.

    Raises:
        DataError: there is no Python source in the folder.
    """

    def __init__(self, folder: str | Path) -> None:
        folder = Path(folder)
        self.paths = sorted(
            path for path in folder.rglob("*.py") if not _LEFT_OUT & set(path.relative_to(folder).parts)
        )
        if not self.paths:
            raise DataError("expected the source files of Python's library, found none", path=folder)

    def __iter__(self) -> Iterator[Iterator[str]]:
        for path in self.paths:
            text = "\n\n".join(_docstrings(path))
            if text:
                yield iter([text + "\n"])


def _docstrings(path: Path) -> list[str]:
    try:
        with tokenize.open(path) as file, warnings.catch_warnings():
            # A module may hold escapes that a newer Python warns of; they are not this program's to mend.
            warnings.simplefilter("ignore")
            tree = ast.parse(file.read())
    except (SyntaxError, UnicodeDecodeError):
        return []
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = (ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, documented))
    return [inspect.cleandoc(text) for text in found if text and text.strip()]
