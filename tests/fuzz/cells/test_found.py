"""Cells that once differed from the reference, as the harness printed them."""

import pytest

from tests.fuzz.cells.cell import CellCase
from unrolled.ops.native import library

pytestmark = pytest.mark.skipif(library.library() is None, reason="no compiled library")

CASES = {
    "norms of a state that is a gate, of which a gradient arrives as well": CellCase(
        cell="elman",
        dtype="float32",
        steps=3,
        rows=5,
        hidden=13,
        bias=True,
        normalised=(),
        masked=False,
        zoneout=(False,),
        probed=(False,),
        bound=0.0,
        lengths=(1, 3, 0, 0, 1),
        resets=0.0,
        reverse=False,
        frozen=0.2,
        heard=True,
        turned=False,
        threads=2,
        instruction_set="portable",
        seed=1207185334,
        noisy=False,
        shared=True,
        watched=True,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_cell_that_differed_is_the_references(case):
    assert case.difference() is None
