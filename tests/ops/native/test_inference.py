"""The short way of a stack of plain cells without gradients, and who has to go the long one."""

from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import unrolled
from tests.tolerances import tolerance
from unrolled.errors import ShapeError
from unrolled.layers.engines import inference as engine
from unrolled.ops.native import inference, plain_torch

OPTIONS = [
    {"layer_norm": True},
    {"zoneout": 0.1},
    {"recurrent_dropout": 0.5},
    {"weight_drop": 0.5},
    {"dropout": 0.5, "num_layers": 2},
    {"initial_state": "learned"},
    {"initial_state": "random"},
]


def took_the_short_way(layer, *given):
    """The results, and whether the engine for plain cells gave them."""
    answers = []

    def heard(*args):
        answers.append(inference_of(*args))
        return answers[-1]

    inference_of = engine.inference_of
    with patch.object(engine, "inference_of", heard), torch.no_grad():
        results = layer(*given)
    return results, bool(answers) and answers[0] is not None


def flat(results):
    output, state = results
    return [output, *(state if isinstance(state, tuple) else (state,))]


def some(layer, *shape):
    state = torch.randn(*shape, dtype=layer.weight_hh_l0.dtype)
    return (state, torch.randn_like(state)) if layer.cell == "lstm" else state


@settings(max_examples=60)
@given(
    cell=st.sampled_from(["RNN", "GRU", "LSTM"]),
    sizes=st.tuples(*[st.integers(1, 7)] * 3, st.integers(1, 35)),
    layers=st.integers(1, 3),
    flags=st.tuples(*[st.booleans()] * 6),
    seed=st.integers(0, 2**31),
)
def test_it_gives_what_the_long_way_gives_to_the_bit(cell, sizes, layers, flags, seed):
    torch.manual_seed(seed)
    steps, rows, features, hidden = sizes
    bidirectional, batch_first, bias, has_state, wide, transposed = flags
    layer = getattr(unrolled, cell)(
        features,
        hidden,
        layers,
        bias=bias,
        batch_first=batch_first,
        bidirectional=bidirectional,
        dtype=torch.float64 if wide else torch.float32,
    )
    first, second = (rows, steps) if batch_first else (steps, rows)
    inputs = torch.randn(first, second, features, dtype=layer.weight_hh_l0.dtype)
    if transposed:
        inputs = inputs.transpose(0, 1).contiguous().transpose(0, 1)
    places = layers * (2 if bidirectional else 1)
    state = some(layer, places, rows, hidden) if has_state else None
    results, short = took_the_short_way(layer, inputs, state)
    assert short
    with patch.object(engine, "inference_of", lambda *_: None), torch.no_grad():
        expected = layer(inputs, state)
    for one, other in zip(flat(results), flat(expected), strict=True):
        assert torch.equal(one, other)
        assert one.stride() == other.stride()


@pytest.mark.parametrize("nonlinearity", ["relu", "sigmoid", "identity"])
def test_every_activation(nonlinearity):
    layer, inputs = unrolled.RNN(3, 4, nonlinearity=nonlinearity), torch.randn(5, 2, 3)
    results, short = took_the_short_way(layer, inputs)
    assert short
    with plain_torch():
        expected = layer(inputs)
    torch.testing.assert_close(flat(results), flat(expected), **tolerance(torch.float32, "value"))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options_that_act_go_the_long_way(options):
    layer, inputs = unrolled.GRU(3, 4, **options), torch.randn(5, 2, 3)
    assert not took_the_short_way(layer, inputs)[1]
    acts_in_evaluation = bool(options.keys() & {"layer_norm", "zoneout"}) or "learned" in options.values()
    assert took_the_short_way(layer.eval(), inputs)[1] is not acts_in_evaluation


def test_what_else_goes_the_long_way():
    layer, inputs = unrolled.LSTM(3, 4), torch.randn(5, 2, 3)
    assert took_the_short_way(layer, inputs)[1]
    assert not took_the_short_way(layer, inputs, None, torch.tensor([5, 2]))[1], "lengths"
    with torch.autocast("cpu"):
        assert not took_the_short_way(layer, inputs)[1], "autocast"
    with plain_torch():
        assert not took_the_short_way(layer, inputs)[1], "plain torch"
    watched = []
    layer.observers = (lambda scan, run: watched.append(scan) or run(scan),)
    assert not took_the_short_way(layer, inputs)[1], "an observer"
    assert watched


@pytest.mark.parametrize("cell", ["GRU", "LSTM"])
def test_states_that_do_not_fit_are_refused_as_ever(cell):
    layer, inputs, part = getattr(unrolled, cell)(3, 4, 2), torch.randn(5, 2, 3), torch.zeros(2, 2, 4)
    for state in (part[:1], (part,), (part, part[:, :1]), (part,) * 3, [part, part]):
        with torch.no_grad(), pytest.raises(ShapeError, match="state"):
            layer(inputs, state)


def test_a_weight_that_has_changed_since_the_last_call_is_looked_at_again():
    layer, inputs = unrolled.LSTM(3, 4), torch.randn(5, 2, 3)
    (expected, _), short = took_the_short_way(layer, inputs)
    assert short
    weight = layer.weight_hh_l0.data
    layer.weight_hh_l0.data = weight.t().contiguous().t()
    (output, _), short = took_the_short_way(layer, inputs)
    assert not short
    torch.testing.assert_close(output, expected, **tolerance(torch.float32, "value"))


def test_nothing_is_computed_for_a_stack_that_has_to_go_the_long_way():
    layer, inputs = unrolled.LSTM(3, 4, 2), torch.randn(5, 2, 3)
    calls = []
    with (
        # As where there are tiles, and the upper layer's product is one for them.
        patch.object(inference, "inside_forward", lambda weight_ih, *_: weight_ih.shape[1] == 3),
        patch.object(inference, "call", lambda *given: calls.append(given)),
    ):
        _, short = took_the_short_way(layer, inputs)
    assert not short
    assert not calls
