"""Every error this package raises on purpose.

Each message says what was expected, what came, where, and what to do; the command line prints it as one
sentence and exits with 2.

    UnrolledError
    ├── DataError            a file or a value in it
    ├── ConfigError          an option, or options that contradict each other
    ├── ShapeError           a tensor whose shape, type or device does not fit
    ├── TrainingError        training cannot go on
    │   └── DivergedError    the loss or a gradient became NaN or infinite
    ├── ModelFolderError     a saved model or checkpoint that cannot be read
    │   └── FormatVersionError  ... because a newer release wrote it
    ├── StorageError         the disk would not take what was written
    └── MissingDependencyError  a package of an extra that is not installed
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

PACKAGES_OF_TASKS = frozenset(
    {
        *("accelerate", "jinja2", "matplotlib", "pandas", "PIL", "pyarrow", "rapidfuzz", "sacrebleu"),
        *("huggingface_hub", "scipy", "sklearn", "tokenizers"),
    }
)
"""What the extra ``tasks`` brings, as it is imported; layers and diagnosis do without."""
_LONGEST = 1_000
"""Characters of a message, but for the last ones, in which its remedy is."""


def readable(text: str) -> str:
    r"""Some text with what a terminal obeys, or cannot show, written as its escape; a very long one is cut.

    Messages name labels, columns and files as they came, which may hold anything.

    Example:
        >>> readable("a\x1b[31mb, \udcff")
        'a\\x1b[31mb, \\udcff'
    """
    if len(text) > 2 * _LONGEST:
        text = f"{text[:_LONGEST]} ... {text[-_LONGEST // 2 :]}"
    return escaped(text)


def escaped(text: str) -> str:
    r"""The same, however long it is.

    Example:
        >>> escaped("a\x1b[31mb")
        'a\\x1b[31mb'
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in "\n\t" else ascii(each)[1:-1] for each in text)


class UnrolledError(Exception):
    """Base of every error raised on purpose by this package."""

    def __str__(self) -> str:
        return readable(super().__str__())


class DataError(UnrolledError, ValueError):
    """A data file, or one value in it, is not what was expected.

    Args:
        problem: what came and what was expected, as a clause without a full stop.
        path: the file.
        row: the row in the file, counted from 1, the header included: what an editor shows.
        column: the column's name.
        remedy: what to do about it.

    Example:
        >>> print(DataError("expected a number, got 'a'", path="a.csv", row=7, column="y", remedy="mend it"))
        a.csv, row 7, column 'y': expected a number, got 'a'; mend it.
    """

    def __init__(
        self,
        problem: str,
        *,
        path: str | Path | None = None,
        row: int | None = None,
        column: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.problem = problem
        self.path = path
        self.row = row
        self.column = column
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        where = [str(self.path)] if self.path is not None else []
        if self.row is not None:
            where.append(f"row {self.row}")
        if self.column is not None:
            where.append(f"column {self.column!r}")
        prefix = ", ".join(where)
        sentence = f"{prefix}: {self.problem}" if prefix else self.problem
        return readable(f"{sentence}; {self.remedy}." if self.remedy else f"{sentence}.")


class ConfigError(UnrolledError, ValueError):
    """An option has a value that cannot be used, or two options contradict each other."""


class ShapeError(UnrolledError, ValueError):
    """A tensor's shape, type or device does not fit; the message gives the expected and the received one."""


class TrainingError(UnrolledError):
    """Training cannot go on."""


class DivergedError(TrainingError):
    """The loss or the gradient became NaN or infinite; the message names the step and the likely remedy."""


class ModelFolderError(UnrolledError):
    """A saved model or checkpoint is missing, truncated or corrupt."""


class FormatVersionError(ModelFolderError):
    """A saved model or checkpoint was written by a newer release with a newer format."""


class StorageError(UnrolledError):
    """The disk would not take what was written; what was there before is untouched."""


class MissingDependencyError(UnrolledError):
    """A package that comes with an extra is needed and not installed.

    Example:
        >>> print(MissingDependencyError.of("sound", extra="audio"))
        sound needs packages that are not installed; install them with: pip install 'unrolled[audio]'
    """

    @classmethod
    def of(cls, what: str, *, extra: str) -> Self:
        """The error for what the packages of an extra are needed for."""
        remedy = f"pip install 'unrolled[{extra}]'"
        return cls(f"{what} needs packages that are not installed; install them with: {remedy}")

    @classmethod
    @contextmanager
    def explaining(cls, what: str) -> Iterator[None]:
        """Within the context an import that fails for want of the extra ``tasks`` is this error.

        Example:
            >>> with MissingDependencyError.explaining("this"):
            ...     raise ModuleNotFoundError("No module named 'pandas'", name="pandas")
            Traceback (most recent call last):
            unrolled.errors.MissingDependencyError: this (pandas) needs packages that are not installed; ...
        """
        try:
            yield
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in PACKAGES_OF_TASKS:
                raise
            raise cls.of(f"{what} ({package})", extra="tasks") from error


class ReferenceWarning(UserWarning):
    """The compiled kernels are not there: plain torch computes the same, many times slower."""
