"""The targets of `fit(X, y)` for tasks that predict one for each input."""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled.errors import DataError


def target_column(y: Any) -> np.ndarray:
    """The targets as an array ``(targets,)``, of the type they came in.

    Raises:
        DataError: they are not one for each input, or one is missing; names its row, counted from 1.

    Example:
        >>> target_column(["pos", "neg"])
        array(['pos', 'neg'], dtype='<U3')
    """
    import pandas as pd
    from sklearn.utils import column_or_1d

    try:
        column = column_or_1d(y, warn=True)
    except ValueError as error:
        raise DataError(f"expected one target for each input in y, got another form ({error})") from None
    missing = np.asarray(pd.isna(column))
    if missing.any():
        raise DataError("expected a target, got none", row=int(missing.argmax()) + 1)
    if column.dtype.kind == "c":
        raise DataError("Complex data not supported: expected classes or real numbers in y, got complex ones")
    return column


def require_classes(column: np.ndarray) -> None:
    """Require classes, as scikit-learn does: numbers among them have no fraction.

    Raises:
        DataError: they are measured numbers.
    """
    if column.dtype.kind != "f":
        return
    measured = ~np.isfinite(column) | (column != np.round(column))
    if measured.any():
        place = int(measured.argmax())
        raise DataError(
            f"Unknown label type: continuous; expected the names of classes in y, got {column[place]}",
            row=place + 1,
            remedy="use unrolled.Regressor to predict numbers",
        )
