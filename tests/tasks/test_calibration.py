"""Intervals hold as much as they claim, whatever the network learned of them."""

import numpy as np
import pandas as pd
import pytest

from unrolled.tasks.forecast import Forecaster
from unrolled.tasks.forecasting.calibration import calibration
from unrolled.tasks.registry import load

LEVELS = (0.1, 0.5, 0.9)


@pytest.mark.parametrize("width", [0.01, 1.0, 40.0])
@pytest.mark.parametrize("spread", ["even", "uneven"])
def test_new_numbers_lie_inside_as_often_as_was_asked_for(width, spread):
    generator = np.random.default_rng(0)
    sizes = generator.uniform(0.2, 3, (4000, 2)) if spread == "uneven" else np.ones((4000, 2))
    actual = generator.normal(size=(4000, 2)) * sizes * [1, 3]
    quantiles = width * sizes[..., None] * np.array([-1.0, 0.1, 1.0])
    widening, raising = calibration(quantiles[:2000], actual[:2000], LEVELS)
    assert not raising.any()
    middle = (quantiles[2000:, :, :1] + quantiles[2000:, :, -1:]) / 2
    made = middle + widening[:, None] * (quantiles[2000:] - middle)
    inside = (made[..., 0] <= actual[2000:]) & (actual[2000:] <= made[..., -1])
    np.testing.assert_allclose(inside.mean(0), 0.8, atol=0.03)
    assert (np.diff(made, axis=2) > 0).all()


def test_the_factor_is_the_smallest_that_is_enough():
    scores = np.arange(1.0, 100.0)  # 99 forecasts whose factors would have had to be these
    actual = np.random.default_rng(0).permutation(scores)[:, None]
    widening, _ = calibration(np.tile([-1.0, 1.0], (99, 1, 1)), actual, (0.05, 0.95))
    assert widening.tolist() == [90.0]  # of 100 with the new one, 90 do not exceed it


def test_a_single_quantile_is_raised():
    actual = np.random.default_rng(0).permutation(np.arange(99.0))[:, None]
    widening, raising = calibration(np.full((99, 1, 1), 5.0), actual, (0.9,))
    assert (widening.tolist(), raising.tolist()) == ([1.0], [84.0])


def test_few_forecasts_decide_together_and_too_few_nothing():
    quantiles, actual = np.tile([-1.0, 1.0], (12, 3, 1)), np.full((12, 3), np.nan)
    actual[:, :2] = 5.0
    widening, _ = calibration(quantiles, actual, (0.1, 0.9))
    assert widening.tolist() == [5.0] * 3
    assert calibration(quantiles[:5], actual[:5], (0.1, 0.9))[0].tolist() == [1.0] * 3


def test_a_forecaster_holds_what_it_claims(tmp_path):
    generator = np.random.default_rng(1)
    level = np.repeat(generator.normal(size=90) * 4, 10) + generator.normal(size=900)
    frame = pd.DataFrame({"t": np.arange(900), "y": level})
    forecaster = Forecaster(epochs=3, hidden_size=4, refit=False, horizon=2).fit(frame)
    assert forecaster.dev_evaluation.scores["coverage_0.8"] == pytest.approx(0.8, abs=0.08)
    assert not np.allclose(forecaster.model.widening, 1)
    forecaster.save(tmp_path / "model")
    assert load(tmp_path / "model").predict(steps=5) == forecaster.predict(steps=5)
    again = Forecaster(epochs=3, hidden_size=4, refit=True, horizon=2).fit(frame)
    np.testing.assert_allclose(again.model.widening, forecaster.model.widening)
