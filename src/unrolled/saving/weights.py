"""Whether saved weights are those that something has room for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def require_alike(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """See that saved weights are like others, by name, shape and type.

    Args:
        weights: those of the file.
        expected: what they must be like; they may be on the device `meta`.

    Raises:
        ValueError: one is missing, is not among those, is of another shape or type, or holds numbers that
            are none.
    """
    for name in (*expected, *weights):
        if name not in weights:
            raise ValueError(f"expected the weight {name!r}, found none")
        if name not in expected:
            raise ValueError(f"expected no weight {name!a:.100}")
        one, other = expected[name], weights[name]
        if one.shape != other.shape or one.dtype != other.dtype:
            raise ValueError(
                f"expected {name!r} of shape {tuple(one.shape)} as {one.dtype}, got {tuple(other.shape)} as "
                f"{other.dtype}"
            )
        if not other.isfinite().all():
            raise ValueError(f"expected finite numbers in {name!r}, found others")
