"""sktime's interfaces around the estimators: importing this needs ``sktime``."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sktime.classification.base import BaseClassifier  # type: ignore[import-not-found]
from sktime.forecasting.base import BaseForecaster  # type: ignore[import-not-found]

from unrolled.tasks.classify import Classifier
from unrolled.tasks.forecast import Forecaster


class SktimeForecaster(BaseForecaster):
    """`unrolled.Forecaster` behind sktime's interface, for one series and its covariates.

    Args:
        estimator: with the options to train with; its horizon is the furthest step asked for.
    """

    _tags: ClassVar[dict[str, Any]] = {
        "y_inner_mtype": "pd.Series",
        "X_inner_mtype": "pd.DataFrame",
        "scitype:y": "univariate",
        "requires-fh-in-fit": True,
        "capability:exogenous": True,
        "capability:missing_values": True,
        "capability:pred_int": True,
        "X-y-must-have-same-index": True,
    }

    def __init__(self, estimator: Forecaster | None = None) -> None:
        self.estimator = estimator
        super().__init__()

    def _fit(self, y: Any, X: Any, fh: Any) -> SktimeForecaster:
        asked = Forecaster() if self.estimator is None else self.estimator.__sklearn_clone__()
        self.estimator_ = asked.set_params(horizon=int(max(fh.to_relative(self.cutoff))))
        self.estimator_.fit(_long(y, X))
        return self

    def _predict(self, fh: Any, X: Any) -> pd.Series:
        return pd.Series(self._rows(fh)["y"].to_numpy(), fh.to_absolute_index(self.cutoff), name=self._y.name)

    def _predict_quantiles(self, fh: Any, X: Any, alpha: list[float]) -> pd.DataFrame:
        rows = self._rows(fh)
        known = np.array(self.estimator_.effective.quantiles)
        names = [f"y_{level:g}" for level in known]
        # Between the quantiles that were learned, and beyond them the nearest one.
        found = np.stack([np.interp(alpha, known, row) for row in rows[names].to_numpy()])
        variable = self._y.name if self._y.name is not None else 0
        columns = pd.MultiIndex.from_product([[variable], alpha])
        return pd.DataFrame(found, fh.to_absolute_index(self.cutoff), columns)

    def _rows(self, fh: Any) -> pd.DataFrame:
        steps = np.asarray(fh.to_relative(self.cutoff), dtype=int)
        if (steps < 1).any():
            raise NotImplementedError("forecasts are of steps after the data; in-sample steps are none")
        rows = self.estimator_.predict(_long(self._y, self._X), steps=int(steps.max()))
        return pd.DataFrame(rows).iloc[steps - 1]


class SktimeClassifier(BaseClassifier):
    """`unrolled.Classifier` behind sktime's interface, for series of any lengths and numbers of channels.

    Args:
        estimator: with the options to train with.
    """

    _tags: ClassVar[dict[str, Any]] = {
        "X_inner_mtype": "df-list",
        "capability:multivariate": True,
        "capability:unequal_length": True,
        "capability:predict_proba": True,
    }

    def __init__(self, estimator: Classifier | None = None) -> None:
        self.estimator = estimator
        super().__init__()

    def _fit(self, X: Any, y: Any) -> SktimeClassifier:
        asked = Classifier() if self.estimator is None else self.estimator.__sklearn_clone__()
        self.estimator_ = asked.fit(_arrays(X), y)
        return self

    def _predict(self, X: Any) -> np.ndarray:
        return self.estimator_.predict(_arrays(X))

    def _predict_proba(self, X: Any) -> np.ndarray:
        return self.estimator_.predict_proba(_arrays(X))


def _arrays(X: Any) -> list[np.ndarray]:
    return [frame.to_numpy() for frame in X]


def _long(y: pd.Series, X: pd.DataFrame | None) -> pd.DataFrame:
    """A series and its covariates as one frame in long format."""
    index = y.index.to_timestamp() if isinstance(y.index, pd.PeriodIndex) else y.index
    frame = pd.DataFrame({"ds": index, "y": y.to_numpy()})
    if X is not None:
        frame = frame.assign(**{str(name): X[name].to_numpy() for name in X.columns})
    return frame
