import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data.calendar import future_times
from unrolled.data.example import Series
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.forecast import Forecaster
from unrolled.tasks.forecasting.memory import Memory, usual_memory, usual_order
from unrolled.tasks.forecasting.rolling import rolling_forecasts
from unrolled.tasks.registry import load

SMALL = {"context": 12, "hidden_size": 8, "epochs": 3, "batch_size": 64, "stride": 4, "refit": False}


def wave(length=240, period=12.0, size=1.0, shift=0.0, noise=0.0, name="wave", seed=0):
    steps = np.arange(length)
    values = shift + size * np.sin(2 * np.pi * steps / period)
    values = values + noise * np.random.default_rng(seed).normal(size=length)
    days = pd.date_range("2022-01-01", periods=length, freq="D")
    return pd.DataFrame({"unique_id": name, "ds": days, "y": values})


@pytest.fixture(scope="module")
def waves():
    return pd.concat([wave(), wave(size=100, shift=1000, name="large")])


@pytest.fixture(scope="module")
def forecaster(waves):
    return Forecaster(**SMALL, horizon=3, quantiles=(0.1, 0.5, 0.9)).fit(waves)


def test_a_wave_is_forecast_better_than_by_persistence():
    made = Forecaster(**{**SMALL, "epochs": 10}, input_noise=0.0, dropout=0.0).fit(wave())
    evaluation = made.dev_evaluation
    assert evaluation.scores["rmse"] < 0.2 * evaluation.baselines["persistence"]["rmse"]
    assert set(evaluation.baselines) == {"persistence", "seasonal naive", "linear autoregression"}


def test_an_autoregressive_process_is_forecast_nearly_as_well_as_can_be():
    rng = np.random.default_rng(1)
    values = np.zeros(900)
    for step in range(2, 900):
        values[step] = 1.2 * values[step - 1] - 0.6 * values[step - 2] + rng.normal()
    made = Forecaster(**{**SMALL, "epochs": 10}, quantiles=()).fit(pd.DataFrame({"y": values}))
    evaluation = made.dev_evaluation
    # The noise itself has a standard deviation of 1; persistence of about 1.3.
    assert evaluation.scores["rmse"] < 1.12 < evaluation.baselines["persistence"]["rmse"]
    assert evaluation.scores["rmse"] < 1.1 * evaluation.baselines["linear autoregression"]["rmse"]


def test_the_default_split_is_said_and_baselines_score_the_same_points(forecaster):
    assert any("last 20% of each series" in notice for notice in forecaster.notices)
    evaluation = forecaster.dev_evaluation
    # The last fifth of 240 steps has 48; a whole horizon of 3 fits after 46 of them; two series.
    assert evaluation.count == 2 * 46 * 3
    assert set(evaluation.baselines["persistence"]) <= set(evaluation.scores)


def test_the_scores_are_those_of_the_forecasts(forecaster):
    one = wave(44)
    evaluation = forecaster.evaluate(one)
    values = one.y.to_numpy()
    errors = [
        [line["y"] for line in forecaster.predict(one.iloc[: origin + 1])] - values[origin + 1 : origin + 4]
        for origin in range(11, 41)
    ]
    (example,) = evaluation.examples
    assert evaluation.count == 30 * 3
    assert evaluation.scores["mae"] == pytest.approx(np.abs(errors).mean(), rel=1e-4)
    assert evaluation.scores["rmse"] == pytest.approx(np.sqrt(np.square(errors).mean()), rel=1e-4)
    assert example["series"] == "wave"
    assert len(example["time"]) == len(example["actual"]) == len(example["forecast"])


def test_of_many_origins_those_at_even_distances_are_scored(forecaster, waves, monkeypatch):
    monkeypatch.setattr("unrolled.tasks.forecast._ORIGINS", 100)
    # 226 origins in each of two series; a fifth of them is below a hundred, a quarter is not.
    assert forecaster.evaluate(waves).count == 2 * 46 * 3


