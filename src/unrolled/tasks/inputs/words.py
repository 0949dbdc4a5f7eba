"""The words of a sentence and their characters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.token_columns import words_in
from unrolled.data.vocabulary import UNKNOWN, Vocabulary
from unrolled.models.inputs import CharacterEncoder, TokenEmbedding, WordInput
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.linear import (
    BagOfWordsLogistic,
    BagOfWordsRidge,
    WordGramLogistic,
    WordGramRidge,
)
from unrolled.tasks.epochs import epochs_for
from unrolled.tasks.inputs.base import StepsKind, symbol_baselines
from unrolled.tasks.inputs.grams import direct_for
from unrolled.tasks.inputs.saved import SavedWords
from unrolled.tasks.inputs.schema import WordsSchema

_EPOCHS, _PATIENCE = 10, 3
"""What a tagger of many sentences needs."""


class _Options(Protocol):
    """`TextOptions`, and those of the characters."""

    cell: Any
    lowercase: bool
    min_count: int
    embedding_size: int
    input_dropout: float
    unknown_dropout: float
    character_embedding_size: int
    character_hidden_size: int
    max_characters: int


class WordKind(StepsKind):
    """The vocabularies of words and of characters.

    Args:
        words: the words known as such.
        characters: the characters of all words.
        config: the options; says how words are looked up and how many characters are read.
    """

    kind = "words"
    Saved = SavedWords
    unit = "words"
    whole = "sentence"
    simple_classifiers = BagOfWordsLogistic, WordGramLogistic
    simple_regressors = BagOfWordsRidge, WordGramRidge
    streams = True
    symbols = ("words", 2)

    def __init__(self, words: Vocabulary, characters: Vocabulary, config: _Options) -> None:
        self.words = words
        self.characters = characters
        self.config = config

    @classmethod
    def fit(cls, examples: Examples, config: _Options) -> Self:
        """Collect the words and characters of the training data."""
        sentences = [words_of(example) for example in examples]
        looked_up = [_cased(words, config) for words in sentences]
        return cls(
            Vocabulary.build(looked_up, min_count=config.min_count, kind="word"),
            Vocabulary.build((word for words in sentences for word in words), kind="character"),
            config,
        )

    def steps(self, example: Example) -> tuple[str, ...]:
        """The words."""
        return words_of(example)

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """``words`` ``(time,)`` and ``characters`` ``(time, characters)``."""
        return [self._encoded(words_of(example)) for example in examples]

    def _encoded(self, words: Sequence[str]) -> dict[str, np.ndarray]:
        # A word of no characters is spelt as an unknown one, so that there is something to read.
        spelt = [word or UNKNOWN for word in words]
        return {
            "words": self.words.encode(_cased(words, self.config)),
            "characters": self.characters.encode_characters(spelt, self.config.max_characters),
        }

    def layer(self, config: _Options) -> WordInput:
        """A vector of the word beside one of its characters."""
        return WordInput(
            TokenEmbedding(len(self.words), config.embedding_size, config.unknown_dropout),
            CharacterEncoder(
                len(self.characters),
                config.character_embedding_size,
                config.character_hidden_size,
                config.cell,
            ),
            config.input_dropout,
        )

    def summaries(self, examples: Sequence[Example]) -> list[list[str]]:
        """The words of each sentence."""
        return [_cased(words_of(example), self.config) for example in examples]

    def step_baselines(self, train: Examples) -> Iterable[Baseline]:
        """The most frequent tag of every word."""
        return symbol_baselines(map(words_of, train), [example.target for example in train])

    def suited(self, examples: Examples, config: Any) -> dict[str, Any]:
        """Epochs enough for few sentences, for many the usual ones are; a connection where a task has one."""
        options = epochs_for(len(examples), config.batch_size, _EPOCHS, _PATIENCE)
        return (options if options["epochs"] > _EPOCHS else {}) | direct_for(config)

    def shown(self, example: Example) -> list[str]:
        """The words."""
        return list(words_of(example))

    def label(self, token: int) -> str:
        """The word."""
        return self.words.decode([token])[0]

    def schema(self) -> WordsSchema:
        """A sentence."""
        return WordsSchema()

    def to_json(self) -> dict[str, Any]:
        """Both vocabularies."""
        return {"words": self.words.to_dict(), "characters": self.characters.to_dict()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: _Options) -> Self:
        """The inverse of `to_json`."""
        return cls(Vocabulary.from_dict(value["words"]), Vocabulary.from_dict(value["characters"]), config)


def words_of(example: Example) -> tuple[str, ...]:
    """The words of a sentence; one given as a text is split at white space.

    Raises:
        DataError: it is neither a text nor a sequence of words.
    """
    if isinstance(example.inputs, str):
        return words_in(example.inputs)
    if not isinstance(example.inputs, Sequence) or not all(isinstance(w, str) for w in example.inputs):
        raise example.source.error(f"expected a list of words, got {example.inputs!r:.60}")
    return tuple(example.inputs)


def _cased(words: Sequence[str], config: _Options) -> list[str]:
    return [word.lower() for word in words] if config.lowercase else list(words)
