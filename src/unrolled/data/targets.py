"""What is to be predicted of each example: a label, several labels, or a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from unrolled.data.amounts import numbers_of_amounts
from unrolled.data.delimited import is_quantity
from unrolled.data.example import Examples, Source
from unrolled.data.images import is_picture
from unrolled.data.list_cells import list_in, lists_in
from unrolled.data.sound import Recording
from unrolled.data.tables import Table, is_empty, is_missing
from unrolled.data.text_pairs import TextPair
from unrolled.errors import DataError

_AMOUNTS = 20
"""So many different whole numbers may be amounts; fewer are classes."""

TargetKind = Literal["auto", "class", "labels", "number"]


def as_targets(examples: Examples, targets: TargetKind, labelled: bool = True) -> Examples:
    """The examples with their targets as labels (strings), sets of labels (tuples) or numbers (floats).

    Args:
        examples: as they were read.
        targets: which of them; ``auto`` takes sets where some are several, and numbers where all are numbers
            and some have a fraction, or most are different.
        labelled: False leaves the targets out.

    Raises:
        DataError: a target is missing or is not a number where one is expected, or the number sequences have
            different numbers of features.
    """
    form = None
    for item in examples:
        found = _kind(item.inputs)
        form = form or found
        if found != form:
            raise item.source.error(f"expected {form} as in the first sequence, got {found}")
    if not labelled:
        return replace(examples, items=tuple(replace(item, target=None) for item in examples))
    for item in examples:
        if isinstance(item.inputs, np.ndarray) and not len(item.inputs):
            raise item.source.error("expected a sequence of numbers, got one without steps")
    notes = examples.notes
    found = [item.target for item in examples]
    if targets == "labels" or (targets == "auto" and any(map(_is_several, found))):
        items = tuple(replace(item, target=_several(item.target, item.source)) for item in examples)
        return replace(examples, items=items)
    notes += _require_targets(examples, targets)
    if targets != "class" and all(isinstance(target, str) for target in found):
        found = numbers_of_amounts(found, lambda _: False) or found
    if targets == "auto":
        kind = (
            "with fractions" if _are_fractions(found) else "that hardly repeat" if _are_amounts(found) else ""
        )
        targets = "number" if kind else "class"
        if kind:
            notes += (f"The labels are numbers {kind}, so this is regression.",)
    if targets == "number":
        items = [
            replace(item, target=_number(target, item.source))
            for item, target in zip(examples, found, strict=True)
        ]
    else:
        items = [replace(item, target=label_text(item.target, item.source)) for item in examples]
    return replace(examples, items=tuple(items), notes=notes)


def _require_targets(examples: Examples, targets: TargetKind) -> tuple[str, ...]:
    """See that every example has a target, and say which are called like something that is missing.

    A word such as NA or None is the name of a class beside other words, or where classes are asked for; among
    numbers it stands for none.

    Raises:
        DataError: a target is missing.
    """
    words = (each.target for each in examples if isinstance(each.target, str) and not is_missing(each.target))
    named = targets == "class" or (targets == "auto" and not all(map(is_quantity, words)))
    counts: Counter[str] = Counter()
    for item in examples:
        if not is_missing_target(item.target):
            continue
        if is_empty(item.target):
            raise item.source.error("expected a label, got an empty cell")
        if not named:
            raise item.source.error(
                f"expected a label, got {item.target!r:.60}, which stands for none",
                remedy=None if targets == "number" else "leave the row out, or set target to classes",
            )
        counts[item.target.strip()] += 1
    if not counts:
        return ()
    several = " and ".join(f"{name!r} ({count:,})" for name, count in counts.items())
    return (f"Labels that are called {several} are classes; leave such rows out if they have no label.",)


def targets_in(table: Table, column: str | Sequence[str]) -> list[Any]:
    """The targets in a table's column, or in several that say of a label each whether it is there.

    Returns:
        For every entry its cell, or a tuple of labels where cells are lists of them, or arrays of zeros and
        ones; the place of its only one where each has one.

    Raises:
        DataError: there is no such column, or a cell is something else.
    """
    if not isinstance(column, str):
        rows = zip(*(_marks(table, name) for name in column), strict=True)
        return [tuple(name for name, there in zip(column, row, strict=True) if there) for row in rows]
    cells = table.column(column)
    known = [cell for cell in cells if not is_missing_target(cell)]
    if known and all(isinstance(cell, np.ndarray) and cell.dtype.kind in "biuf" for cell in known):
        return _of_indicators(table, column, cells)
    if known and all(map(_is_several, known)):
        return [_several(cell, table.source(entry, column)) for entry, cell in enumerate(cells)]
    if known and all(isinstance(cell, str) for cell in known) and lists_in(known):
        return [
            _several(list_in(cell) if isinstance(cell, str) else cell, table.source(entry, column))
            for entry, cell in enumerate(cells)
        ]
    return list(cells)


def _marks(table: Table, name: str) -> np.ndarray:
    """Whether a label is there, of every entry."""
    try:
        numbers = table.numbers(name)
    except DataError:
        words = [str(cell).strip().lower() for cell in table.column(name)]
        numbers = np.array([_YES_OR_NO.get(word, np.nan) for word in words])
    wrong = ~np.isin(numbers, (0, 1))
    if wrong.any():
        entry = int(wrong.argmax())
        raise table.source(entry, name).error(
            f"expected 0 or 1, whether the label is there, got {table.column(name)[entry]!r:.60}"
        )
    return numbers == 1


_YES_OR_NO = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}


def _of_indicators(table: Table, column: str, cells: Sequence[Any]) -> list[Any]:
    """Of arrays with a zero or a one for each label the places of the ones: one number where all have one."""
    size = len(next(cell for cell in cells if not is_missing_target(cell)))
    for entry, cell in enumerate(cells):
        if np.shape(cell) != (size,) or not np.isin(cell, (0, 1)).all():
            raise table.source(entry, column).error(
                f"expected {size} numbers of 0 or 1, one for each label, got {cell!r:.60}"
            )
    if all(cell.sum() == 1 for cell in cells):
        return [int(cell.argmax()) for cell in cells]
    return [tuple(map(str, np.flatnonzero(cell).tolist())) for cell in cells]


def _is_several(target: Any) -> bool:
    return isinstance(target, list | tuple | Set | np.ndarray)


def is_missing_target(target: Any) -> bool:
    """Whether there is nothing; no labels at all are something."""
    return not _is_several(target) and (is_missing(target) or not str(target).strip())


def _several(target: Any, source: Source) -> tuple[str, ...]:
    """The labels of one example, each once."""
    if is_missing_target(target):
        return ()
    if not _is_several(target):
        return (label_text(target, source),)
    found = target.tolist() if isinstance(target, np.ndarray) else target
    names = [label_text(each, source) for each in found]
    return tuple(dict.fromkeys(sorted(names) if isinstance(target, Set) else names))


def split_labels(examples: Examples, separator: str) -> Examples:
    """The examples with each label cut into several at a separator.

    Example:
        >>> from unrolled.data.example import Example
        >>> split_labels(Examples((Example("so fine", ("new; good",)),)), ";")[0].target
        ('new', 'good')
    """
    items = []
    for item in examples:
        parts = (part.strip() for label in item.target for part in label.split(separator))
        items.append(replace(item, target=tuple(dict.fromkeys(part for part in parts if part))))
    return replace(examples, items=tuple(items))


def _kind(inputs: Any) -> str:
    """What an example's inputs are, for a message."""
    if isinstance(inputs, str):
        return "text"
    if isinstance(inputs, TextPair):
        return "two texts"
    if isinstance(inputs, Recording):
        return "a recording"
    if is_picture(inputs):
        return f"{'an image' if inputs.ndim == 3 else 'a clip'} of {' × '.join(map(str, inputs.shape[-3:]))}"
    return f"{int(np.prod(inputs.shape[1:], dtype=int))} numbers a step"


