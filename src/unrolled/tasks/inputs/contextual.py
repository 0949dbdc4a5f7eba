"""Words with what language models know where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from pydantic import with_config
from torch import Tensor, nn
from typing_extensions import TypedDict

from unrolled.data.example import Example, Examples
from unrolled.data.vocabulary import split_words
from unrolled.data.wording import listed
from unrolled.errors import ConfigError
from unrolled.models.inputs import ContextualInput, InputLayer
from unrolled.saving.schema import ENTRIES
from unrolled.tasks.inputs.base import StepsKind
from unrolled.tasks.inputs.language_reader import LanguageReader, SavedReader, read_together
from unrolled.tasks.inputs.saved import SavedKind
from unrolled.tasks.inputs.text import TextKind
from unrolled.tasks.inputs.words import WordKind, words_of
from unrolled.tasks.inputs.wrapped import WrappedKind
from unrolled.tasks.network_steps import packed, unpacked
from unrolled.tasks.stream_state import ArrayForm

_SHOWN = 8
"""Characters that a language model has not seen, of which a person is told."""


@with_config(ENTRIES)
class _Saved(TypedDict):
    sequence: SavedKind
    models: list[SavedReader]


class ContextualKind(WrappedKind):
    """A text or a sentence, each word with the states of language models that have just read it.

    The language models are one's own, of characters, and are not trained on (contextual string embeddings;
    see `LanguageReader`). They are saved with the model, which needs their folders no more.

    Args:
        sequence: the words.
        readers: the language models.
    """

    kind = "contextual"
    Saved = _Saved

    def __init__(self, sequence: StepsKind, readers: Sequence[LanguageReader]) -> None:
        super().__init__(sequence)
        self.readers = tuple(readers)
        self.streams = sequence.streams and not any(reader.backwards for reader in self.readers)

    @property
    def described(self) -> str:
        """The sequence, and that language models read it."""
        return f"{self.sequence.described} read by language models"

    @property
    def size(self) -> int:
        """Numbers that stand beside a word."""
        return sum(reader.size for reader in self.readers)

    @classmethod
    def fit(cls, examples: Examples, config: Any) -> Self:
        """Learn the words, and take up the language models."""
        from unrolled.tasks.inputs.kinds import fit_words, steps_kind

        kind = steps_kind(examples, getattr(config, "unit", None))
        if not issubclass(kind, TextKind | WordKind) or kind.pairs:
            raise ConfigError(
                f"features: expected texts or sentences, whose words a language model can read, got "
                f"{kind.kind}; leave features out"
            )
        readers = [LanguageReader.of_folder(folder) for folder in config.features]
        fitted = cls(fit_words(examples, config), readers)
        sentences = [fitted._words(example) for example in examples]
        fitted.notes = (
            *fitted.sequence.notes,
            *(_said(*each, sentences) for each in zip(config.features, readers, strict=True)),
        )
        if config.device == "auto" and torch.cuda.is_available():
            for reader in readers:
                reader.states.cuda()
        return fitted

    def _words(self, example: Example) -> Sequence[str]:
        """The words as they are written, whether or not they are looked up in lower case."""
        if isinstance(example.inputs, str) and isinstance(self._innermost, TextKind):
            written = split_words(example.inputs, False)
            # Of a few letters the small one is two, and may be cut elsewhere.
            looked_up = self.steps(example)
            return written if len(written) == len(looked_up) else looked_up
        return words_of(example)

    @property
    def _innermost(self) -> StepsKind:
        inner = self.sequence
        return inner.sequence if isinstance(inner, WrappedKind) else inner

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The arrays of the words, and ``features`` ``(time, size)``, the states of all models."""
        arrays = self.sequence.encode(examples)
        sentences = [self._words(example) for example in examples]
        vectors = read_together(self.readers, sentences)
        return [{**each, "features": _beside(each, own)} for each, own in zip(arrays, vectors, strict=True)]

    def layer(self, config: Any) -> InputLayer:
        """That of the words, and beside each the states of the language models."""
        return ContextualInput(self.sequence.layer(config), self.size, config.input_dropout)

    def networks(self) -> dict[str, nn.Module]:
        """The language models, by their places."""
        return {str(place): reader.states for place, reader in enumerate(self.readers)}

    def load_networks(self, weights: Mapping[str, Tensor]) -> None:
        """Take up the weights of the language models.

        Raises:
            ValueError: they are not those of such models.
        """
        places = {str(place) for place in range(len(self.readers))}
        if unknown := [name for name in weights if name.partition(".")[0] not in places]:
            raise ValueError(f"expected no weight {unknown[0]!a:.100}")
        for place, reader in enumerate(self.readers):
            begin = f"{place}."
            own = {name[len(begin) :]: each for name, each in weights.items() if name.startswith(begin)}
            reader.load(own)

    def carried(self) -> dict[str, ArrayForm]:
        """The states of the language models."""
        return {
            f"features.{place}.{name}": ArrayForm(array.dtype.kind, array.shape)
            for place, reader in enumerate(self.readers)
            for name, array in packed(reader.states.recurrent.initial_state(1)).items()
        }

    def encode_on(
        self, example: Example, before: Mapping[str, np.ndarray]
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """As `encode`, of the words that follow those read before."""
        (arrays,) = self.sequence.encode([example])
        words, vectors, after = self._words(example), [], {}
        for place, reader in enumerate(self.readers):
            begin = f"features.{place}."
            own = {name[len(begin) :]: each for name, each in before.items() if name.startswith(begin)}
            known = unpacked(own, reader.states.recurrent.initial_state(1)) if own else None
            read, state = reader.read_on(words, known)
            vectors.append(read)
            after |= {begin + name: array for name, array in packed(state).items()}
        return {**arrays, "features": _beside(arrays, np.concatenate(vectors, axis=1))}, after

    def to_json(self) -> dict[str, Any]:
        """The words, and the language models but for their weights."""
        return {"sequence": self.sequence_to_json(), "models": [reader.to_json() for reader in self.readers]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: Any) -> Self:
        """The inverse of `to_json`."""
        from unrolled.tasks.inputs.kinds import steps_from_json

        sequence = steps_from_json(value["sequence"], config)
        return cls(sequence, [LanguageReader.from_json(each) for each in value["models"]])


def _beside(arrays: Mapping[str, np.ndarray], vectors: np.ndarray) -> np.ndarray:
    """The vectors of the words; of a text without any, which is read as one that is unknown, zeros."""
    steps = len(next(iter(arrays.values())))
    return vectors if len(vectors) == steps else np.zeros((steps, vectors.shape[1]), dtype=vectors.dtype)


def _said(folder: str, reader: LanguageReader, sentences: Sequence[Sequence[str]]) -> str:
    """What a language model is, and what of the data it has not seen, in a sentence for the user."""
    way = "backwards" if reader.backwards else "forwards"
    said = f"Beside each word stand {reader.size} numbers of the language model {folder}, which reads {way}"
    counts, total = reader.unknown(sentences)
    if not counts:
        return f"{said}."
    often = sorted(counts, key=lambda character: -counts[character])
    unseen = listed([repr(character) for character in often[:_SHOWN]])
    more = " and others" if len(often) > _SHOWN else ""
    return f"{said}; {sum(counts.values()) / total:.1%} of the characters it has not seen: {unseen}{more}."
