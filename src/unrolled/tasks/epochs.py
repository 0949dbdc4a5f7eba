"""What small data needs: as many updates as large data gives in its epochs."""

from __future__ import annotations

from math import ceil
from typing import Any

_UPDATES = 1000
_FEWEST, _MOST = 20, 100
_PATIENCE = 8


def epochs_for(
    count: int, batch_size: int, fewest: int = _FEWEST, patience: int = _PATIENCE
) -> dict[str, Any]:
    """The options ``epochs`` and ``patience`` for so many sequences: 1,000 updates, in up to 100 epochs.

    Args:
        count: the sequences.
        batch_size: of them to an update.
        fewest: the epochs of large data.
        patience: the patience of large data.

    Example:
        >>> epochs_for(50_000, 32), epochs_for(250, 32)
        ({'epochs': 20, 'patience': 8}, {'epochs': 100, 'patience': 33})
    """
    epochs = min(_MOST, max(fewest, ceil(_UPDATES / ceil(count / batch_size))))
    # The score of a small held-out share wavers, so a short pause says little.
    return {"epochs": epochs, "patience": max(patience, epochs // 3)}
