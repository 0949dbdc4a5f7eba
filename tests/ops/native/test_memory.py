"""Large intermediate results: their memory is used again, and never twice at a time."""

import gc

import pytest
import torch

from tests.ops.native.threads import at_once
from unrolled.ops.native import library
from unrolled.ops.native.memory import empty

LIKE = torch.empty(0)
ROWS, COLUMNS = 3000, 111
"""Of a tensor beyond a megabyte, of a size that no other test asks for."""


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_large_tensor_is_one_like_any_other(dtype):
    found = empty(LIKE.to(dtype), ROWS, COLUMNS)
    assert found.dtype is dtype
    assert found.shape == (ROWS, COLUMNS)
    assert found.is_contiguous()
    assert found.data_ptr() % 64 == 0
    found.fill_(2.0)
    assert found.sum() == 2 * ROWS * COLUMNS


def test_small_tensors_are_torchs():
    assert empty(LIKE, 10, 10).shape == (10, 10)
    assert empty(LIKE, 10, 10).untyped_storage().resizable()
    assert not empty(LIKE, ROWS, COLUMNS).untyped_storage().resizable()


def test_memory_is_given_back_with_the_last_view_and_used_again():
    first = empty(LIKE, ROWS, COLUMNS)
    address, view = first.data_ptr(), first[1:]
    del first
    gc.collect()
    beside = empty(LIKE, ROWS, COLUMNS)
    assert beside.data_ptr() != address  # the view still holds it
    del view
    gc.collect()
    assert address in {each.data_ptr() for each in [empty(LIKE, ROWS, COLUMNS) for _ in range(33)]}


def test_what_autograd_keeps_is_not_lent_again():
    kept = empty(LIKE, ROWS, COLUMNS).fill_(3.0)
    weight = torch.ones(1, requires_grad=True)
    total = (weight * kept).sum()
    address = kept.data_ptr()
    del kept
    others = [empty(LIKE, ROWS, COLUMNS).fill_(7.0) for _ in range(3)]
    assert address not in {each.data_ptr() for each in others}
    total.backward()
    assert weight.grad == 3 * ROWS * COLUMNS


def test_threads_never_share_a_block():
    wrong = []

    def work(number):
        for _ in range(50):
            mine = empty(LIKE, ROWS, COLUMNS).fill_(float(number))
            if not bool((mine == number).all()):
                wrong.append(number)

    at_once(work, 4)
    assert not wrong


def test_there_is_a_library_to_lend():
    assert library.library() is not None