def test_forecasts_come_as_rows_with_dates_and_rising_quantiles(forecaster):
    rows = forecaster.predict()
    assert [line["unique_id"] for line in rows] == ["wave"] * 3 + ["large"] * 3
    assert [line["ds"] for line in rows[:3]] == ["2022-08-29", "2022-08-30", "2022-08-31"]
    assert list(rows[0]) == ["unique_id", "ds", "y", "y_0.1", "y_0.5", "y_0.9"]
    assert all(line["y_0.1"] <= line["y_0.5"] <= line["y_0.9"] for line in rows)


def test_beyond_the_horizon_forecasts_are_fed_back_with_the_state_carried(forecaster, waves):
    rows = forecaster.predict(waves, steps=8)
    assert [line["ds"] for line in rows[:8]][-1] == "2022-09-05"
    assert rows[:3] == forecaster.predict(waves)[:3]
    one = forecaster._load(waves)[0]
    fed = replace(one, values=np.append(one.values, [line["y"] for line in rows[:3]]))
    fed = replace(fed, times=np.append(one.times, future_times(one, 3)), covariates=np.zeros((243, 0)))
    # The state was carried: the steps fed back come after the 12 of the context, not in their place.
    read = forecaster._preparation.read(fed)
    (found,) = rolling_forecasts(forecaster.model, [read], [np.array([242])], 12 + 3)
    expected = forecaster._preparation.scaling(one).undo(found[0, :, 0])
    assert [line["y"] for line in rows[3:6]] == pytest.approx(list(expected), rel=1e-4)


def test_beyond_the_horizon_the_quantiles_spread_as_the_future_does():
    walk = np.random.default_rng(3).normal(size=900).cumsum()
    made = Forecaster(**{**SMALL, "epochs": 6}, dropout=0.0).fit(pd.DataFrame({"y": walk}))
    rows = made.predict(steps=16, paths=300)
    widths = [line["y_0.9"] - line["y_0.1"] for line in rows]
    # Of a random walk the spread grows as the square root of the steps.
    assert widths[0] == pytest.approx(2.56, rel=0.2)
    assert widths[15] / widths[0] == pytest.approx(4, rel=0.35)
    assert rows == made.predict(steps=16, paths=300)


def test_steps_come_as_they_are_made(forecaster, waves):
    rows = forecaster.forecast(waves, steps=80_000)
    assert [next(rows) for _ in range(4)] == forecaster.predict(waves, steps=4)[:4]


def test_without_a_spread_only_the_point_is_fed_back():
    made = Forecaster(**SMALL, quantiles=(0.5,)).fit(wave())
    assert len(made.predict(steps=4)) == 4
    single = Forecaster(**SMALL, quantiles=(0.9,)).fit(wave(noise=0.3)).predict(steps=4)
    assert all(line["y_0.9"] > line["y"] for line in single)


def test_a_season_is_found_in_series_without_dates():
    steps = np.arange(300)
    noise = np.random.default_rng(0).normal(size=(2, 300)) * 0.1
    series = [
        Series(name, steps, size * (np.sin(steps * 2 * np.pi / 12) + noise[row]), np.zeros((300, 0)))
        for row, (name, size) in enumerate([("a", 1.0), ("b", 50.0)])
    ]
    made = Forecaster(hidden_size=4, epochs=1).fit(series)
    assert made.effective.season == 12
    assert made.effective.point == "median"
    assert "seasonal naive" in made.dev_evaluation.baselines
    assert made.predict([series[0]]) == made.predict()[:1]


def test_mixed_series_above_zero_are_scaled_by_their_logarithms(waves):
    raised = pd.concat([wave(shift=3, noise=0.1), wave(size=100, shift=300, noise=0.1, name="large")])
    made = Forecaster(**SMALL).fit(raised)
    assert (made.effective.scaling, made.effective.point, made.effective.relative) == ("log", "median", True)
    assert all(line["y_0.1"] > 0 for line in made.predict(steps=30))
    assert Forecaster(**SMALL).fit(wave(shift=3)).effective.scaling == "standard"
    assert Forecaster(**SMALL).fit(waves).effective.scaling == "standard"
    # Later numbers may be zero all the same.
    later = raised.assign(y=raised.y.where(raised.index % 50 > 0, 0.0))
    assert np.isfinite(list(made.evaluate(later).scores.values())).all()
    with pytest.raises(DataError, match="expected numbers above 0 for scaling='log'"):
        Forecaster(**SMALL, scaling="log").fit(waves)


