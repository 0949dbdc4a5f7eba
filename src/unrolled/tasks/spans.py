"""Spans marked by tags such as ``B-PER I-PER O``, and their F1 score.

The reading of malformed tag sequences is that of the CoNLL-2000 scorer ``conlleval`` (Tjong Kim Sang and
Buchholz 2000), so scores compare with the literature's: a change of type begins a new span, and so does an
``I-`` with nothing before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

# BIO, IOBES and BILOU in one: the last two differ in the letters for the end of a span and for a span of one.
_TAG = re.compile(r"([BIESLU])-(.+)")
_SAME = {"L": "E", "U": "S"}


class Span(NamedTuple):
    """A span of a type, from step ``start`` to before ``stop``."""

    type: str
    start: int
    stop: int


class SpanScores(NamedTuple):
    """Precision, recall and F1 over the spans of all sequences together (micro-averaged)."""

    precision: float
    recall: float
    f1: float


def are_span_tags(tags: Iterable[str]) -> bool:
    """Whether a set of tags marks spans: ``O`` and tags such as ``B-PER``, with a beginning among them.

    Example:
        >>> are_span_tags(["O", "B-PER", "I-PER"]), are_span_tags(["NOUN", "VERB"]), are_span_tags(["O"])
        (True, False, False)
    """
    marked = [tag for tag in tags if tag != "O"]
    return bool(marked) and all(_TAG.fullmatch(tag) for tag in marked)


def spans(tags: Sequence[str]) -> list[Span]:
    """The spans that a sequence of tags marks, in order.

    Example:
        >>> spans(["B-PER", "I-PER", "O", "I-LOC"])
        [Span(type='PER', start=0, stop=2), Span(type='LOC', start=3, stop=4)]
    """
    found = []
    start = None
    before = ("O", "")
    for position, (mark, kind) in enumerate([*map(_split, tags), ("O", "")]):
        begins = mark != "O" and _begins(before, (mark, kind))
        if start is not None and (mark == "O" or begins):
            found.append(Span(before[1], start, position))
            start = None
        if begins:
            start = position
        before = (mark, kind)
    return found


def _split(tag: str) -> tuple[str, str]:
    match = _TAG.fullmatch(tag)
    if match is None:
        return "O", ""
    return _SAME.get(match[1], match[1]), match[2]


def _begins(before: tuple[str, str], now: tuple[str, str]) -> bool:
    """Whether ``now``, which is inside a span, is its first step."""
    return before[0] in ("O", "E", "S") or now[0] in ("B", "S") or before[1] != now[1]


def span_scores(expected: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]) -> SpanScores:
    """Compare the spans of predicted with those of expected tag sequences; type and both ends must agree.

    Where there is nothing to find or nothing was found, the share in question is 0.

    Example:
        >>> span_scores([["B-A", "I-A", "O", "B-B"]], [["B-A", "I-A", "O", "O"]])
        SpanScores(precision=1.0, recall=0.5, f1=0.6666666666666666)
    """
    right = expected_count = predicted_count = 0
    for wanted, got in zip(expected, predicted, strict=True):
        wanted_spans, got_spans = set(spans(wanted)), set(spans(got))
        right += len(wanted_spans & got_spans)
        expected_count += len(wanted_spans)
        predicted_count += len(got_spans)
    precision = right / predicted_count if predicted_count else 0.0
    recall = right / expected_count if expected_count else 0.0
    f1 = 2 * right / (expected_count + predicted_count) if right else 0.0
    return SpanScores(precision, recall, f1)
