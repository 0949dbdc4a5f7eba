"""What the library leaves to plain torch, and how it is chosen."""

import shutil
import warnings

import pytest
import torch

from tests.ops.cases import LSTM, as_cell, flat
from tests.ops.native.drawn import CELLS, Case, as_pass
from unrolled.errors import ReferenceWarning
from unrolled.ops.cells.surrounded import surround
from unrolled.ops.kernel_pass import Options
from unrolled.ops.kernels import run_kernel
from unrolled.ops.native import library, plain_torch
from unrolled.ops.native.cell import covered
from unrolled.ops.native.program import forward, prepared

PLAIN = Case("lstm", 3, 2, 5, frozenset(), 0, 1, "portable").arguments()
GIVEN = as_pass("lstm", PLAIN)


@pytest.mark.parametrize(
    "change",
    [
        {"values": GIVEN.values.bfloat16()},
        {"values": GIVEN.values.float()},
        {"values": GIVEN.values[:0]},
        {"values": GIVEN.values[..., :-1]},
        {"h_0": GIVEN.h_0[:1]},
        {"weight_hh": GIVEN.weight_hh[:-1]},
        {"options": Options(hidden_mask=GIVEN.h_0[:1])},
        {"options": Options(zoneout_c=torch.ones(4, 1, 1, dtype=torch.float64))},
        {"options": Options(norm_cell_gain=torch.ones(4, dtype=torch.float64))},
    ],
)
def test_cases_not_covered(change):
    assert covered((GIVEN,))
    assert not covered((GIVEN._replace(**change),))


def test_a_projection_runs_the_reference():
    arguments = PLAIN | {"weight_hr": torch.randn(5, 5, dtype=torch.float64)}
    for ours, theirs in zip(LSTM.call(**arguments), LSTM.reference(**arguments), strict=True):
        assert torch.equal(ours, theirs)


def test_wrong_shapes_are_refused_as_torch_refuses_them():
    with pytest.raises(RuntimeError, match=r"size|shape"):
        run_kernel(GIVEN._replace(weight_hh=GIVEN.weight_hh[:-1]))


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_strides_of_any_kind(cell):
    arguments = Case(cell, 4, 3, 6, frozenset({"lengths"}), 0, 1, "portable").arguments()
    expected = CELLS[cell].call(**arguments)
    apart = {
        name: value.repeat_interleave(2, -1)[..., ::2] if isinstance(value, torch.Tensor) else value
        for name, value in arguments.items()
    }
    assert not apart["gates_x"].is_contiguous()
    for one, other in zip(CELLS[cell].call(**apart), expected, strict=True):
        assert torch.equal(one, other)


def test_plain_torch_within_the_context_only():
    with plain_torch():
        inside = LSTM.call(**PLAIN)
    outside = LSTM.call(**PLAIN)
    program, around, given = as_cell("lstm", PLAIN)
    with_library, _ = forward(surround(program, around), prepared(given), keep=False, watched=True)
    for ours, theirs in zip(inside, LSTM.reference(**PLAIN), strict=True):
        assert torch.equal(ours, theirs)
    for ours, theirs in zip(outside, flat(with_library), strict=True):
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


def test_an_older_library_hides_no_newer_one(monkeypatch, tmp_path):
    from unrolled.ops import native

    name, found = library.choices()[0], library._path(library.choices()[0])
    older = tmp_path / found.name
    shutil.copy(found, older)
    asked = library._layout_of
    monkeypatch.setattr(library, "_layout_of", lambda path: 0 if path == older else asked(path))
    monkeypatch.setattr(native, "__path__", [str(tmp_path), str(found.parent)])
    assert library._path(name) == found
    monkeypatch.setattr(native, "__path__", [str(tmp_path)])
    assert library._path(name) is None


@pytest.mark.usefixtures("_nothing_built")
def test_without_a_library_there_is_one_warning_and_the_reference():
    with pytest.warns(ReferenceWarning, match="install a C\\+\\+ compiler"):
        first = LSTM.call(**PLAIN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second = LSTM.call(**PLAIN)
    for one, other, reference in zip(first, second, LSTM.reference(**PLAIN), strict=True):
        assert torch.equal(one, reference)
        assert torch.equal(other, reference)
