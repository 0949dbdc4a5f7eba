"""Covariates that are known ahead: rows of the future whose number to forecast is empty."""

import numpy as np
import pandas as pd
import pytest

from unrolled.errors import DataError
from unrolled.tasks.forecast import Forecaster
from unrolled.tasks.registry import load

SMALL = {"horizon": 3, "epochs": 3, "hidden_size": 4, "quantiles": (), "refit": False, "lags": 1}


def shop(steps=203, known=200, seed=0):
    """Sales that a promotion of the same day raises, which nothing before it tells."""
    promo = np.random.default_rng(seed).integers(0, 2, steps)
    sales = 10 + 5.0 * promo
    sales[known:] = np.nan
    return pd.DataFrame({"ds": pd.date_range("2023-01-02", periods=steps), "y": sales, "promo": promo})


@pytest.fixture(scope="module")
def forecaster():
    return Forecaster(**SMALL, future_covariates=("promo",)).fit(shop()[:200])


def test_forecasts_follow_what_is_known_ahead(forecaster, tmp_path):
    rows = forecaster.predict(shop())
    assert [row["ds"] for row in rows] == shop()["ds"][200:].astype(str).tolist()
    expected = 10 + 5.0 * shop()["promo"][200:]
    np.testing.assert_allclose([row["y"] for row in rows], expected, atol=0.5)
    changed = shop().assign(promo=lambda frame: frame["promo"].where(frame.index < 200, 1 - frame["promo"]))
    np.testing.assert_allclose([row["y"] for row in forecaster.predict(changed)], 25 - expected, atol=0.5)
    forecaster.save(tmp_path / "model")
    assert load(tmp_path / "model").predict(shop()) == rows
    shop().to_csv(tmp_path / "shop.csv", index=False)
    assert forecaster.predict(tmp_path / "shop.csv") == rows


def test_scores_read_ahead_too(forecaster):
    assert forecaster.dev_evaluation.scores["rmse"] < 0.5
    assert forecaster.dev_evaluation.baselines["linear autoregression"]["rmse"] > 2


def test_beyond_the_horizon_more_of_it_is_read(forecaster):
    rows = forecaster.predict(shop(steps=207), steps=7)
    np.testing.assert_allclose([row["y"] for row in rows], 10 + 5.0 * shop(207)["promo"][200:], atol=1.5)


def test_training_data_with_a_future_shows_what_is_known_ahead():
    found = Forecaster(**SMALL | {"epochs": 1}).fit(shop())
    assert found.effective.future_covariates == ("promo",)
    assert [row["ds"] for row in found.predict()] == shop()["ds"][200:].astype(str).tolist()
    past = Forecaster(**SMALL | {"epochs": 1}).fit(shop()[:200])
    assert past.effective.future_covariates == ()
    assert [row["ds"] for row in past.predict(shop())] == shop()["ds"][200:].astype(str).tolist()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (shop()[:200], "expected 'promo' of the 3 steps after the last number.*got 0"),
        (shop()[:202], "expected 'promo' of the 3 steps after.*got 2"),
        (shop().assign(promo=lambda frame: frame["promo"].where(frame.index != 201)), "got 1"),
    ],
)
def test_a_covariate_missing_in_the_future_is_said(forecaster, data, message):
    with pytest.raises(DataError, match=message):
        forecaster.predict(data)


def test_what_is_known_ahead_is_a_covariate():
    with pytest.raises(
        DataError, match="expected future_covariates to be among the covariates promo, got 'price'"
    ):
        Forecaster(**SMALL, future_covariates=("price",)).fit(shop())


def test_a_run_of_its_own_stands_for_each_series_future():
    both = pd.concat([shop(seed=0).assign(unique_id="a"), shop(204, 201, seed=1).assign(unique_id="b")])
    found = Forecaster(**SMALL | {"epochs": 1}, future_covariates=("promo",)).fit(both)
    rows = found.predict(both)
    assert [row["unique_id"] for row in rows] == ["a"] * 3 + ["b"] * 3
    assert rows[3]["ds"] == "2023-07-22"
