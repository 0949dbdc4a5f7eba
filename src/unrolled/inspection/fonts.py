"""Characters that a font has not: they are drawn as boxes, and nothing is said of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def any_characters() -> Iterator[None]:
    """Within the context labels may have characters that the font lacks, of which matplotlib warns."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s)Glyph .* missing from", UserWarning)
        yield
