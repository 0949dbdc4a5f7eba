"""Public holidays that are known ahead."""

import importlib.util

import numpy as np
import pandas as pd
import pytest

import unrolled
from unrolled.data.public_holidays import days_of
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.forecast import Forecaster

SMALL = {"horizon": 7, "context": 14, "lags": 2, "hidden_size": 8, "refit": False, "learning_rate": 0.01}
SMALL |= {"epochs": 12}
# As the laws of Germany have them.
GERMAN = ["01-01", "03-29", "04-01", "05-01", "05-09", "05-20", "10-03", "12-25", "12-26"]


def sales():
    """A shop that closes on holidays."""
    days = pd.date_range("2019-01-01", "2024-12-20")
    closed = days.strftime("%Y-%m-%d").isin(days_of("DE", 2019, 2024))
    noise = np.random.default_rng(0).normal(0, 0.2, len(days))
    return pd.DataFrame({"ds": days, "y": 10.0 - 8.0 * closed + noise})


def test_days_are_those_of_the_law():
    assert [day[5:] for day in days_of("DE", 2024, 2024)] == GERMAN
    assert len(days_of("DE-BY", 2024, 2024)) > len(GERMAN)


def test_forecasts_know_them(tmp_path):
    model = Forecaster(**SMALL, holidays=("DE",), quantiles=()).fit(sales())
    assert any("Holidays of DE, 9" in note for note in model.notices)
    numbers = {row["ds"]: row["y"] for row in model.predict()}
    assert numbers["2024-12-25"] < 6 < numbers["2024-12-24"]
    assert numbers["2024-12-26"] < 6 < numbers["2024-12-27"]
    without = Forecaster(**SMALL, quantiles=()).fit(sales())
    assert min(row["y"] for row in without.predict()) > 6
    model.save(tmp_path / "model")
    again = unrolled.load(tmp_path / "model")
    assert again.predict(steps=9) == model.predict(steps=9)
    unrolled.export.onnx(again, tmp_path / "onnx")
    spec = importlib.util.spec_from_file_location("exported_run", tmp_path / "onnx" / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.Model(tmp_path / "onnx").predict([None])[0]
    assert [row["y"] for row in found] == pytest.approx([row["y"] for row in model.predict()], rel=1e-4)
    with pytest.raises(ConfigError, match="holidays of DE: expected covariates known up to the present"):
        unrolled.export.c(again, tmp_path / "c")


def test_hours_fall_on_the_days_of_their_clocks():
    from unrolled.data.example import Series
    from unrolled.tasks.forecasting.preparation import Preparation

    times = np.arange("2024-12-24T20:00", "2024-12-25T04:00", dtype="datetime64[h]").astype("datetime64[ns]")
    one = Series("a", times, np.arange(8.0), np.zeros((8, 0)), step="h", zone="Europe/Berlin")
    prepared = Preparation.learn([one], "standard", False, horizon=2, holidays={"DE": ["2024-12-25"]})
    marks = prepared.apply(one).covariates
    # 23:00 in UTC is midnight in Berlin.
    assert marks[:, 0].tolist() == [0, 0, 1, 1, 1, 1, 1, 1]
    assert marks[:, 1].tolist() == [0, 1, 1, 1, 1, 1, 1, 1]
    assert prepared.inputs == 1 + 2


@pytest.mark.parametrize("country", ["XX", "DE-QQ", "", "Bielefeld"])
def test_a_country_without_holidays_is_said(country):
    with pytest.raises(ConfigError, match="holidays: expected countries such as DE or US"):
        Forecaster(**SMALL, holidays=(country,)).fit(sales().tail(90))


def test_steps_that_have_no_days_are_refused():
    months = pd.DataFrame({"ds": pd.date_range("2019-01-31", periods=60, freq="ME"), "y": np.arange(60.0)})
    with pytest.raises(DataError, match=r"expected dates with a step of a day or shorter.*got a longer one"):
        Forecaster(**SMALL, holidays=("DE",)).fit(months)
    with pytest.raises(DataError, match=r"holidays of DE, got none; leave"):
        Forecaster(**SMALL, holidays=("DE",)).fit(np.arange(60.0).tolist())
