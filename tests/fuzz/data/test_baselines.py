from random import Random

import pytest

from tests.fuzz.data.baselines import draw


@pytest.mark.parametrize("seed", range(20))
def test_baselines_are_what_plain_numpy_computes(seed):
    assert draw(Random(seed)).difference() is None
