"""A stream says step by step what the layer says of the whole sequence."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tolerances import tolerance
from unrolled import GRU, LSTM, RNN
from unrolled.errors import ConfigError, ShapeError
from unrolled.layers import map_state
from unrolled.ops.native import library, plain_torch

CELLS = {"rnn": RNN, "gru": GRU, "lstm": LSTM}
OPTIONS = {
    "bias": st.just(False),
    "layer_norm": st.just(True),
    "zoneout": st.just(0.3),
    "initial_state": st.sampled_from(["learned", "random"]),
    "batch_first": st.just(True),
    "recurrent_dropout": st.just(0.5),
    "weight_drop": st.just(0.5),
}
OWN = {
    "rnn": {"nonlinearity": st.sampled_from(["relu", "sigmoid", "identity"])},
    "gru": {},
    "lstm": {"peepholes": st.just(True), "proj_size": st.just(1)},
}


def in_float64(layer):
    """Every parameter away from its start: gains from one, biases from zero."""
    layer = layer.double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return layer


@st.composite
def layers(draw):
    cell = draw(st.sampled_from(sorted(CELLS)))
    possible = OPTIONS | OWN[cell]
    chosen = draw(st.sets(st.sampled_from(sorted(possible)), max_size=4))
    options = {name: draw(possible[name]) for name in sorted(chosen)}
    size = st.one_of(st.integers(2, 20), st.sampled_from([31, 33, 64, 65, 130]))
    widths = draw(st.lists(size, min_size=1, max_size=2))
    torch.manual_seed(draw(st.integers(0, 5)))
    return in_float64(CELLS[cell](draw(size), widths, num_layers=len(widths), **options))


def streamed(stream, sequence):
    return torch.stack([stream.step(element) for element in sequence])


def same(state, other):
    if isinstance(state, tuple):
        return len(state) == len(other) and all(map(same, state, other))
    return state.shape == other.shape and torch.allclose(state, other, **tolerance(torch.float64, "value"))


@settings(max_examples=150)
@given(layer=layers(), rows=st.integers(1, 5), instruction_set=st.sampled_from([*library.choices(), "none"]))
def test_the_layers_outputs_and_state(layer, rows, instruction_set):
    sequence = torch.randn(4, rows, layer.input_size, dtype=torch.float64)
    with plain_torch() if instruction_set == "none" else library.instruction_set(instruction_set):
        stream = layer.stream(rows)
        found = streamed(stream, sequence)
    layer.eval()
    output, state = layer(sequence.transpose(0, 1) if layer.batch_first else sequence)
    expected = output.transpose(0, 1) if layer.batch_first else output
    torch.testing.assert_close(found, expected, **tolerance(torch.float64, "value"))
    assert same(stream.state, state)


@pytest.mark.parametrize("instruction_set", library.choices())
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_in_float32(cell, instruction_set):
    layer = CELLS[cell](40, 50)
    sequence = torch.randn(10, 3, 40)
    with library.instruction_set(instruction_set):
        found = streamed(layer.stream(3), sequence)
    torch.testing.assert_close(found, layer(sequence)[0], **tolerance(torch.float32, "value"))


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_a_row_is_the_same_to_the_bit_whatever_runs_beside_it(cell):
    layer = CELLS[cell](7, 35, num_layers=2, layer_norm=True)
    sequence = torch.randn(3, 5, 7)
    together = streamed(layer.stream(5), sequence)
    for row in range(5):
        assert torch.equal(streamed(layer.stream(), sequence[:, row : row + 1])[:, 0], together[:, row])


def test_the_state_can_be_read_set_and_reset():
    layer = in_float64(LSTM(3, (4, 5), num_layers=2, initial_state="learned"))
    sequence = torch.randn(6, 2, 3, dtype=torch.float64)
    stream = layer.stream(2)
    first = streamed(stream, sequence[:3])
    between = stream.state
    second = streamed(stream, sequence[3:])
    stream.state = between
    assert torch.equal(streamed(stream, sequence[3:]), second)
    stream.reset()
    assert same(stream.state, layer.initial_state(2))
    assert torch.equal(streamed(stream, sequence[:3]), first)

    stream.state = map_state(lambda part: part[:, [1, 0]], between)
    stream.reset(torch.tensor([True, False]))
    output = stream.step(sequence[0])
    assert torch.equal(output[:1], layer.stream(1).step(sequence[0, :1]))
    assert not torch.equal(output[1:], layer.stream(1).step(sequence[0, 1:]))


def test_what_was_returned_is_not_overwritten():
    stream = GRU(3, 4).stream()
    first, state = stream.step(torch.ones(1, 3)), stream.state
    before = first.clone(), state.clone()
    stream.step(torch.ones(1, 3))
    assert torch.equal(first, before[0])
    assert torch.equal(state, before[1])


@pytest.mark.parametrize("options", [{}, {"proj_size": 2}], ids=["compiled", "reference"])
def test_weights_are_those_of_the_last_refresh(options):
    layer, x = LSTM(3, 4, **options), torch.ones(1, 3)
    before = layer.stream().step(x)
    stream = layer.stream()
    with torch.no_grad():
        layer.weight_ih_l0.mul_(2)
    assert torch.equal(stream.step(x), before)
    state = stream.state
    stream.refresh()
    assert all(map(torch.equal, stream.state, state))
    stream.reset()
    assert torch.equal(stream.step(x), layer.stream().step(x))
    assert not torch.equal(layer.stream().step(x), before)


def test_the_layer_is_left_as_it_was():
    layer = LSTM(3, 4, dropout=0.5, num_layers=2, proj_size=2)
    layer.stream().step(torch.randn(1, 3))
    assert layer.training
    assert all(parameter.requires_grad for parameter in layer.parameters())
    assert not layer.stream().step(torch.randn(1, 3, requires_grad=True)).requires_grad


def test_inputs_of_any_strides_and_signs():
    stream, other = RNN(3, 4).stream(2), None
    x = torch.randn(2, 6)[:, ::2]
    other = stream.step(x.contiguous())
    stream.reset()
    assert torch.equal(stream.step(x), other)
    stream.reset()
    negated = torch.complex(torch.zeros(2, 3), -x.contiguous()).conj().imag
    assert negated.is_neg()
    assert torch.equal(stream.step(negated), other)


def test_a_stream_made_in_inference_mode_runs_outside_of_it():
    layer = GRU(3, 4)
    with torch.inference_mode():
        stream = layer.stream()
        stream.step(torch.ones(1, 3))
    stream.step(torch.ones(1, 3))
    stream.reset()
    assert same(stream.state, layer.initial_state(1))


@pytest.mark.parametrize(
    ("inputs", "got"),
    [
        (torch.ones(3), r"\(3,\)"),
        (torch.ones(2, 3), r"\(2, 3\)"),
        (torch.ones(1, 3, dtype=torch.float64), "float64"),
        (torch.ones(1, 3, device="meta"), "meta"),
    ],
)
def test_inputs_that_do_not_fit(inputs, got):
    with pytest.raises(ShapeError, match=rf"expected a step's inputs of shape \(1, 3\).* got .*{got}"):
        LSTM(3, 4).stream().step(inputs)


def test_a_state_that_does_not_fit():
    stream = LSTM(3, 4).stream()
    with pytest.raises(ShapeError, match="expected the state h_0 of shape"):
        stream.state = LSTM(3, 4).initial_state(2)


def test_both_directions_are_refused():
    with pytest.raises(ConfigError, match="bidirectional=False"):
        LSTM(3, 4, bidirectional=True).stream()
    with pytest.raises(ConfigError, match="batch_size"):
        LSTM(3, 4).stream(0)
