"""A share of the training data, held out to choose the best epoch by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.errors import DataError


def hold_out(
    examples: Examples, share: float, seed: int, symbols: Callable[[Example], Iterable[str]]
) -> tuple[Examples, Examples, str]:
    """Split a seeded random share off, each label's share alike where an example has one.

    Examples of one group stay together. A group is kept for training when it alone has some label, which
    could otherwise not be learned.

    Args:
        examples: all examples.
        share: how much to hold out; at least one example, or group.
        seed: decides which.
        symbols: the labels of an example that training must have seen; none where labels are numbers.

    Returns:
        The examples to train on, those held out, and a sentence for the user.

    Raises:
        DataError: no example can be spared.
    """
    wanted = max(1, round(share * len(examples)))
    left = Counter(symbol for example in examples for symbol in symbols(example))
    chosen: set[int] = set()
    groups = _groups(examples)
    order = np.random.default_rng(seed).permutation(len(groups)).tolist()
    labels = [tuple(symbols(example)) for example in examples]
    single = all(len(each) == 1 for each in labels)
    if single:
        order = _stratified(
            order, [min((labels[r][0] for r in rows), key=left.__getitem__) for rows in groups]
        )
    for number in order:
        if len(chosen) >= min(wanted, len(examples) - 1):
            break
        rows = groups[number]
        own = Counter(symbol for row in rows for symbol in symbols(examples[row]))
        if len(chosen) + len(rows) < len(examples) and all(left[symbol] > own[symbol] for symbol in own):
            left -= own
            chosen.update(rows)
    if not chosen:
        got = "one sample" if len(examples) == 1 else f"{len(examples):,}"
        raise DataError(
            f"expected examples enough to hold some out, got {got}, none of which can be spared",
            path=examples[0].source.path if len(examples) else None,
            remedy="add examples, or give dev data",
        )
    kept = [row for row in range(len(examples)) if row not in chosen]
    together = ", whole groups of them," if len(groups) < len(examples) else ","
    sentence = (
        f"No dev data was given: {len(chosen):,} of {len(examples):,} training examples{together} drawn with "
        f"seed {seed}, are held out to choose the best epoch by."
    )
    if single:
        missing = sorted({labels[row][0] for row in kept} - {labels[row][0] for row in chosen})
        if missing:
            listed = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
            sentence += f" Too rare to be among them: {listed}."
    return examples.select(kept), examples.select(sorted(chosen)), sentence


def _stratified(order: list[int], labels: list[str]) -> list[int]:
    """The order with the labels spread evenly: before any place each has about the same share."""
    total = Counter(labels)
    seen: Counter[str] = Counter()
    places = {}
    for number in order:
        label = labels[number]
        places[number] = seen[label] / total[label]
        seen[label] += 1
    return sorted(order, key=places.__getitem__)


def _groups(examples: Examples) -> list[list[int]]:
    """The rows of each group, in the order of their first; an example without a group is one of its own."""
    groups: dict[str | int, list[int]] = {}
    for row, example in enumerate(examples):
        groups.setdefault(row if example.group is None else example.group, []).append(row)
    return list(groups.values())
