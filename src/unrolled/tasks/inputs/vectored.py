"""Words with the vectors that a file has of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch

from unrolled.data.example import Example, Examples
from unrolled.data.vocabulary import Vocabulary
from unrolled.data.word_vectors import read_word_vectors
from unrolled.errors import ConfigError
from unrolled.models.inputs import InputLayer, VectorInput
from unrolled.tasks.inputs.base import StepsKind
from unrolled.tasks.inputs.text import TextKind
from unrolled.tasks.inputs.words import WordKind
from unrolled.tasks.inputs.wrapped import WrappedKind


class VectoredKind(WrappedKind):
    """A text or a sentence, each word with the vector that a file has of it, beside the one that is learned.

    The vectors are not trained on, so that a word that training lacks is read as its like are. They are saved
    with the model, which needs the file no more.

    Args:
        sequence: the words.
        known: the words that have a vector.
        size: numbers of a vector.
        values: the vectors ``(word, size)``; None for a model whose weights are to be loaded.
    """

    kind = "vectored"

    def __init__(
        self, sequence: StepsKind, known: Vocabulary, size: int, values: np.ndarray | None = None
    ) -> None:
        super().__init__(sequence)
        self.known, self.size, self.values = known, size, values

    @property
    def described(self) -> str:
        """The sequence, and that it has vectors."""
        return f"{self.sequence.described} with word vectors"

    @classmethod
    def fit(cls, examples: Examples, config: Any) -> Self:
        """Learn the words, and read the vectors of the most frequent words and of all that training has."""
        from unrolled.tasks.inputs.kinds import steps_kind

        assert config.vectors is not None
        kind = steps_kind(examples, getattr(config, "unit", None))
        if not issubclass(kind, TextKind | WordKind):
            raise ConfigError(
                f"vectors: expected texts, which have words, got {kind.kind}; leave vectors out"
            )
        sequence = kind.fit(examples, config)
        seen = {word for example in examples for word in sequence.steps(example)}
        read = read_word_vectors(config.vectors, config.vectors_limit, seen | {each.lower() for each in seen})
        fitted = cls(sequence, Vocabulary(read.words, "word"), read.size, read.values)
        found = sum(fitted._number(word) > 0 for word in seen)
        fitted.notes = (
            *sequence.notes,
            f"{found:,} of {len(seen):,} words of the training data have a vector of {read.size} numbers in "
            f"{config.vectors}; {len(read.words):,} are kept.",
        )
        return fitted

    def _number(self, word: str) -> int:
        """A word's row, as it is written or else in lower case; 0 for none."""
        for form in (word, word.lower()):
            if form in self.known:
                return 1 + self.known.number(form)
        return 0

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The arrays of the words, and ``vectors`` ``(time,)``, the rows of their vectors."""
        return [
            {
                **arrays,
                "vectors": np.array(list(map(self._number, self.steps(example))) or [0], dtype=np.int64),
            }
            if len(next(iter(arrays.values())))
            else {**arrays, "vectors": np.zeros(0, dtype=np.int64)}
            for arrays, example in zip(self.sequence.encode(examples), examples, strict=True)
        ]

    def layer(self, config: Any) -> InputLayer:
        """That of the words, and beside each of its vectors the one of the file."""
        table = torch.zeros(1 + len(self.known), self.size)
        if self.values is not None:
            table[1:] = torch.from_numpy(self.values)
        return VectorInput(self.sequence.layer(config), table, config.input_dropout)

    def to_json(self) -> dict[str, Any]:
        """The words, and those that have a vector; the vectors are among the weights."""
        return {"sequence": self.sequence_to_json(), "known": list(self.known.symbols), "size": self.size}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: Any) -> Self:
        """The inverse of `to_json`."""
        from unrolled.tasks.inputs.kinds import steps_from_json

        return cls(
            steps_from_json(value["sequence"], config), Vocabulary(value["known"], "word"), value["size"]
        )
