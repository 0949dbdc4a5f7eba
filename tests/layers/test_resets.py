"""Rows that begin anew in the middle of a sequence: as if each part had been a sequence of its own."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import unrolled
from tests.tolerances import tolerance
from unrolled.errors import ShapeError

TOLERANCE = tolerance(torch.float64, "gradient")
LAYERS = {"RNN": unrolled.RNN, "GRU": unrolled.GRU, "LSTM": unrolled.LSTM}
CELLS = [*LAYERS, "min_gru", "gru_reset_before", "lem"]


def made(cell, width, hidden, **options):
    options["dtype"] = torch.float64
    if cell in LAYERS:
        return LAYERS[cell](width, hidden, **options)
    return unrolled.Recurrent(cell, width, hidden, **options)


def as_tuple(state):
    return state if isinstance(state, tuple) else (state,)


def by_parts(layer, values, lengths, resets, output_weight, end_weights):
    """The same loss, every part of every row run by itself."""
    total = values.new_zeros(())
    for row in range(values.shape[1]):
        length = int(lengths[row])
        cuts = [0, *(t for t in range(1, length) if resets[t, row]), length]
        ends = []
        for begin, end in itertools.pairwise(cuts):
            if end > begin:
                output, state = layer(values[begin:end, row : row + 1])
                total = total + (output[:, 0] * output_weight[begin:end, row]).sum()
                ends.append(as_tuple(state))
        if not ends:
            ends = [as_tuple(layer.initial_state(1))]
        for index, weight in enumerate(end_weights):
            total = total + (ends[-1][index][0, 0] * weight[0, row]).sum()
            if layer.bidirectional:  # who reads from the end has come to the first part last
                total = total + (ends[0][index][1, 0] * weight[1, row]).sum()
    return total


@settings(max_examples=60)
@given(
    cell=st.sampled_from(CELLS),
    options=st.fixed_dictionaries(
        {},
        optional={
            "layer_norm": st.just(True),
            "clip_step": st.just(0.02),
            "bias": st.just(False),
            "bidirectional": st.just(True),
            "initial_state": st.just("learned"),
            "peepholes": st.just(True),
            "proj_size": st.just(1),
        },
    ),
    steps=st.integers(1, 8),
    rows=st.integers(1, 4),
    hidden=st.integers(2, 9),
    ragged=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_parts_of_a_row_are_sequences_of_their_own(cell, options, steps, rows, hidden, ragged, seed):
    if cell != "LSTM":
        options.pop("peepholes", None)
        options.pop("proj_size", None)
    torch.manual_seed(seed)
    layer = made(cell, 3, hidden, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    values = torch.randn(steps, rows, 3, dtype=torch.float64, requires_grad=True)
    lengths = torch.randint(0, steps + 1, (rows,)) if ragged else torch.full((rows,), steps)
    resets = torch.rand(steps, rows) < 0.3
    output, state = layer(values, lengths=lengths if ragged else None, resets=resets)
    output_weight = torch.randn_like(output)
    end_weights = [torch.randn_like(part) for part in as_tuple(state)]
    loss = (output * output_weight).sum()
    for weight, part in zip(end_weights, as_tuple(state), strict=True):
        loss = loss + (weight * part).sum()
    expected = by_parts(layer, values, lengths, resets, output_weight, end_weights)
    torch.testing.assert_close(loss, expected, **TOLERANCE)
    if not expected.requires_grad:
        return
    wanted = [values, *(parameter for parameter in layer.parameters() if parameter.numel())]
    found = torch.autograd.grad(loss, wanted, allow_unused=True)
    right = torch.autograd.grad(expected, wanted, allow_unused=True)
    for one, other, of in zip(found, right, wanted, strict=True):
        zeros = torch.zeros_like(of)
        torch.testing.assert_close(
            zeros if one is None else one, zeros if other is None else other, **TOLERANCE
        )


def test_a_projected_state_begins_anew_too():
    layer = unrolled.LSTM(2, 5, proj_size=3, dtype=torch.float64)
    values, resets = torch.randn(6, 2, 2, dtype=torch.float64), torch.zeros(6, 2, dtype=torch.bool)
    resets[2, 0] = resets[4, 1] = resets[5, 1] = True
    output, end = layer(values, resets=resets)
    weights = [torch.randn_like(output), *(torch.randn_like(part) for part in end)]
    lengths = torch.tensor([6, 6])
    expected = by_parts(layer, values, lengths, resets, weights[0], weights[1:])
    total = sum((part * weight).sum() for part, weight in zip((output, *end), weights, strict=True))
    for one, other in zip(
        torch.autograd.grad(total, layer.parameters()),
        torch.autograd.grad(expected, layer.parameters()),
        strict=True,
    ):
        torch.testing.assert_close(one, other, **TOLERANCE)


def test_a_state_that_is_given_is_where_a_row_begins_anew():
    layer = unrolled.GRU(2, 3, dtype=torch.float64, batch_first=True)
    values, state = torch.randn(1, 4, 2, dtype=torch.float64), torch.randn(1, 1, 3, dtype=torch.float64)
    resets = torch.tensor([[False, False, True, False]])
    output, end = layer(values, state, resets=resets)
    again, last = layer(values[:, 2:], state)
    torch.testing.assert_close(output[:, 2:], again, **TOLERANCE)
    torch.testing.assert_close(end, last, **TOLERANCE)
    single, _ = layer(values[0], state[:, 0], resets=resets[0])
    torch.testing.assert_close(single, output[0], **TOLERANCE)


def test_what_does_not_fit_is_refused():
    layer, values = unrolled.LSTM(2, 3), torch.randn(4, 1, 2)
    with pytest.raises(ShapeError, match=r"resets of shape \(4, 1\), torch.bool, got \(1, 4\), torch.bool"):
        layer(values, resets=torch.zeros(1, 4, dtype=torch.bool))
    with pytest.raises(ShapeError, match=r"torch.bool, got .* torch.int64"):
        layer(values, resets=torch.zeros(4, 1, dtype=torch.int64))
    packed = torch.nn.utils.rnn.pack_padded_sequence(values, [4])
    with pytest.raises(ShapeError, match="packed sequence knows no resets"):
        layer(packed, resets=torch.zeros(4, 1, dtype=torch.bool))
