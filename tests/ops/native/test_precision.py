"""Products of numbers split into bfloat16: how exact, what of the extremes, what chooses them."""

from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import unrolled
from tests.ops.native.drawn import CELLS, OPTIONS, Case, run
from tests.ops.native.test_accuracy import FLOOR, assert_as_accurate
from tests.ops.native.test_independence import chosen_rows, everything
from tests.tolerances import RELATIVE_ERROR, tolerance
from unrolled.errors import ConfigError
from unrolled.ops.native import library
from unrolled.ops.native import matmul as matmul_module
from unrolled.ops.native.matmul import matmul, matmul_both
from unrolled.ops.precision import get_float32_recurrence_precision, set_float32_recurrence_precision

PRECISIONS = ["highest", "high", "medium"]
FASTEST = library.choices()[0]


on_tiles = patch.object(matmul_module, "_worth_it", lambda a, columns: True)
"""Lets no product be too small for the tiles, where there are tiles."""


@pytest.fixture(autouse=True)
def _restored():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    set_float32_recurrence_precision("highest")


def single(arguments):
    return {
        name: value.float() if isinstance(value, torch.Tensor) and value.is_floating_point() else value
        for name, value in arguments.items()
    }


def assert_answered_alike(found, expected, purpose):
    close = tolerance(torch.float32, purpose)
    for one, other in zip(found, expected, strict=True):
        # Where large numbers cancel, what is left is the rounding of the large.
        largest = other.nan_to_num(0, 0, 0).abs().max().item()
        close = close | {"atol": tolerance(torch.float32, purpose)["atol"] * max(1, largest)}
        torch.testing.assert_close(one, other, equal_nan=True, **close)


def test_the_switch():
    assert get_float32_recurrence_precision() == "highest"
    unrolled.set_float32_recurrence_precision("high")
    assert unrolled.get_float32_recurrence_precision() == "high"
    with pytest.raises(ConfigError, match="highest, high, medium, got 'low'"):
        unrolled.set_float32_recurrence_precision("low")
    assert get_float32_recurrence_precision() == "high"


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("options", [frozenset(), frozenset({"lengths", "reverse", "hidden_mask"})], ids=len)
@pytest.mark.parametrize("size", [(5, 40, 128), (4, 17, 161), (3, 70, 130)], ids=str)
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_recurrences(cell, size, options, precision):
    set_float32_recurrence_precision(precision)
    for threads in (1, 2):
        case = Case(cell, *size, options, 0, threads, FASTEST)
        assert_as_accurate(case, torch.float32, FLOOR, purpose=precision)


@pytest.mark.parametrize("precision", PRECISIONS)
@settings(max_examples=40)
@given(
    rows=st.integers(1, 200),
    columns=st.integers(1, 200),
    depth=st.one_of(st.integers(1, 200), st.just(1100)),
    upright=st.tuples(st.booleans(), st.booleans()),
    threads=st.sampled_from([1, 2]),
)
def test_products(rows, columns, depth, upright, threads, precision):
    generator = torch.Generator().manual_seed(rows * columns + depth)
    a, b = matrix(rows, depth, upright[0], generator), matrix(depth, columns, upright[1], generator)
    set_float32_recurrence_precision(precision)
    torch.set_num_threads(threads)
    with on_tiles:
        found = matmul(a, b)
    assert_as_exact(found, a, b, precision)


@pytest.mark.parametrize("precision", PRECISIONS)
@settings(max_examples=40)
@given(
    rows=st.integers(1, 100),
    columns=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    depth=st.integers(1, 200),
    part=st.tuples(st.integers(0, 200), st.integers(1, 200)),
    upright=st.tuples(*[st.booleans()] * 3),
    threads=st.sampled_from([1, 2]),
)
def test_two_products(rows, columns, depth, part, upright, threads, precision):
    generator = torch.Generator().manual_seed(rows + depth)
    first = min(part[0], depth)
    last = min(first + part[1], depth)
    a, b = matrix(rows, depth, upright[0], generator), matrix(depth, columns[0], upright[1], generator)
    c = matrix(last - first, columns[1], upright[2], generator)
    set_float32_recurrence_precision(precision)
    torch.set_num_threads(threads)
    with on_tiles:
        found = matmul_both(a, b, c, first)
    assert_as_exact(found[0], a, b, precision)
    assert_as_exact(found[1], a[:, first:last], c, precision)


def matrix(height, width, contiguous, generator):
    if contiguous:
        return torch.randn(height, width, generator=generator)
    return torch.randn(width, height, generator=generator).t()


