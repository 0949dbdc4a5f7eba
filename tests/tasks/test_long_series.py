"""What is computed of a long series a piece at a time is what it is of all at once."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data import seasons
from unrolled.data.compact_texts import compact
from unrolled.data.dates import are_dates
from unrolled.data.example import Series
from unrolled.data.scaling import fill
from unrolled.data.windows import WindowLoader
from unrolled.tasks.baselines import autoregression
from unrolled.tasks.forecasting import preparation


@pytest.fixture
def series():
    draws = np.random.default_rng(3)
    hours = np.datetime64("2024-01-01T00", "ns") + np.arange(500) * np.timedelta64(1, "h")
    values = np.sin(np.arange(500) * 2 * np.pi / 24) + draws.normal(0, 0.3, 500)
    values[draws.integers(1, 499, 40)] = np.nan
    covariates = draws.normal(size=(500, 2))
    covariates[draws.integers(0, 500, 20), 1] = np.nan
    return Series("a", hours, values, covariates, ("price", "load"), season=24, step="h")


@given(rows=st.lists(st.tuples(*[st.sampled_from([np.nan, 1.0, 2.5])] * 3), max_size=12))
def test_gaps_are_filled_as_pandas_fills_them(rows):
    values = np.array(rows, dtype=np.float64).reshape(-1, 3)
    before = values.copy()
    assert np.array_equal(fill(values), pd.DataFrame(values).ffill().fillna(0.0).to_numpy())
    assert np.array_equal(values, before, equal_nan=True)


@pytest.mark.parametrize("piece", [1, 7, 499, 500])
def test_the_calendar_is_the_same_in_pieces(series, piece, monkeypatch):
    prepared = preparation.Preparation.learn([series], "standard", calendar=True)
    whole = prepared.apply(series).covariates
    monkeypatch.setattr(preparation, "_PIECE", piece)
    assert whole.dtype == np.float32
    assert whole.shape[1] > 2
    assert np.array_equal(prepared.apply(series).covariates, whole, equal_nan=True)


@pytest.mark.parametrize("piece", [1, 30, 498])
def test_seasons_and_the_baseline_are_the_same_in_pieces(series, piece, monkeypatch):
    def found():
        return seasons._one(series.values, 60), autoregression.LinearAutoregression.fit([series], 8).weights

    whole = found()
    monkeypatch.setattr(seasons, "_PIECE", piece)
    monkeypatch.setattr(autoregression, "_PIECE", piece)
    for one, other in zip(whole, found(), strict=True):
        assert np.allclose(one, other, rtol=1e-9, atol=1e-12)


def test_autocorrelation_is_that_of_the_definition(series, monkeypatch):
    monkeypatch.setattr(seasons, "_PIECE", 50)
    changes = np.diff(series.values)
    changes = np.nan_to_num(changes - np.nanmean(changes))
    products = [changes[: len(changes) - lag] @ changes[lag:] / (len(changes) - lag) for lag in range(61)]
    assert np.allclose(seasons._one(series.values, 60), np.array(products) / products[0], atol=1e-12)


def test_series_are_scaled_as_windows_are_made(series):
    prepared = preparation.Preparation.learn([series], "standard", calendar=True)
    both = [series.slice(0, 200), series]
    ways = (
        WindowLoader(both, 20, 3, 16, mask=True, prepared=prepared.apply),
        WindowLoader([prepared.apply(one) for one in both], 20, 3, 16, mask=True),
    )
    for one, other in zip(*(loader.batches(0) for loader in ways), strict=True):
        assert one.inputs["values"].equal(other.inputs["values"])
        assert one.targets.nan_to_num(-9.0).equal(other.targets.nan_to_num(-9.0))


@pytest.mark.parametrize(("last", "dates"), [("2024-01-02", True), ("2024-01-32", False), ("n", False)])
def test_a_long_column_is_told_to_be_dates(last, dates):
    assert are_dates(compact(["2024-01-01"] * 50_000 + [last])) is dates
