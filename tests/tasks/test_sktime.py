"""sktime's interfaces, where it is installed."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")

from unrolled.tasks.classify import Classifier
from unrolled.tasks.forecast import Forecaster
from unrolled.tasks.sktime import SktimeClassifier, SktimeForecaster

pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_forecast_stands_where_it_was_asked_for():
    y = pd.Series(np.sin(np.arange(80) * 0.4), pd.period_range("2020-01", periods=80, freq="M"), name="wave")
    made = SktimeForecaster(Forecaster(hidden_size=4, epochs=1, context=10)).fit(y, fh=[1, 3])
    found = made.predict()
    assert found.index.astype(str).tolist() == ["2026-09", "2026-11"]
    assert np.isfinite(found).all()
    quantiles = made.predict_quantiles(alpha=[0.1, 0.5, 0.9])
    assert quantiles.shape == (2, 3)
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_series_of_unequal_length_are_classified():
    draws = np.random.default_rng(0)
    X = [pd.DataFrame({"a": draws.normal(size=size)}) for size in draws.integers(4, 8, size=12)]
    y = np.array(["p", "q"] * 6)
    made = SktimeClassifier(Classifier(hidden_size=3, epochs=1)).fit(X, y)
    assert set(made.predict(X)) <= {"p", "q"}
    assert made.predict_proba(X).shape == (12, 2)
