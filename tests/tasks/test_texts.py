import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.errors import DataError
from unrolled.tasks.generation.stops import until
from unrolled.tasks.generation.texts import Texts

documents = st.lists(st.lists(st.text("abc", min_size=1, max_size=6), max_size=4), min_size=1, max_size=5)


def read(texts):
    return "".join("".join(document) for document in texts)


@given(documents, st.floats(0.05, 0.95))
def test_the_two_parts_are_the_whole(documents, share):
    texts = Texts(documents, "example")
    whole = read(texts)
    if len(whole) < 2:
        with pytest.raises(DataError, match="example"):
            texts.split(share)
        return
    first, last = texts.split(share)
    assert read(first) + read(last) == whole
    assert first.characters + last.characters == len(whole)
    assert first.characters > 0
    assert last.characters > 0
    assert last.characters / len(whole) == pytest.approx(share, abs=0.2 * share + 1.5 / len(whole))


def test_the_cut_is_between_documents_where_one_ends_nearby():
    first, last = Texts([["a" * 44], ["b" * 46], ["c" * 10]], "example").split(0.105)
    assert [list(document) for document in last] == [["c" * 10]]
    assert [list(document) for document in first] == [["a" * 44], ["b" * 46]]


def test_a_reader_that_stops_early_does_not_move_the_cut():
    texts = Texts([["ab", "cd"], ["ef", "gh"]], "example", start=1, stop=7)
    assert [next(document) for document in texts] == ["b", "ef"]


@given(st.lists(st.text("ab", max_size=4), max_size=8), st.text("ab", min_size=1, max_size=3))
def test_writing_ends_before_the_first_stop_however_it_is_cut(pieces, stop):
    whole = "".join(pieces)
    written = "".join(until(stop, pieces))
    assert written == (whole[: whole.index(stop)] if stop in whole else whole)