def test_a_wide_file_goes_on_where_the_training_file_ended(tmp_path):
    values = {name: wave(92, noise=0.1, size=size, seed=size).y for name, size in (("A", 1), ("B", 9))}
    for file, part in (("train", slice(0, 80)), ("test", slice(80, 92))):
        names = ",".join(f"V{number}" for number in range(1, 2 + len(range(92)[part])))
        rows = [f"{name}," + ",".join(map(str, numbers[part])) for name, numbers in values.items()]
        (tmp_path / f"{file}.csv").write_text("\n".join([names, *rows, ""]))
    made = Forecaster(**SMALL, horizon=6).fit(tmp_path / "train.csv")
    evaluation = made.evaluate(tmp_path / "test.csv")
    assert evaluation.count == 2 * 7 * 6
    made.save(tmp_path / "model")
    assert load(tmp_path / "model").evaluate(tmp_path / "test.csv").scores == evaluation.scores
    # The same file again is not its own future.
    assert made.evaluate(tmp_path / "train.csv").count == 2 * (80 - 12 - 6 + 1) * 6


def test_scaling_is_undone(forecaster, waves):
    small, large = (forecaster.predict(waves)[at]["y"] for at in (0, 3))
    assert large == pytest.approx(1000 + 100 * small, rel=1e-3)


def test_a_series_that_was_not_in_the_training_data_is_scaled_by_itself(forecaster):
    new = forecaster.predict(wave(size=7, shift=-50, name="new"))
    known = forecaster.predict(wave())
    assert [(line["y"] + 50) / 7 for line in new] == pytest.approx([line["y"] for line in known], abs=0.02)


def test_data_that_goes_on_after_the_training_data_is_forecast_from_its_first_step(waves):
    early, late = (waves.groupby("unique_id", group_keys=False)[["unique_id", "ds", "y"]].apply(part)
                   for part in (lambda one: one.iloc[:230], lambda one: one.iloc[230:]))  # fmt: skip
    made = Forecaster(**SMALL).fit(early)
    assert made.evaluate(late).count == 2 * 10
    assert made.evaluate(wave(name="another").iloc[:9]).count == 1
    with pytest.raises(DataError, match="at least 2 steps"):
        made.evaluate(wave(name="another").iloc[:1])


def test_missing_numbers_are_read_and_not_scored():
    data = wave(noise=0.1)
    data.loc[[30, 31, 100, 215], "y"] = np.nan
    made = Forecaster(**SMALL).fit(data)
    assert made.dev_evaluation.count == 48 - 1
    assert np.isfinite(list(made.dev_evaluation.scores.values())).all()
    assert made.model.recurrent.input_size == 1 + 2 + 1  # the number, the week, and if it is missing
    data.loc[239, "y"] = np.nan
    assert np.isfinite(made.predict(data)[0]["y"])


def test_a_covariate_helps():
    rng = np.random.default_rng(0)
    hint = rng.normal(size=300)
    data = pd.DataFrame({"y": np.concatenate([[0.0], hint[:-1]]), "hint": hint})
    made = Forecaster(**SMALL).fit(data)
    alone = Forecaster(**SMALL, covariates=()).fit(data)
    assert made.dev_evaluation.scores["rmse"] < 0.5 * alone.dev_evaluation.scores["rmse"]
    with pytest.raises(DataError, match="covariates hint"):
        made.predict(data[["y"]])


