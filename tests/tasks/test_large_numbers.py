"""Any finite numbers, whose sums and squares a float need not hold."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data.scaling import Scaling, mean_and_deviation
from unrolled.tasks.baselines.linear import SummaryLogistic, SummaryRidge
from unrolled.tasks.classify import Classifier
from unrolled.tasks.scores import number_scores

SIZES = [1e-300, 1.0, 1e200, 1e300, 1.6e308]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_moments_are_those_of_fractions(numbers):
    mean, _ = mean_and_deviation(np.array(numbers))
    right = sum(map(Fraction, numbers)) / len(numbers)
    size = max(abs(Fraction(number)) for number in numbers)
    assert abs(Fraction(float(mean)) - right) <= size * Fraction(1, 10**14) + Fraction(1, 10**320)
    scaled = Scaling.fit(np.array(numbers)).apply(np.array(numbers))
    assert np.isfinite(scaled).all()


@pytest.mark.parametrize("size", SIZES)
def test_in_another_unit_everything_is_the_same(size):
    random = np.random.default_rng(0)
    inputs = [random.uniform(-1, 1, (5, 2)) for _ in range(24)]
    unit = 2.0 ** np.floor(np.log2(size))
    large = [each * unit for each in inputs]
    labels = ["up" if each[0, 0] > 0 else "down" for each in inputs]
    assert SummaryLogistic.fit(large, labels).predict(large) == SummaryLogistic.fit(inputs, labels).predict(
        inputs
    )
    numbers = np.array([each[0, 0] for each in inputs])
    made, right = SummaryRidge.fit(large, numbers * unit).predict(large), SummaryRidge.fit(inputs, numbers)
    np.testing.assert_allclose(made / unit, right.predict(inputs), rtol=1e-6)
    found, expected = number_scores(numbers * unit, made), number_scores(numbers, made / unit)
    assert found["R2"] == pytest.approx(expected["R2"])
    assert found["RMSE"] / unit == pytest.approx(expected["RMSE"])


def test_a_network_learns_from_them():
    random = np.random.default_rng(0)
    large = [random.uniform(-1, 1, (5, 2)) * 1.6e308 for _ in range(24)]
    labels = ["up" if each[0, 0] > 0 else "down" for each in large]
    model = Classifier(hidden_size=3, epochs=1).fit(large, labels)
    assert model.evaluate(large, labels).baselines["summary-statistics logistic regression"]["accuracy"] > 0.9
