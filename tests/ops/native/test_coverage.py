"""What the library leaves to plain torch, and how it is chosen."""

import warnings

import pytest
import torch

from tests.ops.native.drawn import CELLS, FORWARD, Case
from unrolled.errors import ReferenceWarning
from unrolled.ops.native import library, plain_torch

PLAIN = Case("lstm", 3, 2, 5, frozenset(), 0, 1, "portable").arguments()


@pytest.mark.parametrize(
    "change",
    [
        {"weight_hr": torch.ones(5, 5, dtype=torch.float64)},
        {"gates_x": PLAIN["gates_x"].bfloat16()},
        {"gates_x": PLAIN["gates_x"].float()},
        {"gates_x": PLAIN["gates_x"][:0]},
        {"h_0": PLAIN["h_0"][:1]},
        {"weight_hh": PLAIN["weight_hh"][:-1]},
        {"hidden_mask": PLAIN["h_0"][:1]},
        {"zoneout_c": torch.ones(4, 1, 1, dtype=torch.float64)},
        {"norm_cell_gain": torch.ones(5, dtype=torch.float64)},
        {"lengths": torch.tensor([3, 3, 3])},
        {"lengths": torch.tensor([3, 3], dtype=torch.int32)},
    ],
)
def test_cases_not_covered(change):
    assert FORWARD["lstm"](**(PLAIN | change)) is None


def test_a_projection_runs_the_reference():
    arguments = PLAIN | {"weight_hr": torch.randn(5, 5, dtype=torch.float64)}
    for ours, theirs in zip(
        CELLS["lstm"].operator(**arguments), CELLS["lstm"].reference(**arguments), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_wrong_shapes_are_refused_as_torch_refuses_them():
    with pytest.raises(RuntimeError, match="size"):
        CELLS["lstm"].operator(**(PLAIN | {"weight_hh": PLAIN["weight_hh"][:-1]}))


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_strides_of_any_kind(cell):
    arguments = Case(cell, 4, 3, 6, frozenset({"lengths"}), 0, 1, "portable").arguments()
    expected = FORWARD[cell](**arguments)
    apart = {
        name: value.repeat_interleave(2, -1)[..., ::2] if isinstance(value, torch.Tensor) else value
        for name, value in arguments.items()
    }
    assert not apart["gates_x"].is_contiguous()
    for one, other in zip(FORWARD[cell](**apart), expected, strict=True):
        assert torch.equal(one, other)


def test_plain_torch_within_the_context_only():
    with plain_torch():
        inside = CELLS["lstm"].operator(**PLAIN)
    outside = CELLS["lstm"].operator(**PLAIN)
    for ours, theirs in zip(inside, CELLS["lstm"].reference(**PLAIN), strict=True):
        assert torch.equal(ours, theirs)
    for ours, theirs in zip(outside, FORWARD["lstm"](**PLAIN), strict=True):
        assert torch.equal(ours, theirs)


def test_an_instruction_set_that_is_not_there():
    with pytest.raises(ValueError, match="expected an instruction set among"), library.instruction_set("mmx"):
        pass


@pytest.fixture
def _nothing_built(monkeypatch, tmp_path):
    from unrolled.ops import native

    monkeypatch.setattr(native, "__path__", [str(tmp_path)])
    library._fastest.cache_clear()
    yield
    library._fastest.cache_clear()


@pytest.mark.usefixtures("_nothing_built")
def test_without_a_library_there_is_one_warning_and_the_reference():
    with pytest.warns(ReferenceWarning, match="install a C\\+\\+ compiler"):
        first = CELLS["lstm"].operator(**PLAIN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second = CELLS["lstm"].operator(**PLAIN)
    for one, other, reference in zip(first, second, CELLS["lstm"].reference(**PLAIN), strict=True):
        assert torch.equal(one, reference)
        assert torch.equal(other, reference)
