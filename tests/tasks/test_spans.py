"""Spans and their scores, against the rules of conlleval."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.tasks.spans import Span, are_span_tags, span_scores, spans


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O O", []),
        ("B-A", [("A", 0, 1)]),
        ("B-A I-A O B-B", [("A", 0, 2), ("B", 3, 4)]),
        # neighbours of one type are parted by B, of two types by the change
        ("B-A B-A", [("A", 0, 1), ("A", 1, 2)]),
        ("I-A I-B", [("A", 0, 1), ("B", 1, 2)]),
        # IOB1: a span may begin with I
        ("O I-A I-A O", [("A", 1, 3)]),
        # IOBES, and what conlleval makes of it where it is malformed
        ("B-A I-A E-A S-A", [("A", 0, 3), ("A", 3, 4)]),
        ("E-A E-A", [("A", 0, 1), ("A", 1, 2)]),
        ("S-A I-A", [("A", 0, 1), ("A", 1, 2)]),
        ("B-A E-B", [("A", 0, 1), ("B", 1, 2)]),
        # BILOU is IOBES by other letters
        ("B-A L-A U-B", [("A", 0, 2), ("B", 2, 3)]),
        ("B-a-b I-a-b", [("a-b", 0, 2)]),
    ],
)
def test_spans(tags, expected):
    assert spans(tags.split()) == [Span(*span) for span in expected]


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 4), st.integers(0, 2)), max_size=6))
def test_what_is_written_as_bio_is_read_back(pieces):
    tags, expected = [], []
    for kind, length, gap in pieces:
        expected.append(Span(kind, len(tags), len(tags) + length))
        tags += [f"B-{kind}"] + [f"I-{kind}"] * (length - 1) + ["O"] * gap
    assert spans(tags) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["O", "B-PER", "I-PER"], True),
        (["S-A", "B-A", "E-A", "I-A"], True),
        (["NOUN", "VERB"], False),
        (["O", "X"], False),
        (["O"], False),
        ([], False),
        (["B-A", "NOUN"], False),
    ],
)
def test_which_tags_mark_spans(tags, expected):
    assert are_span_tags(tags) is expected


def test_scores_count_a_span_right_only_when_type_and_both_ends_agree():
    expected = [["B-A", "I-A", "O", "B-B"], ["B-C", "O", "O", "O"]]
    predicted = [["B-A", "I-A", "O", "B-C"], ["B-C", "I-C", "O", "O"]]
    assert span_scores(expected, predicted) == (1 / 3, 1 / 3, pytest.approx(1 / 3))


def test_nothing_found_scores_zero():
    assert span_scores([["B-A"]], [["O"]]) == (0, 0, 0)
    assert span_scores([["O"]], [["B-A"]]) == (0, 0, 0)
    assert span_scores([["O"]], [["O"]]) == (0, 0, 0)


@given(st.lists(st.lists(st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B"]), max_size=6), min_size=1))
def test_perfect_predictions_score_one(rows):
    found = any(spans(row) for row in rows)
    assert span_scores(rows, rows) == ((1, 1, 1) if found else (0, 0, 0))
