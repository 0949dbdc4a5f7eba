"""Scaling, filling and forecasting windows."""

import json

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from unrolled.data.example import Series, Source
from unrolled.data.scaling import Scaling, fill
from unrolled.data.windows import WindowLoader, features
from unrolled.errors import ConfigError, DataError

numbers = st.floats(-1e6, 1e6) | st.just(np.nan)
tables = arrays.arrays(np.float64, arrays.array_shapes(min_dims=1, max_dims=2, max_side=8), elements=numbers)


units = st.integers(-100, 100).map(lambda power: 2.0**power)


@given(tables, st.sampled_from(["standard", "minmax", "none", "log"]), units)
@example(np.array([-2.0, 1e-245, 1.0, 1.0]), "log", 1.0)
def test_scaling_is_undone(values, kind, unit):
    values = values * unit
    scaling = Scaling.fit(values, kind)
    again = Scaling.from_dict(json.loads(json.dumps(scaling.to_dict())))
    back = again.undo(again.apply(values))
    assert np.allclose(back, values, rtol=1e-9, atol=1e-6 * unit, equal_nan=True)
    assert np.array_equal(np.isnan(scaling.apply(values)), np.isnan(values))


@given(tables, st.sampled_from(["standard", "minmax"]), units)
def test_in_other_units_the_scaled_numbers_are_the_same(values, kind, unit):
    scaled = [Scaling.fit(each, kind).apply(each) for each in (values, values * unit)]
    assert np.allclose(*scaled, rtol=1e-9, atol=1e-12, equal_nan=True)


@given(st.floats(1e-3, 1e3), st.floats(-1e3, 1e3), st.sampled_from([1e-30, 1.0, 1e30]))
def test_logarithms_follow_numbers_below_those_they_were_fitted_to(lowest, other, unit):
    scaling = Scaling.fit(np.array([lowest, 2 * lowest, 3 * lowest]) * unit, "log")
    numbers = np.array([other, lowest / 3, 0.0]) * unit
    assert np.allclose(scaling.undo(scaling.apply(numbers)), numbers, rtol=1e-7, atol=1e-7 * unit)
    rising = np.sort(numbers)
    assert (np.diff(scaling.apply(rising)) >= 0).all()


@given(arrays.arrays(np.float64, st.integers(2, 20), elements=st.floats(-1e6, 1e6)))
def test_scaled_numbers_have_the_promised_scale(values):
    assume(np.ptp(values) > 1e-3)
    with_gap = np.append(values, np.nan)
    standard = Scaling.fit(with_gap, "standard").apply(values)
    assert abs(standard.mean()) < 1e-6
    assert standard.std() == pytest.approx(1, rel=1e-6)
    minmax = Scaling.fit(with_gap, "minmax").apply(values)
    assert (minmax.min(), minmax.max()) == (0, pytest.approx(1))


@pytest.mark.parametrize("kind", ["standard", "minmax"])
@pytest.mark.parametrize("value", [0.0, 0.1, -7e12, 1e-30])
def test_what_does_not_vary_becomes_zero(kind, value):
    values = np.full(11, value)
    assert np.allclose(Scaling.fit(values, kind).apply(values), 0, atol=1e-3 if value < -1 else 1e-12)


def test_a_series_of_gaps_is_left_alone():
    scaling = Scaling.fit(np.full(3, np.nan), "standard")
    assert (scaling.center.item(), scaling.scale.item()) == (0, 1)


def test_an_unknown_scaling_is_refused():
    with pytest.raises(ConfigError, match="one of standard, minmax, none or log, got 'cube'"):
        Scaling.fit(np.zeros(3), "cube")


@given(tables, st.integers(1, 8))
def test_filling_uses_nothing_later(values, cut):
    filled = fill(values)
    assert not np.isnan(filled).any()
    assert np.array_equal(filled[~np.isnan(values)], values[~np.isnan(values)])
    assert np.array_equal(fill(values[:cut]), filled[:cut])


