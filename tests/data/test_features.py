"""Features of media files are computed once, and again where something has changed."""

import os

import numpy as np
import pytest

from unrolled.data.features import cache_folder, features_of
from unrolled.errors import DataError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / f"{number}.raw" for number in range(5)]
    for number, path in enumerate(paths):
        path.write_bytes(bytes(range(number + 1)))
    return paths


class Counting:
    """Reads bytes as numbers, and remembers which files it was asked for."""

    def __init__(self):
        self.seen = []

    def __call__(self, path):
        self.seen.append(path.name)
        return np.frombuffer(path.read_bytes(), dtype=np.uint8).astype(np.float32)


def test_computed_once_in_the_order_of_the_files(files):
    compute = Counting()
    first = features_of(files, compute, {"kind": "raw"})
    again = features_of(files[::-1], compute, {"kind": "raw"})[::-1]
    assert sorted(compute.seen) == [path.name for path in files]
    for number, (one, other) in enumerate(zip(first, again, strict=True)):
        assert one.tolist() == other.tolist() == list(range(number + 1))
        assert one.dtype == other.dtype


def test_a_changed_file_and_other_settings_are_computed_anew(files):
    compute = Counting()
    features_of(files, compute, {"rate": 1})
    files[2].write_bytes(b"\7\7")
    os.utime(files[3], (1, 1))
    compute.seen.clear()
    assert features_of(files, compute, {"rate": 1})[2].tolist() == [7, 7]
    assert sorted(compute.seen) == ["2.raw", "3.raw"]
    compute.seen.clear()
    features_of(files, compute, {"rate": 2})
    assert len(compute.seen) == 5


def test_contents_in_memory_are_known_by_what_they_are(files):
    computed = []

    def compute(content):
        computed.append(content)
        return np.frombuffer(content, dtype=np.uint8)

    for _ in range(2):
        assert [len(each) for each in features_of([b"a", b"bc"], compute, {})] == [1, 2]
    assert sorted(computed) == [b"a", b"bc"]


def test_what_a_crash_cut_short_is_computed_again(files, cache):
    compute = Counting()
    features_of(files, compute, {})
    for kept in cache.rglob("*.npy"):
        kept.write_bytes(kept.read_bytes()[:-1])
    assert [len(each) for each in features_of(files, compute, {})] == [1, 2, 3, 4, 5]
    assert len(compute.seen) == 10


def test_a_cache_that_cannot_be_written_costs_time_only(files, cache):
    cache.write_text("a file where the folder would be")
    compute = Counting()
    for _ in range(2):
        assert [len(each) for each in features_of(files, compute, {})] == [1, 2, 3, 4, 5]
    assert len(compute.seen) == 10


def test_the_first_broken_file_is_named(files):
    def compute(path):
        if path.name in ("1.raw", "3.raw"):
            raise DataError("broken", path=path.name)
        return np.zeros(1)

    with pytest.raises(DataError, match=r"1\.raw: broken"):
        features_of(files, compute, {})


def test_where_the_cache_is(monkeypatch, tmp_path):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("UNROLLED_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "unrolled"