def test_saved_and_loaded_it_is_the_same(tmp_path, forecaster, waves):
    forecaster.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.evaluate(waves).scores == forecaster.evaluate(waves).scores
    assert again.evaluate(waves).baselines == forecaster.evaluate(waves).baselines
    assert again.predict() == forecaster.predict()


def test_two_runs_are_equal_to_the_bit():
    first, second = (Forecaster(**SMALL, seed=4).fit(wave(noise=0.2)).predict() for _ in range(2))
    assert first == second


def test_the_first_steps_of_a_window_are_not_learnt_from(forecaster):
    batch = forecaster.first_batch(wave())
    lags = forecaster.effective.lags
    assert lags > 1
    assert batch.targets[:, : lags - 1].isnan().all()
    assert batch.targets[:, lags - 1 :].isfinite().all()


def test_a_median_is_asked_for():
    made = Forecaster(**SMALL, point="median", quantiles=()).fit(wave(noise=0.1))
    assert made.history.monitor == "mae"
    assert "pinball" not in made.dev_evaluation.scores


def test_columns_are_chosen_in_a_file(tmp_path):
    data = wave().rename(columns={"unique_id": "shop", "ds": "day", "y": "sold"})
    data["price"] = 2.0
    data.to_csv(tmp_path / "sales.csv", index=False)
    options = {"id_column": "shop", "time_column": "day", "target_column": "sold", "covariates": ("price",)}
    made = Forecaster(**SMALL, **options).fit(tmp_path / "sales.csv")
    assert made.predict()[0]["unique_id"] == "wave"


def test_series_objects_are_taken():
    series = Series("s", np.arange(200), np.sin(np.arange(200) / 2), np.zeros((200, 0)))
    assert Forecaster(**SMALL).fit([series]).predict()[0]["ds"] == 200


def test_bad_input_is_named(tmp_path):
    with pytest.raises(DataError, match="at least 4 steps"):
        Forecaster(**SMALL).fit(wave(3))
    with pytest.raises(ConfigError, match="quantiles"):
        Forecaster(quantiles=(0.9, 0.1))
    with pytest.raises(ConfigError, match="bidirectional"):
        Forecaster(**SMALL, bidirectional=True).fit(wave())
    (tmp_path / "bad.csv").write_text("ds,y\n2024-01-01,1\n2024-01-02,n.a.\n2024-01-03,3\n")
    with pytest.raises(DataError, match="row 3"):
        Forecaster(target_column="y").fit(tmp_path / "bad.csv")
    empty = wave()
    empty["y"] = np.nan
    with pytest.raises(DataError, match="number"):
        Forecaster(**SMALL).fit(empty)


def test_the_built_in_weather_is_forecast_better_than_by_linear_autoregression():
    evaluation = Forecaster(epochs=12).fit("seattle-weather").dev_evaluation
    autoregression = evaluation.baselines["linear autoregression"]["rmse"]
    assert autoregression == pytest.approx(2.89, abs=0.005)
    assert evaluation.scores["rmse"] < autoregression


@given(st.integers(-99, 99))
@settings(max_examples=5, deadline=None)
def test_in_other_units_the_forecasts_are_the_same(power):
    def made(unit):
        data = wave(120, noise=0.1)
        other = data.assign(unique_id="other", y=5 + data["y"] ** 2)
        both = pd.concat([data.assign(unique_id="wave"), other])
        one = Forecaster(**SMALL | {"epochs": 1}).fit(both.assign(y=both["y"] * unit))
        return np.array([row["y"] for row in one.predict()]) / unit, one.dev_evaluation

    (first, before), (second, after) = made(1.0), made(2.0**power)
    assert second == pytest.approx(first, rel=1e-4)
    assert after.scores["mase"] == pytest.approx(before.scores["mase"], rel=1e-4)
    assert after.baselines["persistence"]["mase"] == pytest.approx(before.baselines["persistence"]["mase"])


