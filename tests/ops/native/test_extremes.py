"""Numbers at the end of the range, and none at all: answered as torch answers them."""

import pytest
import torch

from tests.ops.native.drawn import BACKWARD, CELLS, FORWARD, Case
from tests.tolerances import tolerance
from unrolled.ops.native import library, plain_torch

EXTREMES = [
    float("nan"),
    float("inf"),
    -float("inf"),
    1e30,
    -1e30,
    1e-40,
    100.0,
    -100.0,
    20.0,
    -20.0,
    9.0,
    -0.0,
]
DTYPES = [torch.float32, torch.float64]


def extreme(cell, dtype, options=frozenset(), steps=3):
    """The first rows each meet an extreme number at the second step, one unit in three."""
    arguments = Case(cell, steps, len(EXTREMES) + 2, 19, options, 0, 1, "portable").arguments()
    for row, value in enumerate(EXTREMES):
        arguments["gates_x"][1, row, ::3] = value
    return {
        name: value.to(dtype) if isinstance(value, torch.Tensor) and value.is_floating_point() else value
        for name, value in arguments.items()
    }


@pytest.mark.parametrize("instruction_set", library.choices())
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_values_and_gradients(cell, dtype, instruction_set):
    arguments = extreme(cell, dtype)
    expected = CELLS[cell].reference(**arguments)
    rest = {name: value for name, value in arguments.items() if name != "gates_x"}
    with library.instruction_set(instruction_set):
        found = FORWARD[cell](**arguments)
        for ours, theirs in zip(found, expected, strict=True):
            torch.testing.assert_close(ours, theirs, equal_nan=True, **tolerance(dtype, "value"))
        # Gradients of zero and of one, backwards through what the reference computed.
        for fill in (torch.zeros_like, torch.ones_like):
            grads = [fill(result) for result in expected]
            saved = [expected[index] for index in CELLS[cell].saved]
            ours = BACKWARD[cell](*grads, *saved, **rest)
            with plain_torch():
                theirs = CELLS[cell].backward_operator(*grads, *saved, **rest)
            for one, other in zip(ours, theirs, strict=True):
                if one is None:
                    assert other.numel() == 0
                else:
                    torch.testing.assert_close(one, other, equal_nan=True, **tolerance(dtype, "gradient"))


@pytest.mark.parametrize("instruction_set", library.choices())
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_activations_stay_within_their_range_and_close_to_torchs(activation, dtype, instruction_set):
    points = torch.cat(
        [torch.linspace(-30, 30, 40001), torch.logspace(-30, 3, 4000), -torch.logspace(-30, 3, 4000)]
    )
    points = points.to(dtype).view(1, -1, 1)
    zero = points.new_zeros(points.shape[1], 1)
    with library.instruction_set(instruction_set):
        values, *_ = FORWARD["rnn"](points, zero, points.new_zeros(1, 1), activation=activation)
    expected = getattr(torch, activation)(points.double())
    assert values.max() <= 1
    assert values.min() >= (-1 if activation == "tanh" else 0)
    spacing = torch.finfo(dtype).eps
    error = (values.double() - expected).abs() / expected.abs().clamp_min(torch.finfo(dtype).tiny)
    within = expected.abs() > 1e-30
    assert error[within].max() <= 4 * spacing


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_nothing_past_a_rows_end_is_read(cell):
    arguments = extreme(cell, torch.float32, frozenset({"lengths"}))
    past = torch.arange(3).view(3, 1, 1) >= arguments["lengths"].view(1, -1, 1)
    soiled = arguments | {"gates_x": arguments["gates_x"].masked_fill(past, float("nan"))}
    for one, other in zip(FORWARD[cell](**arguments), FORWARD[cell](**soiled), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("lengths", [[-5, 99, 3], [0, 0, 0]])
def test_lengths_outside_the_sequence_stay_inside_the_arrays(lengths):
    case = Case("lstm", 3, 3, 5, frozenset(), 0, 1, "portable")
    arguments = case.arguments() | {"lengths": torch.tensor(lengths)}
    for ours, theirs in zip(FORWARD["lstm"](**arguments), CELLS["lstm"].reference(**arguments), strict=True):
        torch.testing.assert_close(ours, theirs, **tolerance(torch.float64, "value"))
