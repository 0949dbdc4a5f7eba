from random import Random

import pytest

from tests.fuzz.data.beside import draw


@pytest.mark.parametrize("seed", range(30))
def test_columns_beside_series_are_read_as_they_were_written(seed):
    assert draw(Random(f"beside {seed}")).difference() is None
