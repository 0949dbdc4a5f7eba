from random import Random

import pytest

from tests.fuzz.data.spans import draw


@pytest.mark.parametrize("seed", range(30))
def test_entities_are_read_as_they_were_written(seed):
    assert draw(Random(f"spans {seed}")).difference() is None
