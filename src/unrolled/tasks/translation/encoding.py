"""Pairs as arrays, none with a source longer than allowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from unrolled.data.buckets import Encoded
from unrolled.data.example import Example
from unrolled.tasks.translation.config import TranslateConfig
from unrolled.tasks.translation.symbols import Symbols


def encoded(
    examples: Iterable[Example], symbols: Symbols, config: TranslateConfig
) -> tuple[list[Encoded], int]:
    """The pairs, and how many of their sources had to be cut.

    Raises:
        DataError: a source is too long and is not to be cut; names it.
    """
    items, cut, longest = [], 0, config.max_source_length
    for example in examples:
        item = symbols.encode(example)
        length = len(item) - 1  # without the end
        if length > longest:
            if not config.truncate:
                raise example.source.error(
                    f"expected a source of at most {longest} symbols, got {length} "
                    f"({example.inputs[:40]!r}...)",
                    remedy="set truncate to cut it, or raise max_source_length",
                )
            item, cut = _truncated(item, longest), cut + 1
        items.append(item)
    return items, cut


def _truncated(item: Encoded, length: int) -> Encoded:
    """The item with its source cut, the end kept."""
    inputs = {name: np.append(values[:length], values[-1]) for name, values in item.inputs.items()}
    return replace(item, inputs=inputs)
