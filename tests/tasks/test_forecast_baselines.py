import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.example import Series
from unrolled.errors import DataError
from unrolled.tasks.baselines.autoregression import LinearAutoregression
from unrolled.tasks.baselines.forecasting import Persistence, SeasonalNaive
from unrolled.tasks.forecasting.scores import Forecasts, forecast_scores, seasonal_error


def series_of(values, season=1, name="a"):
    values = np.asarray(values, dtype=float)
    return Series(name, np.arange(len(values)), values, np.zeros((len(values), 0)), season=season)


numbers = st.lists(st.floats(-5, 5), min_size=2, max_size=20).map(np.array)


@given(numbers, st.integers(1, 6), st.integers(1, 9))
def test_the_seasonal_naive_forecast_repeats_the_last_season(values, season, horizon):
    origin = len(values) - 1
    (forecast,) = SeasonalNaive().forecast(series_of(values, season), np.array([origin]), horizon)
    grown = list(values)
    for _ in range(horizon):
        grown.append(grown[-season] if len(grown) >= season else values[origin])
    if len(values) >= season:
        assert forecast.tolist() == grown[len(values) :]
    if season == 1:
        assert (
            forecast.tolist()
            == Persistence().forecast(series_of(values), np.array([origin]), horizon)[0].tolist()
        )


@given(numbers, st.integers(1, 9))
def test_no_forecast_looks_past_its_origin(values, horizon):
    origin = len(values) // 2
    changed = np.concatenate([values[: origin + 1], values[origin + 1 :] + 100])
    for baseline in (Persistence(), SeasonalNaive(), LinearAutoregression(np.array([0.5, 0.2, 1.0]), {})):
        both = (series_of(each, season=3) for each in (values, changed))
        first, second = (baseline.forecast(each, np.array([origin]), horizon) for each in both)
        assert np.array_equal(first, second)


def process(weights, steps, rng, level=0.0, size=1.0):
    """A linear autoregression with a constant of 1 and noise, around a level."""
    values = np.zeros(steps)
    for step in range(len(weights), steps):
        values[step] = values[step - len(weights) : step][::-1] @ weights + 1 + rng.normal()
    return level + size * values


def test_the_autoregression_finds_the_process_that_made_the_numbers():
    values = process([0.6, -0.3], 2500, np.random.default_rng(0))
    model = LinearAutoregression.fit([series_of(values)], order=2)
    assert model.weights.tolist() == pytest.approx([0.6, -0.3, 0], abs=0.07)
    (forecast,) = model.forecast(series_of(values), np.array([2499]), 2)
    mean, spread = model.units["a"]
    last, before = (values[2499] - mean) / spread, (values[2498] - mean) / spread
    first = model.weights @ [last, before, 1]
    second = model.weights @ [first, last, 1]
    assert forecast.tolist() == pytest.approx([first * spread + mean, second * spread + mean])


def test_series_unlike_each_other_get_weights_of_their_own():
    rng = np.random.default_rng(0)
    made = {"a": [0.9, 0.0], "b": [-0.8, 0.0], "c": [0.2, 0.7]}
    series = [series_of(process(weights, 400, rng), name=name) for name, weights in made.items()]
    short = series_of(np.arange(6.0), name="short")
    model = LinearAutoregression.fit([*series, short], order=2, horizon=3)
    assert set(model.own) == set(made)
    for one in series:  # what plain numpy makes of the raw numbers of each
        rows = np.column_stack([one.values[1:-1], one.values[:-2], np.ones(398)])
        plain = np.linalg.lstsq(rows, one.values[2:], rcond=None)[0]
        (found,) = model.forecast(one, np.array([399]), 1)
        assert found == pytest.approx(plain @ [one.values[399], one.values[398], 1])
    assert np.isfinite(model.forecast(short, np.array([5]), 2)).all()


def test_series_of_few_steps_share_their_weights():
    rng = np.random.default_rng(0)
    sizes = [(10.0**power, 3 * 10.0**power) for power in range(-3, 3) for _ in range(4)]
    alike = [
        series_of(process([0.5, 0.0, 0.3], 40, rng, level, size), name=str(number))
        for number, (size, level) in enumerate(sizes)
    ]
    model = LinearAutoregression.fit(alike, order=3)
    assert (model.own, model.unit) == ({}, None)
    assert len(model.units) == len(alike)