def series_of(values, name="a", covariates=0):
    values = np.asarray(values, dtype=float)
    extra = np.arange(len(values) * covariates, dtype=float).reshape(len(values), covariates)
    return Series(name, np.arange(len(values)), values, extra, source=Source("sales.csv", 2, "y"))


def test_features_are_values_covariates_and_the_mask():
    series = series_of([1, np.nan, 3], covariates=1)
    assert features(series, mask=True).tolist() == [[1, 0, 1], [1, 1, 0], [3, 2, 1]]
    assert features(series).shape == (3, 2)


@given(
    lengths=st.lists(st.integers(6, 12), min_size=1, max_size=4),
    context=st.integers(1, 3),
    horizon=st.integers(1, 2),
    batch_size=st.integers(1, 5),
    world_size=st.integers(1, 2),
    per_step=st.booleans(),
    epoch=st.integers(0, 2),
)
def test_every_window_comes_once_an_epoch(lengths, context, horizon, batch_size, world_size, per_step, epoch):
    many = [series_of(100 * number + np.arange(length)) for number, length in enumerate(lengths)]
    seen = []
    for rank in range(world_size):
        loader = WindowLoader(many, context, horizon, batch_size, per_step=per_step, shard=(rank, world_size))
        batches = list(loader.batches(epoch))
        assert len(batches) == len(loader)
        for batch in batches:
            values = batch.inputs["values"][:, :, 0]
            assert values.shape == (batch.size, context)
            ahead = torch.arange(1, horizon + 1)
            expected = values[:, :, None] + ahead if per_step else values[:, -1:] + ahead
            assert batch.targets.tolist() == expected.tolist()
            seen += values[:, 0].tolist()
    expected = [
        100 * number + start
        for number, length in enumerate(lengths)
        for start in range(length - context - horizon + 1)
    ]
    assert sorted(seen) == expected


def test_an_epoch_of_windows_resumes_and_shuffles():
    loader = WindowLoader([series_of(range(40))], 3, 1, 4, seed=1)
    whole = [batch.targets.tolist() for batch in loader.batches(1)]
    assert [batch.targets.tolist() for batch in loader.batches(1, start=4)] == whole[4:]
    assert [batch.targets.tolist() for batch in loader.batches(2)] != whole


def test_windows_without_a_target_are_left_out_and_others_keep_the_gap():
    series = series_of([0, 1, 2, np.nan, np.nan, 5, 6])
    (batch,) = WindowLoader([series], 2, 2, 9, shuffle=False).batches(0)
    assert np.array_equal(batch.targets, [[2, np.nan], [np.nan, 5], [5, 6]], equal_nan=True)
    assert batch.inputs["values"][:, :, 0].tolist() == [[0, 1], [2, 2], [2, 2]]


def test_the_stride_skips_windows():
    assert WindowLoader([series_of(range(10))], 3, 1, 4, stride=3).windows == 3


def test_a_series_shorter_than_the_window_gives_what_it_has():
    many = [series_of(range(6)), series_of([10, 11, 12], name="shop 7"), series_of([20], name="shop 8")]
    (batch,) = WindowLoader(many, 3, 2, 4, per_step=True, shuffle=False).batches(0)
    assert batch.lengths.tolist() == [3, 3, 2]
    assert batch.inputs["values"][:, :, 0].tolist() == [[0, 1, 2], [1, 2, 3], [10, 11, 11]]
    expected = [[11, 12], [12, np.nan]]
    assert np.array_equal(batch.targets[2, :2], expected, equal_nan=True)
    assert batch.targets[:2].tolist() == [[[1, 2], [2, 3], [3, 4]], [[2, 3], [3, 4], [4, 5]]]


def test_series_without_two_numbers_are_refused():
    with pytest.raises(DataError) as caught:
        WindowLoader([series_of([1.0])], 3, 2, 4)
    assert str(caught.value) == (
        "sales.csv, row 2, column 'y': expected a series with a number to learn from and another one after "
        "it, got none."
    )


def test_fewer_windows_than_processes_are_refused():
    with pytest.raises(ConfigError, match="at least one window for each of 2 processes, got 1"):
        WindowLoader([series_of(range(4))], 3, 1, 4, shard=(0, 2))