def test_one_short_series_neither_decides_for_all_nor_refuses_the_run():
    long = pd.concat([wave(240, noise=0.1).assign(unique_id=name) for name in "ab"])
    short = wave(9).assign(unique_id="short")
    made = Forecaster(horizon=7, epochs=1, hidden_size=8).fit(pd.concat([long, short]))
    assert (
        made.effective.context == Forecaster(horizon=7, epochs=1, hidden_size=8).fit(long).effective.context
    )
    assert made.dev_evaluation.count == 2 * (48 - 6) * 7
    assert any(notice.endswith("learnt from whole: 1 of 3 series.") for notice in made.notices)
    assert len(made.predict()) == 3 * 7
    assert made.evaluate(pd.concat([short, short.iloc[:2].assign(unique_id="two")])).count == 7


def test_context_lags_and_horizon_fit_together():
    short = pd.concat([wave(32, noise=0.1).assign(unique_id="a"), wave(96, noise=0.1).assign(unique_id="b")])
    made = Forecaster(horizon=18, epochs=1, hidden_size=8).fit(short)
    assert len(made.predict()) == 2 * 18
    assert len(Forecaster(horizon=3, epochs=1, test_share=0.1).fit(wave(11)).predict()) == 3


@pytest.mark.parametrize("options", [{"horizon": 1}, {"horizon": 3}, {"horizon": 2, "holdout": 0.6}])
@pytest.mark.parametrize("keep_apart", [True, False])
def test_a_short_series_is_told_the_rows_it_has_and_those_it_needs(options, keep_apart):
    def fit(rows):
        return Forecaster(epochs=1, hidden_size=2, **options).fit(wave(rows), keep_apart=keep_apart)

    with pytest.raises(DataError) as told:
        fit(2)
    needed = int(re.search(r"at least (\d+) steps", str(told.value))[1])
    for rows in range(3, needed):
        with pytest.raises(DataError, match=rf"at least {needed} steps, to learn from.* got {rows} in"):
            fit(rows)
    assert len(fit(needed).predict()) == options["horizon"]


def test_weeks_look_back_over_a_year():
    weeks = pd.date_range("2015-01-04", periods=300, freq="W")
    year = np.sin(2 * np.pi * np.arange(300) / 52)
    made = Forecaster(epochs=1, hidden_size=4, season=52).fit(pd.DataFrame({"ds": weeks, "y": year}))
    assert (made.effective.context, made.effective.lags) == (64, 32)


@pytest.mark.parametrize(
    ("lengths", "season", "horizon", "expected"),
    [
        ([192], 52, 1, Memory(64, 32)),  # too few seasons for as many weights
        ([218], 52, 1, Memory(72, 52)),
        ([128] * 6, 52, 4, Memory(62, 52)),
        ([128] * 6, 52, 40, Memory(44, 22)),  # no room for a season beside the horizon
        ([40], 12, 1, Memory(13, 6)),
        ([64], 12, 3, Memory(21, 12)),
        ([400], 7, 1, Memory(28, 7)),
        ([500, 3, 3, 3], 52, 1, Memory(104, 52)),
        ([2], 1, 1, Memory(2, 1)),
    ],
)
def test_a_season_is_seen_whole_where_the_data_allows(lengths, season, horizon, expected):
    rng = np.random.default_rng(0)
    series = [
        Series(str(n), np.arange(each), rng.normal(size=each), np.zeros((each, 0)), season=season)
        for n, each in enumerate(lengths)
    ]
    assert usual_memory(series, horizon, usual_order(season), None, None) == expected


def test_many_short_series_do_not_decide_for_the_long_ones():
    """Weeks of years beside a dozen new series: season, context, lags and the baseline's order are theirs."""
    rng = np.random.default_rng(0)

    def weeks(length, name):
        dates = pd.date_range("2015-01-04", periods=length, freq="W")
        year = 10 * np.sin(2 * np.pi * np.arange(length) / 52) + rng.normal(size=length)
        return pd.DataFrame({"unique_id": name, "ds": dates, "y": 50 + year})

    long = pd.concat([weeks(300, name) for name in "abc"])
    short = pd.concat([weeks(length, f"new {length}") for length in range(2, 14)])
    alone, together = (
        Forecaster(horizon=8, epochs=1, hidden_size=4, refit=False).fit(data)
        for data in (long, pd.concat([long, short]))
    )
    assert together.effective.context == alone.effective.context > 52
    assert together.effective.lags == alone.effective.lags
    assert "The linear autoregression looks back 52 steps" in " ".join(together.notices)
    assert "Too short to hold a part back, and learnt from whole: 12 of 15 series." in together.notices
    assert together.dev_evaluation.count == alone.dev_evaluation.count
    assert len(together.predict()) == 15 * 8