def _are_fractions(targets: Sequence[Any]) -> bool:
    try:
        numbers = np.array(targets, dtype=float)
    except (TypeError, ValueError, OverflowError):
        return False
    return bool(np.isfinite(numbers).all() and (numbers != np.round(numbers)).any())


def _are_amounts(targets: Sequence[Any]) -> bool:
    """Whether whole numbers measure something: many of them, scattered, few of them twice."""
    try:
        numbers = np.array(targets, dtype=float)
    except (TypeError, ValueError, OverflowError):
        return False
    distinct = np.unique(numbers)
    if len(distinct) < _AMOUNTS or not np.isfinite(numbers).all():
        return False
    spread = distinct[-1] - distinct[0] + 1
    return len(numbers) < 3 * len(distinct) and (
        spread > 2 * len(distinct) or len(numbers) < 2 * len(distinct)
    )


def label_text(target: Any, source: Source) -> str:
    """A label as a text.

    Raises:
        DataError: it is a list, or values by name.
    """
    if isinstance(target, float) and target.is_integer():
        return str(int(target))
    if _is_several(target):
        raise source.error(
            f"expected one label, got several, {target!r:.60}",
            remedy="set target to labels for several",
        )
    if isinstance(target, dict):
        raise source.error(f"expected a label, got {target!r:.60}")
    return str(target).strip()


def _number(target: Any, source: Source) -> float:
    try:
        number = float(target)
    except (TypeError, ValueError, OverflowError):
        raise source.error(f"expected a number, got {target!r:.60}") from None
    if not np.isfinite(number):
        raise source.error(f"expected a finite number, got {target!r:.60}")
    return number
