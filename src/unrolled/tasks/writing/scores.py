"""How near the texts that were written come to those that were expected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from unrolled.tasks.writing.measured import Measured

_GROUPS = 12
"""Lengths that are shown one by one; more of them are joined to about so many ranges."""


def text_scores(expected: Sequence[str], written: Sequence[str], measured: Measured) -> dict[str, float]:
    """Exact match, token accuracy, the error rates, BLEU and chrF.

    Token accuracy is the share of places, counted on the longer of the two, that hold the same token. The
    error rate (WER of words, PER of phones, CER of characters) is the tokens to insert, delete or replace
    over those expected (Levenshtein 1966). Where every text is one word, WER, the share of words that are
    wrong, is that of texts without an exact match. BLEU (Papineni et al. 2002) and chrF (Popović 2015) are
    those of sacrebleu (Post 2018), from 0 to 100.

    Example:
        >>> scores = text_scores(["a b c", "d"], ["a c", "d"], Measured("words", one_word=False))
        >>> scores["exact match"], scores["token accuracy"], scores["WER"]
        (0.5, 0.5, 0.25)
    """
    from rapidfuzz.distance import Levenshtein
    from sacrebleu import corpus_bleu, corpus_chrf

    pairs = [(measured.cut(one), measured.cut(other)) for one, other in zip(expected, written, strict=True)]
    right = sum(sum(a == b for a, b in zip(one, other, strict=False)) for one, other in pairs)
    edits = sum(Levenshtein.distance(one, other) for one, other in pairs)
    # sacrebleu warns of texts that end in a separate full stop, as tokenised ones do; they are meant to.
    bleu = corpus_bleu(list(written), [list(expected)], force=True)
    match = sum(map(is_match, expected, written)) / len(pairs)
    rates = {measured.error_rate: edits / max(1, sum(len(one) for one, _ in pairs))}
    if measured.one_word:
        rates["WER"] = 1 - match
    return {
        "exact match": match,
        "token accuracy": right / max(1, sum(max(map(len, pair)) for pair in pairs)),
        **rates,
        "BLEU": bleu.score,
        "chrF": corpus_chrf(list(written), [list(expected)]).score,
    }


def is_match(expected: str, written: str) -> bool:
    """Whether two texts are the same but for the size of their spaces.

    Example:
        >>> is_match("a  b", "a b"), is_match("a b", "ab")
        (True, False)
    """
    return expected.split() == written.split()


def by_length(lengths: Sequence[int], matches: Sequence[bool], longest: int) -> dict[str, float]:
    """Exact match by the length of the source, in ranges where there are many lengths.

    Args:
        lengths: of the sources, in symbols.
        matches: whether each target was written exactly.
        longest: the longest source of training; lengths beyond it say so and share no range with others.

    Example:
        >>> by_length([5, 5, 6, 9], [True, False, True, False], longest=6)
        {'5': 0.5, '6': 1.0, '9 (longer than in training)': 0.0}
    """
    width = 1
    if len(set(lengths)) > _GROUPS:
        width = -(-(max(lengths) - min(lengths) + 1) // _GROUPS)
    groups: defaultdict[tuple[bool, int], list[tuple[int, bool]]] = defaultdict(list)
    for length, match in zip(lengths, matches, strict=True):
        beyond = length > longest
        start = longest + 1 if beyond else min(lengths)
        groups[beyond, start + (length - start) // width * width].append((length, match))
    shares = {}
    for (beyond, _), members in sorted(groups.items()):
        first, last = min(members)[0], max(members)[0]
        name = str(first) if first == last else f"{first}-{last}"
        share = float(np.mean([match for _, match in members]))
        shares[f"{name} (longer than in training)" if beyond else name] = share
    return shares
