from random import Random

import pytest

from tests.fuzz.data.steps import draw


@pytest.mark.parametrize("seed", range(30))
def test_steps_are_read_as_the_sequences_they_were_written_from(seed):
    assert draw(Random(f"steps {seed}")).difference() is None
