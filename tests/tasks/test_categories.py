"""Covariates that are categories, and those that never change within a series."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import unrolled
from tests.export.test_models import runner
from tests.serving.running import running
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.forecast import Forecaster
from unrolled.tasks.registry import load

SMALL = {"horizon": 2, "epochs": 6, "hidden_size": 8, "quantiles": (), "lags": 1, "calendar": False}
SKIES = {"rain": 0.0, "sun": 4.0, "snow": 8.0}


def shops(steps=122, known=120):
    """Sales that the sky of the day decides, twice as much in large shops."""
    random, parts = np.random.default_rng(0), []
    for number, kind in enumerate(("small", "large", "small")):
        sky = random.choice(list(SKIES), steps)
        sales = 20 + np.array([SKIES[each] for each in sky]) * (1 + (kind == "large"))
        sales[known:] = np.nan
        times = pd.date_range("2024-01-01", periods=steps)
        parts.append(
            pd.DataFrame({"unique_id": f"s{number}", "ds": times, "y": sales, "kind": kind, "sky": sky})
        )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def forecaster():
    return Forecaster(**SMALL).fit(shops())


def test_categories_known_ahead_decide_the_forecast(forecaster):
    rows = forecaster.predict(shops())
    future = shops()[lambda frame: frame["y"].isna()]
    expected = 20 + future["sky"].map(SKIES) * (1 + (future["kind"] == "large"))
    np.testing.assert_allclose([row["y"] for row in rows], expected, atol=1.5)
    assert forecaster.effective.future_covariates == ("sky",)
    assert "sky (3 categories); static kind (2 categories)" in forecaster.understood


def test_every_way_gives_the_same(forecaster, tmp_path):
    rows = forecaster.predict(shops())
    shops().to_csv(tmp_path / "shops.csv", index=False)
    forecaster.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.predict(tmp_path / "shops.csv") == rows
    assert loaded.predict() == rows
    unrolled.export.onnx(forecaster, tmp_path / "onnx")
    exported = runner(tmp_path / "onnx")
    one = shops()[lambda frame: frame["unique_id"] == "s1"]
    given = json.loads(one.assign(ds=one["ds"].astype(str)).to_json(orient="columns"))
    columns = {name: list(cells.values()) for name, cells in given.items()}
    columns |= {"unique_id": "s1", "kind": "large"}
    read = loaded.input_schema().from_json(columns)
    assert loaded.predict([read]) == [row for row in rows if row["unique_id"] == "s1"]
    for found, true in zip(exported.predict([columns])[0], loaded.predict([read]), strict=True):
        assert found["ds"] == true["ds"]
        assert found["y"] == pytest.approx(true["y"], abs=1e-4)
    assert exported.predict(["s1"])[0][0]["y"] == pytest.approx(loaded.predict([read])[0]["y"], abs=1e-4)


def test_a_new_category_is_unknown_and_said(forecaster, caplog, tmp_path):
    caplog.set_level("INFO", logger="unrolled")
    changed = shops()
    changed.loc[changed.index[-1], "sky"] = "hail"
    found, usual = forecaster.predict(changed), forecaster.predict(shops())
    assert "Unknown, for training has not seen it: sky: hail." in caplog.text
    assert found[:-2] == usual[:-2]  # those of other series
    assert found[-1] != usual[-1]
    forecaster.save(tmp_path / "model")
    assert load(tmp_path / "model").predict(changed) == found


def test_numbers_are_categories_where_that_is_said():
    frame = shops().assign(sky=lambda frame: frame["sky"].map({"rain": 7.0, "sun": 3.0, "snow": 5.0}))
    found = Forecaster(**SMALL, categories=("sky",)).fit(frame)
    assert "sky (3 categories)" in found.understood
    as_texts = frame.assign(sky=frame["sky"].astype(int).astype(str))
    assert found.predict(as_texts) == found.predict(frame)


def test_categories_do_not_become_c(forecaster, tmp_path):
    with pytest.raises(ConfigError, match="kind, sky: expected covariates of numbers, got categories"):
        unrolled.export.c(forecaster, tmp_path)


@pytest.fixture(scope="module")
def served():
    frame = shops()[lambda frame: frame["y"].notna()].rename(columns={"y": "sales"})
    asked = Forecaster(
        **SMALL | {"epochs": 1}, target_column="sales", covariates=("kind", "sky"), future_covariates=()
    )
    with running({"shops": asked.fit(frame)}) as ask:
        yield ask, asked, frame[frame["unique_id"] == "s1"]


def given_of(frame):
    cells = json.loads(frame.assign(ds=frame["ds"].astype(str)).to_json(orient="columns"))
    return {name: list(each.values()) for name, each in cells.items()}


@pytest.mark.parametrize(
    ("change", "same_as"),
    [
        ({}, {}),
        ({"unique_id": "s1", "kind": "large"}, {}),
        ({"sky": ["hail"] * 120}, {"sky": "hail"}),
        ({"sky": [None] * 120}, {"sky": "never seen"}),
        ({"sky": [3] * 120}, {"sky": "never seen"}),
        ({"kind": "huge"}, {"kind": "huge"}),
        ({"remark": ["so"] * 120}, {}),
    ],
)
def test_a_service_says_what_the_model_says_of_categories(served, change, same_as):
    ask, forecaster, frame = served
    (rows,) = ask.predict("shops", [given_of(frame) | change])
    expected = forecaster.predict(frame.assign(**same_as))
    assert [row["value"]["ds"] for row in rows] == [row["ds"] for row in expected]
    np.testing.assert_allclose([row["value"]["y"] for row in rows], [row["y"] for row in expected], atol=1e-5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sky": None}, "expected the covariates kind, sky"),
        ({"sky": ["sun"] * 5}, "equal length"),
        ({"sky": [["sun"]] * 120}, "'sky' of a series"),
        ({"y": [1.0] * 120}, "'y' or 'sales' of a series, got both"),
        ({"sales": ["x"] * 120}, "expected a number, got 'x'"),
        ({"sales": [None] * 120}, "expected numbers in series 's1', got none"),
        ({"ds": ["2024-01-01"] * 120}, "every time once"),
    ],
)
def test_a_service_refuses_in_a_sentence(served, change, words):
    ask, _, frame = served
    columns = given_of(frame) | change
    columns = {name: cells for name, cells in columns.items() if cells is not None}
    got = ask("POST", "/v1/models/shops/predict", {"inputs": [columns]})
    assert got.status == 422
    assert words in got.json["error"]


def test_a_covariate_called_y_leaves_the_target_its_name():
    frame = shops()[lambda frame: frame["y"].notna()].rename(columns={"y": "sales"})
    found = Forecaster(**SMALL | {"epochs": 1}, target_column="sales").fit(frame.assign(y=1.0 * frame.index))
    schema = found.input_schema()
    assert {"sales", "y"} <= set(schema.json_schema()["required"])
    assert schema.from_json(schema.example()).columns.tolist().count("y") == 1
    assert found.predict([schema.from_json(schema.example())])


def test_columns_of_the_same_name_are_refused():
    twice = pd.concat([shops(), shops()[["y"]]], axis=1)
    with pytest.raises(DataError, match="every column name once, got 'y' twice"):
        Forecaster(**SMALL).fit(twice)


def test_a_covariate_of_another_kind_is_refused(forecaster):
    series = [one.slice(0, len(one)) for one in forecaster._latest]
    with pytest.raises(DataError, match="expected categories in the covariate 'kind', got numbers"):
        forecaster.predict([replace(one, categories={}) for one in series])
    numbers = Forecaster(**SMALL | {"epochs": 1}).fit(shops().assign(kind=1.5, sky=2.5))
    with pytest.raises(DataError, match="column 'kind': expected a number, got 'small'"):
        numbers.predict(shops())


def test_tables_one_by_one_have_the_same_categories():
    both = [frame for _, frame in shops().groupby("unique_id")]
    found = Forecaster(**SMALL | {"epochs": 1}, covariates=("kind", "sky")).fit(both)
    assert found._preparation.categories == {"kind": ("large", "small"), "sky": ("rain", "snow", "sun")}
