"""Number sequences in the `.ts` format of the UCR/UEA time series archive (Bagnall et al. 2018)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unrolled.data.example import Example, Examples, Source
from unrolled.data.text import open_text
from unrolled.errors import DataError

_MISSING = "?"


def read_ts(path: str | Path) -> Examples:
    r"""Read a `.ts` file: each line a case, channels parted by colons, the label or target number last.

    Cases may differ in length; the channels of one case may not.

    Args:
        path: the file.

    Returns:
        Examples with inputs `(time, feature)` float64, NaN where a value is missing (`?`), and the target as
        written; None where the header says there are no class labels.

    Raises:
        DataError: the file is missing or empty, has time stamps, a value is not a number, or a case has
            another number of channels than the first.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder, "two.ts")
        ...     _ = file.write_text("@classLabel true a b\n@data\n1,2,3:4,5,6:a\n7,8:9,0:b\n")
        ...     examples = read_ts(file)
        >>> examples[1].inputs, examples[1].target
        (array([[7., 9.],
               [8., 0.]]), 'b')
    """
    labelled, labels, items = False, frozenset[str](), []
    in_data = False
    with open_text(path) as file:
        for row, line in enumerate(file, start=1):
            line = line.strip()
            if not line or line.startswith(("#", "%")):
                continue
            if in_data:
                items.append(_case(path, row, line, labelled, labels, items))
                continue
            tag, *rest = line.split()
            match tag.lower():
                case "@data":
                    in_data = True
                case "@timestamps" if rest and rest[0].lower() == "true":
                    raise DataError("expected values without time stamps", path=path, row=row)
                case "@classlabel" | "@targetlabel":
                    labelled = bool(rest) and rest[0].lower() == "true"
                    labels = frozenset(rest[1:])
                case _ if not tag.startswith("@"):
                    raise DataError(
                        f"expected '@data' before the cases, got {line[:40]!r}", path=path, row=row
                    )
    if not items:
        raise DataError("expected cases after '@data', found none", path=path)
    return Examples(tuple(items))


def _case(
    path: str | Path, row: int, line: str, labelled: bool, labels: frozenset[str], before: list[Example]
) -> Example:
    channels = line.split(":")
    source = Source(path, row, "label")
    target = channels.pop().strip() if labelled else None
    if labels and target not in labels:
        listed = ", ".join(sorted(labels))
        raise source.error(f"expected one of the labels in the header ({listed}), got {target!r:.60}")
    if not channels:
        raise source.error("expected values, a colon and a label, got no colon")
    arrays = [_channel(path, row, number, text) for number, text in enumerate(channels, start=1)]
    for number, array in enumerate(arrays[1:], start=2):
        if len(array) != len(arrays[0]):
            raise DataError(
                f"expected {len(arrays[0])} values as in the case's first channel, got {len(array)}",
                path=path,
                row=row,
                column=f"channel {number}",
            )
    if before and before[0].inputs.shape[1] != len(arrays):
        raise DataError(
            f"expected {before[0].inputs.shape[1]} channels as in the first case, got {len(arrays)}",
            path=path,
            row=row,
        )
    return Example(np.stack(arrays, axis=1), target, source)


def _channel(path: str | Path, row: int, number: int, text: str) -> np.ndarray:
    """The numbers of a channel, NaN where ``?`` stands for a missing one."""
    cells = text.split(",")
    values = np.full(len(cells), np.nan)
    for place, cell in enumerate(cells):
        try:
            values[place] = np.nan if cell.strip() == _MISSING else float(cell)
            good = not np.isinf(values[place])
        except ValueError:
            good = False
        if not good:
            raise DataError(
                f"expected a number at step {place + 1}, got {cell.strip()!r:.60}",
                path=path,
                row=row,
                column=f"channel {number}",
            )
    return values