def assert_as_exact(found, a, b, precision):
    # The size that the sums of random numbers have: one alone may be near zero.
    size = (a.abs() @ b.abs()).norm() / max(a.shape[1], 1) ** 0.5
    assert (found - a.double() @ b.double()).norm() <= RELATIVE_ERROR[torch.float32, precision] * size


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e38, -3e38])
@pytest.mark.parametrize("side", [0, 1])
def test_products_of_numbers_that_do_not_split_are_torchs(side, value):
    sides = [torch.randn(130, 140), torch.randn(140, 150)]
    sides[side][3, 5] = value
    with on_tiles:
        found = matmul(*sides)
    expected = torch.matmul(*sides)
    torch.testing.assert_close(found, expected, equal_nan=True, **tolerance(torch.float32, "value"))


@pytest.mark.parametrize("value", [float("inf"), -float("inf"), float("nan"), 3e38, -1e35, 1e-42])
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_a_row_of_extremes_is_answered_as_on_any_processor(cell, value):
    arguments = single(Case(cell, 3, 18, 128, frozenset(), 0, 1, FASTEST).arguments())
    arguments["h_0"][4, 9] = value
    others = torch.tensor([row for row in range(18) if row != 4])
    found = run(cell, **arguments)
    for ours, theirs in zip(run(cell, **chosen_rows(arguments, others)), found, strict=True):
        assert torch.equal(ours, theirs.index_select(theirs.dim() - 2, others))
    with library.instruction_set("portable"):
        expected = run(cell, **arguments)
    assert_answered_alike(found, expected, "value")

    arguments["h_0"][4, 9] = 0
    leaves = [arguments[name].requires_grad_() for name in ("gates_x", "h_0", "weight_hh")]

    def gradients():
        results = run(cell, **arguments)
        grads = [torch.ones_like(result) for result in results]
        grads[0][1, 4, 3] = value
        return torch.autograd.grad(results, leaves, grads)

    ours = gradients()
    with library.instruction_set("portable"):
        theirs = gradients()
    assert_answered_alike(ours, theirs, "gradient")


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_weights_that_do_not_split(value):
    arguments = single(Case("lstm", 3, 18, 128, frozenset(), 0, 1, FASTEST).arguments())
    arguments["weight_hh"][7, 9] = value
    found = run("lstm", **arguments)
    with library.instruction_set("portable"):
        expected = run("lstm", **arguments)
    assert_answered_alike(found, expected, "value")


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_a_row_is_the_same_to_the_bit_whatever_the_others_are(cell, precision):
    # At least eight rows and 192 units: of fewer, threads decide whether there are tiles to fill.
    set_float32_recurrence_precision(precision)
    case = Case(cell, 4, 70, 208, frozenset(OPTIONS[cell] - {"norm_cell", "norm_hh_gain"}), 0, 1, FASTEST)
    arguments = single(case.arguments())
    whole = everything(cell, arguments)
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for rows in (torch.arange(70), torch.arange(9), torch.arange(50, 68), torch.randperm(70)):
            part = everything(cell, chosen_rows(arguments, rows))
            for found, expected in zip(part, whole, strict=True):
                assert torch.equal(found, expected.index_select(expected.dim() - 2, rows))


def test_the_choice_holds_when_a_product_is_computed():
    torch.manual_seed(0)
    layer = unrolled.LSTM(128, 128)
    values = torch.randn(4, 16, 128)

    def gradient(backward_precision):
        set_float32_recurrence_precision("highest")
        output, _ = layer(values)
        set_float32_recurrence_precision(backward_precision)
        return torch.autograd.grad(output.sum(), layer.weight_hh_l0)[0]

    exact = gradient("highest")
    assert torch.equal(gradient("highest"), exact)
    assert torch.equal(gradient("medium"), exact) == (FASTEST != "amx")


@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_under_autocast_the_recurrence_is_float32s(cell):
    torch.manual_seed(0)
    layer = getattr(unrolled, cell)(128, 128)
    values = torch.randn(5, 16, 128, requires_grad=True)
    expected, _ = layer(values)
    with torch.autocast("cpu", torch.bfloat16):
        output, _ = layer(values)
        output.sum().backward()
    assert output.dtype == torch.float32
    assert layer.weight_hh_l0.grad.dtype == torch.float32
    error = (output - expected).norm() / expected.norm()
    assert error <= RELATIVE_ERROR[torch.float32, "medium"]
