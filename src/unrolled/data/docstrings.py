"""The docstrings of Python modules as running text."""

from __future__ import annotations

import ast
import inspect
import tokenize
import warnings
from pathlib import Path

from unrolled.errors import DataError

_LEFT_OUT = frozenset(
    {"site-packages", "dist-packages", "test", "tests", "idlelib", "turtledemo", "lib2to3", "__pycache__"}
)


def docstrings(folder: str | Path) -> list[list[str]]:
    """One document for every module in a folder that has docstrings, in sorted order.

    Installed packages, tests and what cannot be parsed are left out.

    Args:
        folder: the folder of a library.

    Raises:
        DataError: there is no Python source in the folder.
    """
    folder = Path(folder)
    paths = sorted(
        path for path in folder.rglob("*.py") if not _LEFT_OUT & set(path.relative_to(folder).parts)
    )
    if not paths:
        raise DataError("expected the source files of Python's library, found none", path=folder)
    texts = ("\n\n".join(_of_module(path)) for path in paths)
    return [[text + "\n"] for text in texts if text]


def _of_module(path: Path) -> list[str]:
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
