"""A row's numbers depend on nothing but the row: not on its neighbours, the threads, or the run."""

import pytest
import torch

from tests.ops.native.drawn import CELLS, OPTIONS, Case, run
from unrolled.ops.native import library

BY_ROW = {"gates_x": 1, "h_0": 0, "c_0": 0, "hidden_mask": 0, "lengths": 0}
VARIANTS = {"plain": set(), "lengths": {"lengths"}, "everything": None}


def everything(cell, arguments):
    """Forward and backward with gradients of all results; what is summed over rows left out."""
    by_row = [name for name in ("gates_x", "h_0", "c_0") if name in arguments]
    leaves = {name: arguments[name].detach().requires_grad_() for name in by_row}
    results = run(cell, **(arguments | leaves))
    grads = [result.detach().cos() for result in results]
    gradients = torch.autograd.grad(results, list(leaves.values()), grads)
    return [result.detach() for result in results] + list(gradients)


def chosen_rows(arguments, rows):
    return {
        name: value.index_select(BY_ROW[name], rows) if name in BY_ROW else value
        for name, value in arguments.items()
    }


@pytest.mark.parametrize("instruction_set", library.choices())
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_a_row_is_the_same_to_the_bit_whatever_the_others_are(cell, variant, instruction_set):
    options = OPTIONS[cell] if VARIANTS[variant] is None else VARIANTS[variant]
    case = Case(cell, 6, 23, 37, frozenset(options), 0, 1, instruction_set)
    arguments = {
        name: value.float() if isinstance(value, torch.Tensor) and value.is_floating_point() else value
        for name, value in case.arguments().items()
    }
    before = torch.get_num_threads()
    try:
        with library.instruction_set(instruction_set):
            torch.set_num_threads(1)
            whole = everything(cell, arguments)
            for threads in (1, 2):
                torch.set_num_threads(threads)
                for rows in (
                    torch.arange(23),
                    torch.tensor([7]),
                    torch.tensor([22, 3, 7]),
                    torch.randperm(23),
                ):
                    part = everything(cell, chosen_rows(arguments, rows))
                    for found, expected in zip(part, whole, strict=True):
                        assert torch.equal(found, expected.index_select(expected.dim() - 2, rows))
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_runs_repeat_to_the_bit(cell):
    arguments = Case(cell, 9, 17, 40, frozenset(OPTIONS[cell]), 0, 2, "portable").arguments()
    first, second = (everything(cell, arguments) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one, other)