def test_the_place_in_the_year_is_left_out_where_it_cannot_be_learnt():
    short, long = (Forecaster(**SMALL | {"epochs": 1}).fit(wave(days)) for days in (400, 1300))
    assert short.model.recurrent.input_size == 1 + 2
    assert long.model.recurrent.input_size == 1 + 4
    assert any("place in the year is not read" in notice for notice in short.notices)


def test_a_series_is_followed_below_its_training_range():
    """The printed persistence is the true one, and the forecasts follow, though logarithms are scaled."""
    rng = np.random.default_rng(0)
    fallen = np.where(np.arange(200) < 180, 1000.0, 300.0) + rng.random(200)
    steady = 100 + rng.random(200)
    data = pd.DataFrame({"unique_id": ["a"] * 200 + ["b"] * 200, "ds": [*range(200)] * 2})
    data["y"] = [*steady, *fallen]
    made = Forecaster(**SMALL | {"epochs": 1}).fit(data)
    assert made.effective.scaling == "log"
    last = pd.DataFrame({"unique_id": ["a", "b"], "ds": [200, 200], "y": [steady[-1], fallen[-1]]})
    assert made.evaluate(last).baselines["persistence"]["mae"] == 0
    assert made.predict()[1]["y"] == pytest.approx(300, rel=0.05)


def test_a_run_folder_holds_the_best_model_and_is_not_replaced_in_silence(tmp_path):
    made = Forecaster(**SMALL | {"refit": True}).fit(wave(noise=0.1), run_folder=tmp_path / "run")
    assert load(tmp_path / "run").predict() == made.predict()
    assert made.notices[-1].startswith("The model was trained again on all the data")
    with pytest.raises(ConfigError, match="--overwrite"):
        Forecaster(**SMALL).fit(wave(), run_folder=tmp_path / "run")
    Forecaster(**SMALL).fit(wave(), run_folder=tmp_path / "run", overwrite=True)


def test_one_series_is_trained_on_again_and_several_are_not(waves):
    settings = SMALL | {"refit": None, "epochs": 1}
    assert Forecaster(**settings).fit(wave()).effective.refit
    made = Forecaster(**settings).fit(waves)
    assert made.effective.refit is False
    assert not any("trained again" in notice for notice in made.notices)


def test_a_stopped_run_leaves_the_best_model_so_far(tmp_path, monkeypatch):
    from unrolled.training.trainer import Trainer

    def stopped(self, loader, interruption):
        if self.position.epoch == 1:
            raise KeyboardInterrupt
        train_epoch(self, loader, interruption)

    train_epoch = Trainer.train_epoch
    monkeypatch.setattr(Trainer, "train_epoch", stopped)
    with pytest.raises(KeyboardInterrupt):
        Forecaster(**SMALL).fit(wave(noise=0.1), run_folder=tmp_path / "run")
    left = load(tmp_path / "run")
    assert len(left.history.epochs) == 1
    assert np.isfinite(left.predict()[0]["y"])


def test_nothing_is_kept_apart_for_scores_on_other_data():
    made = Forecaster(**SMALL | {"epochs": 1}).fit(wave(), keep_apart=False)
    assert made.dev_evaluation.count == 48
    assert "The last 20% of each series is held out for early stopping." in made.notices


