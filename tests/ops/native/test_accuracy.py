"""The compiled recurrences against the float64 reference and autograd through it, by name."""

from pathlib import Path

import pytest
import torch
from hypothesis import example, given, settings

from tests.ops.native.drawn import CELLS, OPTIONS, Case, cases, in_type, reference, run
from tests.tolerances import RELATIVE_ERROR
from unrolled.ops.native import library


@pytest.fixture(autouse=True)
def _threads_restored():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def results_and_gradients(call, cell, arguments, weights):
    """By name: every result, and what a weighted sum of them all gives every input as its gradient."""
    results = call(cell, **arguments)
    total = sum(
        (weight.to(result.dtype) * result).sum() for weight, result in zip(weights, results, strict=True)
    )
    learned = {name: value for name, value in arguments.items() if getattr(value, "requires_grad", False)}
    grads = torch.autograd.grad(total, learned.values())
    named = {f"result {index}": result.detach() for index, result in enumerate(results)}
    return named | {f"gradient of {name}": grad for name, grad in zip(learned, grads, strict=True)}


def assert_as_accurate(case, dtype, floor=0.0, purpose="kernel"):
    """Each tensor's error is small beside the tensor, or beside one with ``floor`` in every element."""
    given_ = case.arguments()
    exact = in_type(given_, torch.float64)
    generator = torch.Generator().manual_seed(1)
    shapes = [result.shape for result in reference(case.cell, **exact)]
    weights = [torch.randn(shape, generator=generator).double() for shape in shapes]
    expected = results_and_gradients(reference, case.cell, exact, weights)

    torch.set_num_threads(case.threads)
    with library.instruction_set(case.instruction_set):
        found = results_and_gradients(run, case.cell, in_type(given_, dtype), weights)
    for name, value in found.items():
        error = (value.double() - expected[name]).norm()
        scale = max(expected[name].norm(), floor * value.numel() ** 0.5)
        assert error <= RELATIVE_ERROR[dtype, purpose] * scale, f"{name}: {error / scale:.2g} relative"


# In tensors of a few elements everything can cancel and leave rounding: hence a floor where sizes are drawn,
# and none below where they are given.
FLOOR = 0.5


@settings(max_examples=150)
@given(case=cases(normalised=False))
@example(case=Case("lstm", 1, 1, 1, frozenset(), 0, 2, "portable"))
@example(case=Case("gru", 6, 70, 100, frozenset({"lengths", "reverse"}), 0, 2, "portable"))
def test_float32(case):
    assert_as_accurate(case, torch.float32, FLOOR)


# A normalised recurrence is chaotic, two correct float32 computations part: it is compared in float64.
@settings(max_examples=150)
@given(case=cases(normalised=True))
def test_float64(case):
    assert_as_accurate(case, torch.float64, FLOOR)


@pytest.mark.parametrize("size", [(35, 16, 64), (20, 3, 257), (7, 64, 100)], ids=str)
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_float32_at_the_sizes_of_use(cell, size):
    assert_as_accurate(Case(cell, *size, frozenset(), 0, 2, library.choices()[0]), torch.float32)


@pytest.mark.parametrize("instruction_set", library.choices())
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_every_option_at_once_on_every_instruction_set(cell, dtype, instruction_set):
    options = OPTIONS[cell] if dtype == torch.float64 else OPTIONS[cell] - {"norm_hh_gain", "norm_cell"}
    for threads in (1, 2):
        assert_as_accurate(Case(cell, 5, 19, 37, frozenset(options), 1, threads, instruction_set), dtype)


def test_the_processors_best_instruction_set_was_built():
    best = {"AVX512": "avx512", "AVX2": "avx2"}.get(torch.backends.cpu.get_cpu_capability(), "portable")
    described = Path("/proc/cpuinfo")
    if best == "avx512" and described.exists() and "amx_bf16" in described.read_text():
        best = "amx"
    assert library.choices()[0] == best
    assert library.library().instruction_set == best
