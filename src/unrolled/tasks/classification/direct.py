"""What a classifier's direct connection is fitted to: the stretches of symbols of the training data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from unrolled.data.example import Examples
from unrolled.models.direct import DirectConnection, two_places
from unrolled.models.grams import stretches
from unrolled.tasks.baselines.linear import WordGramLogistic, WordGramRidge
from unrolled.tasks.classification.targets import ClassTargets, NamedTargets, NumberTargets, Targets
from unrolled.tasks.inputs.base import StepsKind

_SEQUENCES = 50_000
"""Sequences that are looked at, at most; more of them would hardly change the weights."""
_STRETCHES = 100_000
"""Stretches that are known, at most, those that most sequences have."""
_NUMBERS = 2**23
"""Weights at most: the model folder holds them."""


def fitted_direct(
    inputs: StepsKind, targets: Targets, train: Examples, weights: Sequence[float] | None
) -> DirectConnection:
    """A direct connection, fitted to the training data.

    Args:
        inputs: a kind with symbols.
        targets: what is predicted.
        train: the training data.
        weights: of the classes, where they are given some.
    """
    assert inputs.symbols is not None
    reads, longest = inputs.symbols
    places = np.unique(np.linspace(0, len(train) - 1, min(len(train), _SEQUENCES)).astype(int)).tolist()
    examples = [train[place] for place in places]
    hashes, rows = _stretches((item[reads] for item in inputs.encode(examples)), longest)
    known, having = _most_frequent(hashes, rows, len(examples), _STRETCHES)
    size = table_size(len(known), targets.output_size)
    rows_of = _placed(known, size)
    # In rising order, to be found again.
    order = np.argsort(known[rows_of >= 0], kind="stable")
    known, having, rows_of = (each[rows_of >= 0][order] for each in (known, having, rows_of))
    counts = 1 + np.log((1 + len(examples)) / (1 + having))
    matrix = _matrix(hashes, rows, known, counts, len(examples))
    weight, bias = _weights(matrix, len(known), [example.target for example in examples], targets, weights)
    made = DirectConnection(reads, longest, size, targets.output_size)
    made.start(*map(torch.from_numpy, (known, rows_of, counts, weight, bias)))
    return made


def table_size(stretches: int, outputs: int) -> int:
    """Places of a table for so many stretches: two for each, as long as the weights are not too many.

    Example:
        >>> table_size(5, 2), table_size(100_000, 2), table_size(100_000, 1000)
        (16, 262144, 8192)
    """
    most = max(1, _NUMBERS // outputs)
    return min(1 << (2 * max(1, stretches) - 1).bit_length(), 1 << (most.bit_length() - 1))


def _weights(
    matrix: sparse.csr_matrix,
    known: int,
    given: Sequence[Any],
    targets: Targets,
    weights: Sequence[float] | None,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """``(stretch, output)`` and ``(output,)``, in the order and the unit of the network's outputs."""
    if isinstance(targets, NumberTargets):
        return WordGramRidge.weights_of(matrix, [targets.scaled(each) for each in given])
    assert isinstance(targets, NamedTargets)
    names = targets.vocabulary
    importance = None if weights is None else dict(zip(names.symbols, weights, strict=True))
    weight, bias = np.zeros((known, len(names))), np.zeros(len(names))
    if isinstance(targets, ClassTargets) and len(set(given)) < 2:  # of what is looked at
        return weight, bias
    found = WordGramLogistic.weights_of(matrix, given, importance)
    columns = [names.number(label) for label in found[2]]
    weight[:, columns], bias[columns] = found[:2]
    return weight, bias


def _stretches(tokens: Iterator[NDArray[Any]], longest: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The hashes of all stretches of some sequences, and the sequence of each."""
    found, rows = [], []
    for row, symbols in enumerate(tokens):
        hashes, whole = stretches(torch.from_numpy(np.append(symbols, 0)).long().unsqueeze(0), longest)
        found.append(hashes[whole].numpy())
        rows.append(np.full(len(found[-1]), row))
    return np.concatenate(found), np.concatenate(rows)


def _most_frequent(
    hashes: NDArray[Any], rows: NDArray[Any], sequences: int, most: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The stretches that most sequences have, these first, and how many have each."""
    # A stretch and its sequence in one number, which is sorted faster than a pair: hashes have 31 bits.
    pairs = np.unique(hashes * sequences + rows)
    known, having = np.unique(pairs // sequences, return_counts=True)
    order = np.argsort(-having, kind="stable")[:most]
    return known[order], having[order]


def _placed(known: NDArray[Any], size: int) -> NDArray[Any]:
    """The row of each stretch in a table of this size; -1 for one whose places are those of earlier ones."""
    taken = np.zeros(size, dtype=bool)
    rows = np.full(len(known), -1)
    choices = torch.stack(two_places(torch.from_numpy(known), size), 1).tolist()
    for stretch, places in enumerate(choices):
        free = [place for place in places if not taken[place]]
        if free:
            rows[stretch] = free[0]
            taken[free[0]] = True
    return rows


def _matrix(
    hashes: NDArray[Any], rows: NDArray[Any], known: NDArray[Any], counts: NDArray[Any], sequences: int
) -> sparse.csr_matrix:
    """What the connection makes of each sequence before its weights, ``(sequence, stretch)``."""
    columns = np.searchsorted(known, hashes).clip(max=len(known) - 1)
    there = known[columns] == hashes
    columns, rows = columns[there], rows[there]
    values = counts[columns]
    length = np.sqrt(np.bincount(rows, values**2, minlength=sequences)).clip(min=1)
    # Entries of the same place add up.
    return sparse.csr_matrix((values / length[rows], (rows, columns)), shape=(sequences, len(known)))
