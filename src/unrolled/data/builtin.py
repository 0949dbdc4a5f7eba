"""Data that needs no file: known by name, usable offline wherever a path is.

Readers and generators, and numpy with them, are imported when data is loaded: a mistyped name is answered
at once.
"""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unrolled.data.outside import require_within
from unrolled.data.parts import is_of_several, shards_of
from unrolled.data.text import existing_file, located, text_files
from unrolled.errors import ConfigError, DataError

if TYPE_CHECKING:
    from unrolled.data.pairs import ParallelFiles

Kind = Literal["labelled", "tagged", "documents", "series", "pairs", "captions"]
"""What a task asks for: `classify`, `tag`, `generate`, `forecast`, `translate`, `caption`, in this order."""

_NAME = re.compile(r"(?P<name>[a-z][a-z-]*)(?::(?P<length>\d+))?(?:@(?P<seed>\d+))?")


@dataclass(frozen=True)
class BuiltIn:
    """A built-in data set.

    Attributes:
        name: what it is called.
        task: the task it is for.
        description: one line about it.
        loaders: what it gives, by kind.
        length: the length that `name:length` changes; None where there is none.
    """

    name: str
    task: str
    description: str
    loaders: Mapping[Kind, Callable[..., Any]]
    length: int | None = None


@dataclass(frozen=True)
class Reference:
    """A built-in data set as a user wrote it: `name`, `name:length`, `name@seed` or `name:length@seed`.

    Another seed draws other sequences of the same kind, such as a test set.
    """

    dataset: BuiltIn
    written: str
    settings: Mapping[str, int] = field(default_factory=dict)

    def load(self, kind: Kind, **options: Any) -> Any:
        """What the data set holds, for a task that asks for this kind.

        Args:
            kind: see `Kind`.
            options: as those of the reader of files of this kind; a data set without a file takes none.

        Raises:
            ConfigError: the data set holds nothing of this kind, or an option does not apply.
        """
        loader = self.dataset.loaders.get(kind)
        if loader is None:
            fitting = ", ".join(each.name for each in BUILT_IN.values() if kind in each.loaders)
            raise ConfigError(
                f"expected data for another task, got {self.written!r}, which is for `{self.dataset.task}`; "
                f"of the built-in data, {fitting} would fit"
            )
        if options and kind != "series":
            raise ConfigError(f"built-in data {self.written!r} takes no option {', '.join(options)}")
        return loader(**options, **self.settings)

    def longer(self) -> Reference | None:
        """The same data half as long again, of another seed: whether what was learnt holds beyond training.

        None where a data set has no length.

        Example:
            >>> resolve("sorting").longer().written
            'sorting:15@1'
        """
        if self.dataset.length is None:
            return None
        length, seed = self.settings["length"] * 3 // 2, self.settings["seed"] + 1
        return Reference(
            self.dataset, f"{self.dataset.name}:{length}@{seed}", {"length": length, "seed": seed}
        )


def resolve(name_or_path: str | Path) -> Path | ParallelFiles | Reference:
    """The built-in data set of that name, or the path, or the two paths with a comma between them.

    A file or folder of the same name comes first; `./name` is always a path.

    Raises:
        DataError: there is neither such a path nor such a name.
        ConfigError: the data set has no length, or one too small, or no seed.

    Example:
        >>> resolve("adding:50@1").settings
        {'length': 50, 'seed': 1}
    """
    path = located(name_or_path)
    if path.is_dir():
        require_within(path)
        return shards_of(path) or path
    if path.exists() or is_of_several(path):
        return path
    source, comma, target = str(name_or_path).partition(",")
    if comma:
        both = existing_file(source), existing_file(target)
        from unrolled.data.pairs import ParallelFiles

        return ParallelFiles(*both)
    match = _NAME.fullmatch(str(name_or_path))
    if match is None or match["name"] not in BUILT_IN:
        raise DataError(
            "expected a file, a folder or the name of built-in data, found none",
            path=path,
            remedy=f"check the path; built-in are {', '.join(BUILT_IN)}",
        )
    dataset = BUILT_IN[match["name"]]
    settings: dict[str, int] = {}
    if dataset.length is not None:
        settings = {"length": int(match["length"] or dataset.length), "seed": int(match["seed"] or 0)}
        if settings["length"] < _SHORTEST:
            raise ConfigError(
                f"expected {dataset.name} of length {_SHORTEST} or more, got {settings['length']}"
            )
    elif match["length"] or match["seed"]:
        raise ConfigError(f"expected {dataset.name!r} alone, since it has no length and no seed, got {path}")
    return Reference(dataset, str(name_or_path), settings)


