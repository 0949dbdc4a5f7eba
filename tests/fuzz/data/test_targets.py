from random import Random

import pytest

from tests.fuzz.data.targets import draw


@pytest.mark.parametrize("seed", range(30))
def test_several_targets_are_read_as_they_were_written(seed):
    assert draw(Random(f"targets {seed}")).difference() is None
