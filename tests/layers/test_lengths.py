"""Padding never changes a result."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import unrolled
from tests.tolerances import tolerance
from unrolled.errors import ShapeError

CELLS = ["RNN", "GRU", "LSTM"]
VALUE, GRADIENT = tolerance(torch.float64, "value"), tolerance(torch.float64, "gradient")


def parts(state):
    return state if isinstance(state, tuple) else (state,)


@given(
    cell=st.sampled_from(CELLS),
    lengths=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    padding=st.integers(0, 3),
    bidirectional=st.booleans(),
    batch_first=st.booleans(),
    layer_norm=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_a_sequence_alone_and_inside_a_padded_batch_agree(
    cell, lengths, padding, bidirectional, batch_first, layer_norm, seed
):
    torch.manual_seed(seed)
    layer = getattr(unrolled, cell)(
        2,
        3,
        num_layers=2,
        bidirectional=bidirectional,
        batch_first=batch_first,
        layer_norm=layer_norm,
        initial_state="learned",
        zoneout=0.2,
        dtype=torch.float64,
    ).eval()
    longest = max(1, *lengths) + padding
    rows = [torch.randn(length, 2, dtype=torch.float64) for length in lengths]
    padded = torch.full((len(rows), longest, 2), float("nan"), dtype=torch.float64)
    for row, values in zip(padded, rows, strict=True):
        row[: len(values)] = values
    inputs = padded if batch_first else padded.transpose(0, 1)
    inputs = inputs.clone().requires_grad_()
    output, state = layer(inputs, lengths=torch.tensor(lengths))
    by_row = output if batch_first else output.transpose(0, 1)
    fresh = layer.initial_state(1)
    for index, values in enumerate(rows):
        assert not by_row[index, len(values) :].any()
        alone_output, alone_state = layer(values) if len(values) else (None, fresh)
        if alone_output is not None:
            torch.testing.assert_close(by_row[index, : len(values)], alone_output, **VALUE)
        for part, alone in zip(parts(state), parts(alone_state), strict=True):
            alone = alone if alone.dim() == 2 else alone[:, 0]
            torch.testing.assert_close(part[:, index], alone, **VALUE)

    # Each row's gradient too is what it would be alone, and nothing flows into the padding.
    (output.sin().sum() + sum(part.sin().sum() for part in parts(state))).backward()
    assert inputs.grad is not None
    grad = inputs.grad if batch_first else inputs.grad.transpose(0, 1)
    assert all(parameter.grad.isfinite().all() for parameter in layer.parameters())
    for index, values in enumerate(rows):
        assert not grad[index, len(values) :].any()
        if len(values):
            leaf = values.clone().requires_grad_()
            alone_output, alone_state = layer(leaf)
            total = alone_output.sin().sum() + sum(part.sin().sum() for part in parts(alone_state))
            (expected,) = torch.autograd.grad(total, leaf)
            torch.testing.assert_close(grad[index, : len(values)], expected, **GRADIENT)


@pytest.mark.parametrize("cell", CELLS)
def test_two_halves_with_the_state_carried_equal_the_whole(cell):
    layer = getattr(unrolled, cell)(2, 3, num_layers=2, dtype=torch.float64)
    inputs, lengths = torch.randn(8, 3, 2, dtype=torch.float64), torch.tensor([8, 2, 5])
    whole, whole_state = layer(inputs, lengths=lengths)
    first, state = layer(inputs[:4], lengths=lengths.clamp(max=4))
    second, state = layer(inputs[4:], state, (lengths - 4).clamp(min=0))
    torch.testing.assert_close(torch.cat([first, second]), whole, **VALUE)
    torch.testing.assert_close(state, whole_state, **VALUE)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_lengths_may_be_any_whole_numbers(dtype):
    layer, inputs = unrolled.GRU(2, 3), torch.randn(4, 2, 2)
    expected = layer(inputs, lengths=torch.tensor([1, 4]))
    assert torch.equal(layer(inputs, lengths=torch.tensor([1, 4], dtype=dtype))[0], expected[0])


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        (torch.tensor([1, 5]), r"between 0 and the 4 time steps of the inputs, got 1 to 5"),
        (torch.tensor([-1, 4]), r"between 0 and the 4 time steps of the inputs, got -1 to 4"),
        (torch.tensor([1, 2, 3]), r"each of the 2 rows, shape \(2,\), got \(3,\)"),
        (torch.tensor([[1, 2]]), r"each of the 2 rows, shape \(2,\), got \(1, 2\)"),
        (torch.tensor([1.0, 2.0]), r"whole numbers \(torch.int64\), got torch.float32"),
    ],
    ids=["too long", "negative", "too many", "two dimensions", "not whole"],
)
def test_lengths_that_do_not_fit(lengths, message):
    with pytest.raises(ShapeError, match=message):
        unrolled.GRU(2, 3)(torch.randn(4, 2, 2), lengths=lengths)
