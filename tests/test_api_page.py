"""The page of the API lists what is public, and nothing that is not there."""

import importlib.util
import re
from functools import reduce
from pathlib import Path

import unrolled.cells
import unrolled.diagnosis
import unrolled.layers
import unrolled.training

PAGE = (Path(__file__).parents[1] / "docs/api.md").read_text()
LISTED = re.findall(r"^::: ([\w.]+)$", PAGE, flags=re.MULTILINE)


def found(path):
    parts = path.split(".")
    place = max(
        at for at in range(1, len(parts)) if importlib.util.find_spec(".".join(parts[:at])) is not None
    )
    return reduce(getattr, parts[place:], importlib.import_module(".".join(parts[:place])))


def test_what_is_listed_is_there_and_has_a_text():
    assert len(set(LISTED)) == len(LISTED)
    assert [path for path in LISTED if not getattr(found(path), "__doc__", None)] == []


def test_what_is_public_is_listed():
    listed = {path.rpartition(".")[2] for path in LISTED}
    for room in (unrolled, unrolled.cells, unrolled.diagnosis, unrolled.layers, unrolled.training):
        assert [name for name in room.__all__ if name not in listed] == []
