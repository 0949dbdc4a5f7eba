import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.errors import ConfigError
from unrolled.tasks.baselines.ngram import WittenBell

documents = st.lists(st.lists(st.integers(0, 3), max_size=12), min_size=1, max_size=4)


def by_dictionary(train, order, vocabulary):
    """The equation, word for word, with a dictionary of tuples."""
    counts = defaultdict(Counter)
    for document in train:
        for end in range(len(document)):
            for length in range(min(order, end + 1)):
                counts[tuple(document[end - length : end])][document[end]] += 1

    def probability(symbol, context):
        shorter = probability(symbol, context[1:]) if context else 1 / vocabulary
        seen = counts.get(tuple(context))
        if not seen:
            return shorter
        return (seen[symbol] + len(seen) * shorter) / (seen.total() + len(seen))

    return probability


@settings(max_examples=60, deadline=None)
@given(documents, documents, st.integers(1, 4))
def test_equals_the_equation_over_a_dictionary(train, test, order):
    model = WittenBell(4, order).fit([np.array(d, dtype=np.int64) for d in train])
    probability = by_dictionary(train, order, 4)
    expected = [
        math.log(probability(symbol, document[max(0, at - order + 1) : at]))
        for document in test
        for at, symbol in enumerate(document)
    ]
    got = model.log_probabilities([np.array(d, dtype=np.int64) for d in test])
    assert got.tolist() == pytest.approx(expected, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(documents, st.lists(st.integers(0, 3), max_size=5), st.integers(1, 4))
def test_probabilities_after_any_context_sum_to_one(train, context, order):
    model = WittenBell(4, order).fit([np.array(d, dtype=np.int64) for d in train])
    continued = [np.array([*context, symbol], dtype=np.int64) for symbol in range(4)]
    last = [model.log_probabilities([document])[-1] for document in continued]
    assert sum(map(math.exp, last)) == pytest.approx(1, rel=1e-12)


def test_a_saved_model_gives_the_same_probabilities():
    rng = np.random.default_rng(0)
    model = WittenBell(7, 3).fit([rng.integers(0, 7, 200)])
    again = WittenBell.from_state(model.state())
    text = [rng.integers(0, 7, 50)]
    assert np.array_equal(model.log_probabilities(text), again.log_probabilities(text))


def test_a_large_vocabulary_and_order_do_not_overflow():
    symbols = np.arange(40, dtype=np.int64) + 10**6
    model = WittenBell(2 * 10**6, 8).fit([symbols])
    probabilities = np.exp(model.log_probabilities([symbols]))
    assert (probabilities[8:] > 0.4).all()


def test_an_order_below_one_is_refused():
    with pytest.raises(ConfigError, match="order"):
        WittenBell(3, 0)