def fitted(ds, tmp_path, **columns):
    data = pd.DataFrame({"ds": ds, "y": np.sin(np.arange(len(ds))), **columns})
    Forecaster(**SMALL | {"epochs": 1, "hidden_size": 4}, quantiles=()).fit(data).save(tmp_path / "model")
    return data, load(tmp_path / "model")


@pytest.mark.parametrize(
    "frequency",
    ["B", "ME", "MS", "QE", "W", "30D", "BME", "YS", "h"],
)
def test_a_loaded_model_goes_on_in_its_step_from_one_row(frequency, tmp_path):
    days = pd.date_range("2020-01-31", periods=62, freq=frequency)
    data, made = fitted(days[:60], tmp_path)
    for rows in (1, 2, 60):
        assert pd.Timestamp(made.predict(data.iloc[-rows:])[0]["ds"]) == days[60]


@pytest.mark.parametrize("frequency", ["h", "D"])
def test_forecasts_carry_the_zone_that_the_data_came_with(frequency, tmp_path):
    times = pd.date_range("2024-03-29", periods=62, freq=frequency, tz="Europe/Berlin")
    data, made = fitted([time.isoformat() for time in times[:60]], tmp_path)
    for rows in (1, 60):
        found = [line["ds"] for line in made.predict(data.iloc[-rows:], steps=2)]
        assert found == [time.isoformat() for time in times[60:]]


def test_an_order_of_day_and_month_that_training_showed_holds_for_a_tail(tmp_path):
    days = pd.date_range("2024-01-20", periods=48)
    data, made = fitted(days[:46].strftime("%d/%m/%Y"), tmp_path)
    assert made.predict(data.iloc[-2:])[0]["ds"] == "2024-03-06"


def test_columns_are_those_of_training_by_their_names(tmp_path):
    days = pd.date_range("2024-01-01", periods=60)
    data, made = fitted(days, tmp_path, a=np.arange(60.0), b=np.ones(60))
    expected = made.predict(data)
    assert made.predict(data[["b", "ds", "a", "y"]]) == expected
    assert made.predict(data.assign(extra=3.0)[["extra", "ds", "a", "b", "y"]]) == expected
    with pytest.raises(DataError, match="expected the covariates a, b, the columns are ds, y, a"):
        made.predict(data[["ds", "y", "a"]])
    with pytest.raises(DataError, match="expected the column 'y' that the model forecasts"):
        made.predict(data.rename(columns={"y": "z"}))
    with pytest.raises(DataError, match="expected dates for times, as other series have, got numbers"):
        made.predict(data.assign(ds=range(60)))


def test_what_was_read_is_said_before_training():
    days = pd.date_range("2024-01-01", periods=60).delete([20, 21])
    data = pd.DataFrame({"date": days, "A": 1.0, "B": np.arange(58.0), "note": "text"})
    said = Forecaster(horizon=3).understand(data)
    assert said == (
        "Understood: the series 'A', the first of 2 columns of numbers (--target-column: another); "
        "a step of D, 2024-01-01 to 2024-02-29; gaps filled: 2 of 60 steps; covariates B; not read: note; "
        "horizon 3."
    )


def test_data_of_another_step_is_refused(tmp_path):
    data, made = fitted(pd.date_range("2024-01-01", periods=60), tmp_path)
    weeks = data.assign(ds=pd.date_range("2024-01-01", periods=60, freq="W"))
    with pytest.raises(DataError, match="expected a step of D, as in the training data, got W"):
        made.predict(weeks)
    assert made.predict(data.iloc[[50, 52, 53, 59]])[0]["ds"] == "2024-03-01"


def test_series_without_a_step_have_that_of_training(tmp_path):
    months = pd.date_range("2020-01-31", periods=61, freq="ME").to_numpy().astype("datetime64[ns]")
    one = Series("s", months[:60], np.sin(np.arange(60.0)), np.zeros((60, 0)))
    made = Forecaster(**SMALL | {"epochs": 1}, quantiles=()).fit([replace(one, step="ME")])
    assert made.predict([one.slice(59, 60)])[0]["ds"] == "2025-01-31"