def listing() -> list[dict[str, str]]:
    """Name, task and description of every built-in data set.

    Example:
        >>> listing()[0]["name"]
        'seattle-weather'
    """
    return [
        {
            "name": each.name if each.length is None else f"{each.name}[:{each.length}]",
            "task": each.task,
            "description": each.description,
        }
        for each in BUILT_IN.values()
    ]


def _seattle_weather(**options: Any) -> Any:
    path = Path(__file__).parent / "shipped" / "seattle-weather.csv"
    options.setdefault("target", "temp_max")
    from unrolled.data.series import read_series_with_layout

    return read_series_with_layout(path, **options)


def _python_docs() -> Iterable[Iterable[str]]:
    from unrolled.data.docstrings import docstrings

    return docstrings(sysconfig.get_path("stdlib"))


def _c_headers() -> Iterable[Iterable[str] | Iterable[bytes]]:
    folder = Path(sysconfig.get_path("include"))
    if not folder.is_dir():
        raise DataError(
            "expected the header files of this Python, found no such folder",
            path=folder,
            remedy="install Python's development files",
        )
    return text_files(folder, suffixes=[".h"])


def _drawn(module: str, function: str) -> Callable[..., Any]:
    """A function of a module of this package that draws examples; imported when it is called."""

    def load(**settings: Any) -> Any:
        return getattr(import_module(f"unrolled.data.{module}"), function)(**settings)

    return load


def _deep() -> list[list[str]]:
    return [["deep"]]


_SHORTEST = 10

BUILT_IN = {
    each.name: each
    for each in (
        BuiltIn(
            "seattle-weather",
            "forecast",
            "daily temperatures, precipitation and wind in Seattle, 2012 to 2015; forecasts temp_max",
            {"series": _seattle_weather},
        ),
        BuiltIn(
            "python-docs",
            "generate",
            "the docstrings of the standard library of this Python",
            {"documents": _python_docs},
        ),
        BuiltIn("c-headers", "generate", "the header files of this Python", {"documents": _c_headers}),
        BuiltIn(
            "sorting",
            "tag, translate",
            "lists of 5 to 10 numbers to sort: a tag for each place, or the sorted list",
            {"tagged": _drawn("generated", "sorting"), "pairs": _drawn("generated", "sorting_pairs")},
            length=10,
        ),
        BuiltIn(
            "adding",
            "classify",
            "the sum of two marked numbers among many (regression)",
            {"labelled": _drawn("generated", "adding")},
            length=100,
        ),
        BuiltIn(
            "copy",
            "tag",
            "ten digits to repeat after a pause",
            {"tagged": _drawn("generated", "copy")},
            length=50,
        ),
        BuiltIn(
            "temporal-order",
            "classify",
            "the order of two symbols far apart",
            {"labelled": _drawn("generated", "temporal_order")},
            length=100,
        ),
        BuiltIn(
            "moving-shapes",
            "classify",
            "clips of a shape that moves up, down, left or right",
            {"labelled": _drawn("shapes", "moving_shapes")},
            length=12,
        ),
        BuiltIn(
            "described-shapes",
            "caption",
            "images of a shape with a text that says which, how large and where",
            {"captions": _drawn("shapes", "described_shapes")},
        ),
        BuiltIn(
            "deep",
            "generate",
            "auto-completion: d, e, e, p, stop, the smallest example there is",
            {"documents": _deep, "tagged": _drawn("generated", "deep")},
        ),
    )
}
"""The built-in data by name."""
