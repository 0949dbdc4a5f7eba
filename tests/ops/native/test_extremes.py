"""Numbers at the end of the range, and none at all: answered as torch answers them."""

import pytest
import torch

from tests.ops.cases import as_cell
from tests.ops.native.drawn import CELLS, Case, as_pass, reference, run
from tests.tolerances import tolerance
from unrolled.ops.cells.surrounded import surround
from unrolled.ops.kernels import _by_program, run_kernel
from unrolled.ops.native import library
from unrolled.ops.native.program import forward, prepared

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
    """The first rows each meet an extreme number at the second step, by one feature of all units."""
    arguments = Case(cell, steps, len(EXTREMES) + 2, 19, options, 0, 1, "portable").arguments()
    given = as_pass(
        cell,
        {
            name: value.to(dtype) if isinstance(value, torch.Tensor) and value.is_floating_point() else value
            for name, value in arguments.items()
        },
    )
    feature = given.values.new_zeros(*given.values.shape[:2], 1)
    feature[1, : len(EXTREMES), 0] = torch.tensor(EXTREMES)
    ones = given.weight_ih.new_ones(len(given.weight_ih), 1)
    return given._replace(
        values=torch.cat([given.values, feature], -1), weight_ih=torch.cat([given.weight_ih, ones], -1)
    )


@pytest.mark.parametrize("instruction_set", library.choices())
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_values_and_gradients(cell, dtype, instruction_set):
    given = extreme(cell, dtype)
    given = given._replace(values=given.values.requires_grad_(), h_0=given.h_0.requires_grad_())
    with library.instruction_set(instruction_set):
        found, expected = run_kernel(given), _by_program(given)
        for ours, theirs in zip(found, expected, strict=True):
            torch.testing.assert_close(ours, theirs, equal_nan=True, **tolerance(dtype, "value"))
        for fill in (torch.zeros_like, torch.ones_like):
            grads = [fill(result) for result in expected]
            leaves = given.values, given.h_0
            ours, theirs = (
                torch.autograd.grad(results, leaves, grads, retain_graph=True)
                for results in (found, expected)
            )
            for one, other in zip(ours, theirs, strict=True):
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
        values, *_ = run(
            "rnn", gates_x=points, h_0=zero, weight_hh=points.new_zeros(1, 1), activation=activation
        )
    expected = getattr(torch, activation)(points.double())
    assert values.max() <= 1
    assert values.min() >= (-1 if activation == "tanh" else 0)
    spacing = torch.finfo(dtype).eps
    error = (values.double() - expected).abs() / expected.abs().clamp_min(torch.finfo(dtype).tiny)
    within = expected.abs() > 1e-30
    assert error[within].max() <= 4 * spacing


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_nothing_past_a_rows_end_is_read(cell):
    given = extreme(cell, torch.float32, frozenset({"lengths"}))
    past = torch.arange(3).view(3, 1, 1) >= given.lengths.view(1, -1, 1)
    soiled = given._replace(values=given.values.masked_fill(past, float("nan")))
    for one, other in zip(run_kernel(given), run_kernel(soiled), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("lengths", [[-5, 99, 3], [0, 0, 0]])
def test_lengths_outside_the_sequence_stay_inside_the_arrays(lengths):
    arguments = Case("lstm", 3, 3, 5, frozenset(), 0, 1, "portable").arguments()
    arguments |= {"lengths": torch.tensor(lengths)}
    program, around, given = as_cell("lstm", arguments)
    found, _ = forward(surround(program, around), prepared(given), keep=False)
    for ours, theirs in zip((found.states[0], *found.final), reference("lstm", **arguments), strict=True):
        torch.testing.assert_close(ours, theirs, **tolerance(torch.float64, "value"))
