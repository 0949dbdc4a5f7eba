"""Forecasts from several steps of the past, a horizon apart."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from unrolled.cli.main import app
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.forecast import Forecaster

SMALL = {"hidden_size": 3, "epochs": 1, "horizon": 3, "context": 10, "lags": 2}


def series(seed, lengths):
    random = np.random.default_rng(seed)
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "unique_id": name,
                    "ds": pd.date_range("2024-01-01", periods=steps) + pd.Timedelta(days=number),
                    "y": random.normal(10, 2, steps),
                    "help": random.normal(size=steps),
                }
            )
            for number, (name, steps) in enumerate(lengths.items())
        ]
    )


def known_at(data, place, horizon):
    """Of each series with room for so many horizons, the rows before the last of them."""
    parts = [part for _, part in data.groupby("unique_id") if len(part) > (place + 1) * horizon]
    return pd.concat([part.iloc[: len(part) - place * horizon] for part in parts])


@pytest.mark.parametrize("seed", range(3))
def test_each_forecast_is_that_of_who_knows_no_more(seed):
    lengths = dict(zip("abc", np.random.default_rng(seed).integers(9, 50, 3), strict=True)) | {"d": 45}
    data = series(seed, lengths)
    made = Forecaster(**SMALL).backtest(data, origins=4)
    # The same in other ways: trained on rows cut by hand, and asked with rows cut by hand.
    first = pd.concat(
        [
            part.iloc[: len(part) - 3 * max(0, min(4, (len(part) - 1) // 3 - 1))]
            for _, part in data.groupby("unique_id")
        ]
    )
    trained = Forecaster(**SMALL).fit(first, keep_apart=False)
    rows = []
    for place in range(4, 0, -1):
        known = known_at(data, place, 3)
        frame = trained.predict(known, h=3)
        last = known.groupby("unique_id")["ds"].max()
        rows.append(frame.assign(cutoff=frame["unique_id"].map(last)))
    expected = pd.concat(rows).merge(data[["unique_id", "ds", "y"]], on=["unique_id", "ds"])
    expected = expected.sort_values(["unique_id", "ds"], ignore_index=True)
    assert made.columns.tolist() == [
        "unique_id", "ds", "cutoff", "y", "Forecaster", "Forecaster-lo-80", "Forecaster-hi-80"
    ]  # fmt: skip
    pd.testing.assert_frame_equal(made, expected[made.columns], check_dtype=False, rtol=1e-4)


def test_a_model_may_be_trained_anew_for_each():
    data = series(7, {"a": 40})
    made = Forecaster(**SMALL).backtest(data, origins=2, refit=True)
    for place, part in zip((2, 1), (made[:3], made[3:]), strict=True):
        known = known_at(data, place, 3)
        expected = Forecaster(**SMALL).fit(known, keep_apart=False).predict(h=3)
        np.testing.assert_allclose(part["Forecaster"], expected["Forecaster"], rtol=1e-4)


def test_a_fitted_model_is_scored_from_several_origins(tmp_path):
    train, test = series(1, {"a": 60, "b": 60}), series(2, {"a": 40, "b": 26})
    model = Forecaster(**SMALL).fit(train)
    found = model.evaluate(test, origins=5)
    errors = []
    for place in range(5, 0, -1):
        frame = model.predict(known_at(test, place, 3), h=3).merge(test, on=["unique_id", "ds"])
        errors.append((frame["Forecaster"] - frame["y"]).abs())
    assert found.count == sum(map(len, errors)) == 30
    assert found.scores["mae"] == pytest.approx(pd.concat(errors).mean(), rel=1e-4)
    assert len(found.groups["mase by origin"]) == 5
    model.save(tmp_path / "model")
    test.to_csv(tmp_path / "test.csv", index=False)
    ask = ["evaluate", str(tmp_path / "model"), str(tmp_path / "test.csv"), "--origins", "5", "--json"]
    done = CliRunner().invoke(app, ask)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["scores"] == pytest.approx(dict(found.scores))


def test_training_may_keep_them_for_its_scores():
    data = series(3, {"a": 60, "b": 60})
    model = Forecaster(**SMALL, origins=4, refit=False).fit(data)
    assert model.dev_evaluation.count == 2 * 4 * 3
    assert any("the last 4 horizons of each series" in note for note in model.notices)
    again, before = model.evaluate(data, origins=4).scores, model.dev_evaluation.scores
    for name in ("rmse", "smape", "pinball"):  # the unit of MASE is that of all the data now
        assert again[name] == pytest.approx(before[name])


def test_more_than_there_is_room_for_is_refused(tmp_path):
    data = series(4, {"a": 20})
    model = Forecaster(**SMALL).fit(series(3, {"a": 60}))
    with pytest.raises(
        DataError, match=r"expected 9 steps to forecast from, 3 apart.*got .* fewer --origins"
    ):
        model.evaluate(data, origins=9)
    with pytest.raises(DataError, match="at least 31 steps, to learn from and to score 9 forecasts, got 20"):
        Forecaster(**SMALL).backtest(data, origins=9)
    for few in (
        lambda: model.evaluate(data, origins=0),
        lambda: Forecaster(**SMALL).backtest(data, origins=0),
    ):
        with pytest.raises(ConfigError, match="origins"):
            few()
    from unrolled.tasks.classify import Classifier

    reviews = [("fine", "good"), ("dull", "bad")] * 4
    Classifier(hidden_size=2, epochs=1).fit(reviews, dev=reviews).save(tmp_path / "model")
    done = CliRunner().invoke(app, ["evaluate", str(tmp_path / "model"), "reviews", "--origins", "2"])
    assert done.exit_code == 2
