"""Several numbers of the same steps, forecast by one network."""

import json

import numpy as np
import pandas as pd
import pytest

import unrolled
from tests.export.test_models import runner
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.forecast import Forecaster
from unrolled.tasks.registry import load

SMALL = {"horizon": 2, "epochs": 4, "hidden_size": 6, "calendar": False, "quantiles": (0.1, 0.9)}


def shops(steps=160):
    """Sales that follow the visits of the day before, which nothing foretells."""
    random, parts = np.random.default_rng(0), []
    for number in range(2):
        visits = 50 * (number + 1) + np.cumsum(random.normal(size=steps))
        sales = 100 + 3 * np.roll(visits, 1)
        times = pd.date_range("2024-01-01", periods=steps)
        columns = {"ds": times, "visits": visits, "sales": sales, "promo": np.arange(steps) % 3}
        parts.append(pd.DataFrame({"shop": f"s{number}"} | columns)[1:])
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def forecaster():
    return Forecaster(**SMALL, target_column="visits,sales", id_column="shop").fit(shops())


def test_each_target_has_rows_scores_and_baselines(forecaster):
    rows = forecaster.predict(shops())
    assert [(row["unique_id"], row["target"]) for row in rows[::2]] == [
        (shop, target) for shop in ("s0", "s1") for target in ("visits", "sales")
    ]
    found = forecaster.dev_evaluation
    assert {"rmse of visits", "rmse of sales", "mase of sales"} <= set(found.scores)
    assert all("rmse of sales" in row for row in found.baselines.values())
    assert "'visits', 'sales' of 2 series" in forecaster.understood
    assert "rmse of sales ↓" in str(found)


def test_what_one_target_says_of_another_is_used(forecaster):
    scores = forecaster.dev_evaluation
    assert scores.scores["mase of sales"] < 0.8 * scores.baselines["persistence"]["mase of sales"]
    changed = shops()
    last = changed.index[-1]
    changed.loc[last, "visits"] += 5
    usual, found = forecaster.predict(shops())[6], forecaster.predict(changed)[6]
    assert usual["target"] == found["target"] == "sales"
    assert 8 < found["y"] - usual["y"] < 22  # three times as many


def test_every_way_gives_the_same(forecaster, tmp_path):
    rows = forecaster.predict(shops())
    shops().to_csv(tmp_path / "shops.csv", index=False)
    forecaster.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.predict(tmp_path / "shops.csv") == loaded.predict() == rows
    schema = loaded.input_schema()
    one = shops()[lambda frame: frame["shop"] == "s1"].rename(columns={"shop": "unique_id"})
    columns = json.loads(one.assign(ds=one["ds"].astype(str)).to_json(orient="columns"))
    given = {name: list(cells.values()) for name, cells in columns.items()} | {"unique_id": "s1"}
    assert set(given) == set(schema.json_schema()["properties"])
    (made,) = loaded.predictions_of_each([schema.from_json(given)])
    for each, true in zip([each.value for each in made], rows[4:], strict=True):
        assert each == true | {"y": pytest.approx(true["y"]), "y_0.1": each["y_0.1"], "y_0.9": each["y_0.9"]}
    unrolled.export.onnx(forecaster, tmp_path / "onnx")
    exported = runner(tmp_path / "onnx")
    for each, true in zip(exported.predict(["s1: sales"])[0], rows[6:], strict=True):
        assert {name: each[name] for name in ("unique_id", "ds", "target")} == {
            name: true[name] for name in ("unique_id", "ds", "target")
        }
        assert each["y"] == pytest.approx(true["y"], rel=1e-5)
    with pytest.raises(ValueError, match="expected the name of one of s0: visits, s0: sales"):
        exported.predict([given])


def test_frames_and_backtests_have_a_column_of_targets(forecaster):
    frame = forecaster.predict(h=2)
    assert frame.columns.tolist()[:4] == ["unique_id", "ds", "target", "Forecaster"]
    forecaster.plot_forecast()
    small = Forecaster(**SMALL | {"epochs": 1}, target_column="visits,sales", id_column="shop")
    made = small.backtest(shops(60), origins=2)
    beside = made.merge(
        shops(60).melt(["shop", "ds"], ["visits", "sales"], "target", "true"),
        left_on=["unique_id", "ds", "target"],
        right_on=["shop", "ds", "target"],
    )
    assert len(beside) == len(made) == 16
    np.testing.assert_array_equal(beside["y"], beside["true"])


def test_one_series_without_a_name_has_its_targets_names():
    frame = shops()[lambda frame: frame["shop"] == "s0"].drop(columns="shop")
    found = Forecaster(**SMALL | {"epochs": 1}, target_column="visits, sales", covariates=()).fit(frame)
    assert [(row["unique_id"], row["target"]) for row in found.predict()[::2]] == [
        ("visits", "visits"),
        ("sales", "sales"),
    ]


def test_what_cannot_be_is_refused_in_a_sentence(forecaster, tmp_path):
    with pytest.raises(DataError, match="expected a column 'guests'"):
        Forecaster(**SMALL, target_column="visits,guests").fit(shops())
    with pytest.raises(DataError, match="expected the column 'sales' that the model forecasts"):
        forecaster.predict(shops().drop(columns="sales"))
    with pytest.raises(ConfigError, match="expected one number to forecast, step by step, got visits, sales"):
        forecaster.stream()
    with pytest.raises(ConfigError, match="expected one number to forecast, got visits, sales"):
        unrolled.export.c(forecaster, tmp_path)
