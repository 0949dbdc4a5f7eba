"""Data divided into folds: each in turn is held out, and the others are trained on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.errors import ConfigError


def require_folds(count: int, things: int, counted: str) -> None:
    """Require two folds at least, and no more than there are things.

    Raises:
        ConfigError: there are fewer, or more.
    """
    if count < 2:
        raise ConfigError(f"folds: expected two at least, got {count}")
    if count > things:
        raise ConfigError(f"folds: expected at most {things:,}, as many as there are {counted}, got {count}")


def example_folds(
    examples: Examples, count: int, seed: int, symbols: Callable[[Example], Iterable[str]]
) -> Iterator[tuple[Examples, Examples]]:
    """The examples to train on and those held out, for every fold.

    Groups stay together; where every example has one label, each fold has about the same share of each.

    Args:
        examples: all of them.
        count: of folds.
        seed: decides which examples are together.
        symbols: the labels of an example.

    Raises:
        ConfigError: there are more folds than examples, or than groups of them.
    """
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    groups = [row if example.group is None else example.group for row, example in enumerate(examples)]
    grouped = len(set(groups)) < len(groups)
    require_folds(count, len(set(groups)), "groups of examples" if grouped else "examples")
    labels = [tuple(symbols(example)) for example in examples]
    # A label that is rarer than there are folds is not in all of them; it takes one that is not to say so.
    stratified = all(len(each) == 1 for each in labels)
    stratified = stratified and max(labels.count(each) for each in set(labels)) >= count
    kinds: dict[tuple[bool, bool], Any] = {
        (False, False): KFold,
        (False, True): StratifiedKFold,
        (True, False): GroupKFold,
        (True, True): StratifiedGroupKFold,
    }
    divide = kinds[grouped, stratified](count, shuffle=True, random_state=seed)
    target = [each[0] for each in labels] if stratified else None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        divided = list(divide.split(np.zeros(len(examples)), target, groups if grouped else None))
    for kept, held_out in divided:
        yield examples.select(kept), examples.select(held_out)