def test_series_around_one_level_are_read_in_one_unit():
    rng = np.random.default_rng(0)
    walks = [series_of(process([0.97], 25, rng, level=rng.normal(0, 30)), name=str(n)) for n in range(60)]
    model = LinearAutoregression.fit(walks, order=1)
    assert (model.own, model.units) == ({}, {})
    rows = np.concatenate([np.column_stack([one.values[:-1], np.ones(24)]) for one in walks])
    plain = np.linalg.lstsq(rows, np.concatenate([one.values[1:] for one in walks]), rcond=None)[0]
    (found,) = model.forecast(series_of([1.0, 2.0], name="new"), np.array([1]), 1)
    assert found == pytest.approx(plain @ [2.0, 1.0])


@given(st.integers(-30, 30))
def test_the_form_does_not_depend_on_the_units(power):
    rng = np.random.default_rng(1)
    walks = [process([0.5, 0.2], 60, rng, level=10.0) for _ in range(3)]
    first, second = (
        LinearAutoregression.fit(
            [series_of(values * unit, name=str(n)) for n, values in enumerate(walks)], order=2
        )
        for unit in (1.0, 10.0**power)
    )
    assert first.form == second.form
    found, scaled = (
        model.forecast(series_of(walks[0] * unit, name="0"), np.array([59]), 2)
        for model, unit in ((first, 1.0), (second, 10.0**power))
    )
    assert scaled == pytest.approx(found * 10.0**power, rel=1e-6)


def test_missing_numbers_are_bridged_in_the_past_and_left_out_as_targets():
    values = np.arange(30.0)
    values[[7, 8]] = np.nan
    model = LinearAutoregression.fit([series_of(values)], order=1)
    assert np.isfinite(model.forecast(series_of(values), np.arange(29), 3)).all()
    assert Persistence().forecast(series_of(values), np.array([8]), 1).tolist() == [[6.0]]


def test_an_order_longer_than_every_series_is_refused():
    with pytest.raises(DataError, match="ar_order"):
        LinearAutoregression.fit([series_of(np.arange(4.0))], order=4)


@pytest.mark.parametrize(
    "baseline",
    [
        Persistence(),
        SeasonalNaive(),
        LinearAutoregression(np.array([0.5, 0.1]), {"a": (2.0, 3.0)}),
        LinearAutoregression(np.array([0.5, 0.1]), unit=(2.0, 3.0)),
        LinearAutoregression(np.array([0.5, 0.1]), own={"a": np.array([0.7, 0.2]), "b": np.zeros(2)}),
    ],
)
def test_a_saved_baseline_forecasts_the_same(baseline):
    values, origins = series_of(np.arange(12.0) ** 2, season=4), np.arange(5, 11)
    again = type(baseline).from_state(baseline.state())
    assert np.array_equal(again.forecast(values, origins, 3), baseline.forecast(values, origins, 3))


def test_the_scores_are_those_of_the_textbook():
    actual = np.array([[1.0, 2.0], [4.0, np.nan]])
    point = np.array([[2.0, 2.0], [1.0, 7.0]])
    quantiles = np.stack([point - 1, point + 1], axis=2)
    scores = forecast_scores([Forecasts(actual, point, quantiles, seasonal_error=2.0)], (0.1, 0.9))
    assert scores["rmse"] == pytest.approx(np.sqrt(10 / 3))
    assert scores["mae"] == pytest.approx(4 / 3)
    assert scores["smape"] == pytest.approx(200 * (1 / 3 + 0 + 3 / 5) / 3)
    assert scores["mase"] == pytest.approx(2 / 3)
    assert scores["coverage_0.8"] == pytest.approx(2 / 3)
    pinballs = [0.1 * 0, 0.9 * 2 - 1.8 + 0.1 * 2, 0.1 * 1, 0.1 * 1, 0.1 * 4, 0.9 * 2]
    assert scores["pinball"] == pytest.approx(np.mean(pinballs))


def test_the_seasonal_error_skips_missing_numbers():
    assert seasonal_error(np.array([0.0, 1.0, 3.0, np.nan, 9.0]), 2) == pytest.approx((3 + 6) / 2)


def test_where_nothing_changes_the_unit_is_the_size_of_the_numbers():
    assert seasonal_error(np.full(5, 1e-20), 1) == 1e-20
    assert seasonal_error(np.zeros(5), 1) == 1.0
    assert seasonal_error(np.array([1.0, 4.0]), season=12) == 3.0
