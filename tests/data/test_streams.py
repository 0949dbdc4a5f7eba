"""The loader of long texts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.corpus import Corpus
from unrolled.data.streams import StreamLoader
from unrolled.errors import ConfigError

END = 0


def corpus_of(lengths):
    """Documents of distinct tokens, so that each can be told apart."""
    ends = np.cumsum([0, *lengths])
    return Corpus(np.arange(1, ends[-1] + 1), ends.astype(np.int64), END)


corpora = st.lists(st.integers(0, 25), min_size=1, max_size=8).filter(any).map(corpus_of)


@given(corpora, st.integers(1, 5), st.integers(1, 9), st.integers(1, 3), st.booleans(), st.integers(0, 3))
def test_every_token_is_a_target_once_an_epoch_after_its_predecessor(
    corpus, batch_size, window, world_size, shuffle, epoch
):
    first = set((corpus.documents[:-1] + 1).tolist())
    seen = []
    for rank in range(world_size):
        loader = StreamLoader(corpus, batch_size, window, shuffle=shuffle, shard=(rank, world_size))
        batches = list(loader.batches(epoch))
        assert len(batches) == len(loader)
        last = np.zeros(batch_size, dtype=np.int64)
        for batch in batches:
            tokens = batch.inputs["tokens"]
            assert tokens.shape == batch.targets.shape
            assert batch.time <= window
            for row, length in enumerate(batch.lengths.tolist()):
                inputs, targets = tokens[row, :length].tolist(), batch.targets[row, :length].tolist()
                assert not tokens[row, length:].any()
                assert not batch.targets[row, length:].any()
                for before, token in zip(inputs, targets, strict=True):
                    assert before == (END if token in first else token - 1)
                if length and not batch.starts[row]:
                    assert inputs[0] == last[row]
                if length:
                    last[row] = targets[-1]
                seen += targets
    assert sorted(seen) == corpus.tokens.tolist()


@given(corpora, st.integers(1, 4), st.integers(1, 6), st.integers(0, 5))
def test_an_epoch_resumes_anywhere(corpus, batch_size, window, start):
    loader = StreamLoader(corpus, batch_size, window, seed=7)
    whole = list(loader.batches(2))[start:]
    for expected, batch in zip(whole, loader.batches(2, start=start), strict=True):
        assert expected.inputs["tokens"].tolist() == batch.inputs["tokens"].tolist()
        assert expected.targets.tolist() == batch.targets.tolist()
        assert expected.starts.tolist() == batch.starts.tolist()


@given(corpora, st.integers(1, 3), st.integers(1, 6))
def test_two_processes_together_are_one_of_twice_the_rows(corpus, batch_size, window):
    whole = StreamLoader(corpus, 2 * batch_size, window).batches(0)
    halves = [StreamLoader(corpus, batch_size, window, shard=(rank, 2)).batches(0) for rank in range(2)]
    for batch, *parts in zip(whole, *halves, strict=True):
        assert batch.lengths.tolist() == [length for part in parts for length in part.lengths.tolist()]
        assert batch.starts.tolist() == [start for part in parts for start in part.starts.tolist()]


def test_documents_start_afresh_and_rows_continue():
    loader = StreamLoader(corpus_of([5, 2]), batch_size=1, window=3, shuffle=False)
    batches = list(loader.batches(0))
    assert [batch.targets.tolist() for batch in batches] == [[[1, 2, 3]], [[4, 5]], [[6, 7]]]
    assert [batch.starts.item() for batch in batches] == [True, False, True]
    assert [batch.lengths.item() for batch in batches] == [3, 2, 2]


def test_the_order_of_documents_changes_with_the_epoch():
    loader = StreamLoader(corpus_of([3] * 20), batch_size=1, window=3, seed=1)
    first, second = ([batch.targets.tolist() for batch in loader.batches(epoch)] for epoch in (0, 1))
    assert first != second
    assert sorted(first) == sorted(second)


def test_more_rows_than_windows_leave_rows_empty():
    (batch,) = StreamLoader(corpus_of([4]), batch_size=3, window=4).batches(0)
    assert sorted(batch.lengths.tolist()) == [0, 0, 4]


def test_an_empty_corpus_is_refused():
    with pytest.raises(ConfigError, match="at least one token"):
        StreamLoader(Corpus(np.zeros(0, int), np.zeros(1, int), END), 2, 3)
