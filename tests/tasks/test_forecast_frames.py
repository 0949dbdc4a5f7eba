"""Series as people keep them in Python, and forecasts as frames in Nixtla's form."""

import numpy as np
import pandas as pd
import pytest

from unrolled.errors import ConfigError
from unrolled.tasks.forecast import Forecaster

SMALL = {"hidden_size": 3, "epochs": 1, "horizon": 2}
DAYS = pd.date_range("2024-01-01", periods=60)
WEEK = np.arange(60) % 7 + 10.0


def long():
    return pd.concat(
        [pd.DataFrame({"unique_id": name, "ds": DAYS, "y": WEEK + add}) for name, add in (("a", 0), ("b", 5))]
    )


@pytest.fixture(scope="module")
def made():
    return Forecaster(**SMALL).fit(long())


def test_a_number_of_steps_gives_a_frame(made):
    frame = made.predict(3)
    assert frame.columns.tolist() == ["unique_id", "ds", "Forecaster", "Forecaster-lo-80", "Forecaster-hi-80"]
    assert frame["unique_id"].tolist() == ["a"] * 3 + ["b"] * 3
    assert frame["ds"].tolist()[:3] == list(pd.date_range("2024-03-01", periods=3))
    rows = made.predict(steps=3)
    np.testing.assert_allclose(frame["Forecaster"], [row["y"] for row in rows])
    np.testing.assert_allclose(frame["Forecaster-lo-80"], [row["y_0.1"] for row in rows])
    assert made.predict(h=3, level=[80]).columns.tolist() == frame.columns.tolist()
    later = made.predict(long()[long()["ds"] < "2024-02-20"], h=1)
    assert later["ds"].tolist() == [pd.Timestamp("2024-02-20")] * 2


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        ({"h": 2, "level": [95]}, r"got 95; fit a Forecaster\(quantiles=\(0.025, 0.975\)\)"),
        ({"level": [80]}, "expected h with it"),
        ({"h": 0}, "steps"),
    ],
)
def test_what_was_not_learned_is_refused(made, ask, message):
    with pytest.raises(ConfigError, match=message):
        made.predict(**ask)


def forms():
    wide = long().pivot(index="ds", columns="unique_id", values="y")
    one, two = pd.Series(WEEK, DAYS, name="a"), pd.Series(WEEK + 5, DAYS, name="b")
    return {
        "wide": wide,
        "levels": wide.set_axis(pd.MultiIndex.from_product([["shop"], ["a", "b"]]), axis=1),
        "mapping": {"a": one, "b": two},
        "list": [one, two],
        "periods": wide.to_period("D"),
    }


@pytest.mark.parametrize("form", forms())
def test_series_beside_each_other_are_as_below_each_other(made, form):
    found = Forecaster(**SMALL).fit(forms()[form]).predict(2)
    expected = made.predict(2)
    np.testing.assert_allclose(found["Forecaster"], expected["Forecaster"], rtol=1e-5)
    assert found["ds"].tolist() == expected["ds"].tolist()
    assert [name[-1] for name in found["unique_id"]] == expected["unique_id"].tolist()


def test_numbers_alone_are_a_series_and_begin_where_they_begin():
    counted = Forecaster(**SMALL).fit(WEEK.tolist()).predict(2)
    assert counted["ds"].tolist() == [60, 61]
    ragged = Forecaster(**SMALL).fit({"a": WEEK, "b": WEEK[:40]}).predict(1)
    assert ragged["ds"].tolist() == [60, 40]
    wide = pd.DataFrame({"a": WEEK, "b": np.where(np.arange(60) < 20, np.nan, WEEK)}, DAYS).rename_axis(
        columns="shop"
    )
    assert len(Forecaster(**SMALL).fit(wide)._latest[1]) <= 40
    named = Forecaster(**SMALL).fit(pd.Series(WEEK, DAYS, name="sales")).predict(1)
    assert named["ds"][0] == pd.Timestamp("2024-03-01")


def test_times_keep_their_zone():
    frame = pd.DataFrame({"ds": DAYS.tz_localize("Europe/Berlin"), "y": WEEK})
    assert str(Forecaster(**SMALL).fit(frame).predict(1)["ds"].dt.tz) == "Europe/Berlin"


def test_polars_frames_are_forecast():
    polars = pytest.importorskip("polars")
    assert len(Forecaster(**SMALL).fit(polars.from_pandas(long())).predict(1)) == 2


def test_a_forecast_is_drawn(made):
    from matplotlib import pyplot

    axes = made.plot_forecast(4)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
    assert len(axes.lines[1].get_xdata()) == 4
    pyplot.close(axes.figure)
