from random import Random

import pytest

from tests.fuzz.data.media import draw


@pytest.mark.parametrize("seed", range(40))
def test_media_are_read_as_they_were_written(seed):
    assert draw(Random(seed)).difference() is None
