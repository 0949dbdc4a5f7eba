"""Numbers in a module that are none."""

from __future__ import annotations

from torch import nn


def weight_faults(module: nn.Module) -> tuple[str, ...]:
    """The weights that hold NaN or infinite numbers, a sentence each.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> weight_faults(layer)
        ()
    """
    broken = (
        (name, int((~weight.isfinite()).sum()), weight.numel())
        for name, weight in module.state_dict().items()
        if weight.is_floating_point() and not weight.isfinite().all()
    )
    return tuple(
        f"{count:,} of the {total:,} numbers in {name} are NaN or infinite: no gradient means anything."
        for name, count, total in broken
    )
