"""A language model of characters, asked what it knows at each word of a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from tempfile import TemporaryFile
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import with_config
from torch import Tensor
from typing_extensions import TypedDict

from unrolled.data.buckets import pad
from unrolled.data.tokenizer import SavedTokenizer, Tokenizer, tokenizer_from_dict
from unrolled.errors import ConfigError, StorageError
from unrolled.layers.state import State
from unrolled.models.cell import require_programs
from unrolled.models.config import NetworkConfig
from unrolled.models.language_states import LanguageStates
from unrolled.models.one_to_one import LanguageModel
from unrolled.saving.schema import ENTRIES, Size
from unrolled.saving.weights import require_alike
from unrolled.tasks.saved import require_layers

_WINDOW = 512
"""Characters of each sentence that are read at once; the result does not depend on it."""
_ROWS, _NUMBERS = 64, 1 << 24
"""Sentences that are read at once at most, and numbers of their states."""
_IN_MEMORY = 1 << 29
"""Bytes of the vectors of a data set up to which they are kept in memory, and not in a file."""
_LAID_OUT = 10_000
"""Words whose room in that file is laid out at once."""


@with_config(ENTRIES)
class SavedReader(TypedDict):
    """A language model in ``vocabulary.json``; its weights are in ``inputs.safetensors``."""

    network: dict[str, Any]
    embedding_size: Size
    tokenizer: SavedTokenizer
    backwards: bool


class LanguageReader:
    """A language model that reads sentences, their words with a blank between, and is not trained on.

    A word's vector is the model's state where the word has just been read: after its last character, or of a
    model that reads backwards after its first (Akbik, Blythe and Vollgraf 2018, "Contextual String Embeddings
    for Sequence Labeling"). A sentence begins, or from behind ends, as a line of the model's texts does.

    Args:
        tokenizer: of characters.
        network: the recurrent layers.
        embedding_size: the width of a character's vector.
        backwards: whether it reads from a sentence's end.
        states: None for a model whose weights are to be loaded.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        network: NetworkConfig,
        embedding_size: int,
        backwards: bool,
        states: LanguageStates | None = None,
    ) -> None:
        self.tokenizer, self.network, self.embedding_size = tokenizer, network, embedding_size
        self.backwards = backwards
        self._states = states
        newline = int(tokenizer.encode("\n")[0])
        self._border = tokenizer.end if newline == tokenizer.unknown else newline

    @classmethod
    def of_folder(cls, folder: str) -> Self:
        """That of a saved model of the task generate.

        Raises:
            ConfigError: the folder's model is of another task, or of other units than characters.
            ModelFolderError: there is no such folder, or it is no model.
        """
        from unrolled.tasks.generate import Generator
        from unrolled.tasks.registry import saved_task

        task = saved_task(folder)
        if task != Generator.task:
            raise ConfigError(
                f"features: expected a language model of characters, got {folder}, a model of the task "
                f"{task!r}; make one with: unrolled train generate TEXTS"
            )
        generator = Generator.load(folder)
        config = generator.effective
        if config.unit != "character":
            raise ConfigError(
                f"features: expected a language model of characters, got {folder}, whose unit is "
                f"{config.unit!r}; make one with: unrolled train generate TEXTS --unit character"
            )
        model = cast(LanguageModel, generator.model)
        network = NetworkConfig.model_validate(
            {name: getattr(config, name) for name in NetworkConfig.model_fields}
        )
        tokenizer = tokenizer_from_dict(cast(SavedTokenizer, generator._vocabularies()))
        states = LanguageStates.of(model, network)
        return cls(tokenizer, network, model.embedding.embedding_dim, config.backwards, states)

    @property
    def size(self) -> int:
        """Numbers of a word's vector."""
        return self.network.output_size

    @property
    def states(self) -> LanguageStates:
        """The network."""
        assert self._states is not None
        return self._states

    @property
    def _device(self) -> torch.device:
        return next(self.states.parameters()).device

    def read(self, sentences: Sequence[Sequence[str]], vectors: Sequence[NDArray[np.float32]]) -> None:
        """Read sentences, those of like length together.

        Args:
            sentences: the words of each.
            vectors: ``(word, size)`` of each, to be filled in.
        """
        placed = [self._placed(words) for words in sentences]
        rows = np.argsort([len(tokens) for tokens, _ in placed], kind="stable")
        together = max(1, min(_ROWS, _NUMBERS // (_WINDOW * self.size)))
        for start in range(0, len(rows), together):
            chosen = rows[start : start + together].tolist()
            self._read_together([(*placed[row], vectors[row]) for row in chosen])

    @torch.no_grad()
    def read_on(self, words: Sequence[str], state: State | None) -> tuple[NDArray[np.float32], State]:
        """The vectors of the next words of a sentence that is read forwards, and the state after them.

        Args:
            words: any number.
            state: before them; None at the beginning of a sentence.
        """
        text = " ".join(words)
        begun = [self._border] if state is None else self.tokenizer.encode(" ").tolist()
        tokens = torch.tensor([[*begun, *self.tokenizer.encode(text).tolist()]])
        hidden, after = self.states(tokens.to(self._device), None, state)
        ends = np.cumsum([len(word) + 1 for word in words], dtype=np.int64) - 1
        return hidden[0, ends].cpu().numpy(), after

    def unknown(self, sentences: Sequence[Sequence[str]]) -> tuple[dict[str, int], int]:
        """How often each character stands there that the model has not seen, and how many stand there."""
        counts: dict[str, int] = {}
        total = 0
        for words in sentences:
            for word in words:
                total += len(word)
                for place in np.flatnonzero(self.tokenizer.encode(word) == self.tokenizer.unknown).tolist():
                    counts[word[place]] = counts.get(word[place], 0) + 1
        return counts, total

    def _placed(self, words: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The tokens of a sentence as they are read, and after which of them each word has been read."""
        tokens = self.tokenizer.encode(" ".join(words)).astype(np.int64)
        sizes = np.array([len(word) for word in words], dtype=np.int64)
        starts = np.cumsum(sizes + 1) - sizes - 1
        places = len(tokens) - starts if self.backwards else starts + sizes
        return np.concatenate([[self._border], tokens[::-1] if self.backwards else tokens]), places

    @torch.no_grad()
    def _read_together(self, rows: Sequence[tuple[NDArray[np.int64], NDArray[np.int64], np.ndarray]]) -> None:
        """Fill in the vectors of some sentences.

        Args:
            rows: for each its tokens, the places of its words, and where their vectors go.
        """
        device = self._device
        tokens = pad([each for each, _, _ in rows])
        lengths = torch.tensor([len(each) for each, _, _ in rows])
        state: State | None = None
        for start in range(0, tokens.shape[1], _WINDOW):
            part = tokens[:, start : start + _WINDOW].to(device)
            real = (lengths - start).clamp(0, part.shape[1]).to(device)
            hidden, state = self.states(part, real, state)
            for row, (_, places, vectors) in enumerate(rows):
                here = (places >= start) & (places < start + _WINDOW)
                vectors[here] = hidden[row, places[here] - start].cpu().numpy()

    def to_json(self) -> dict[str, Any]:
        """All but the weights."""
        return {
            "network": self.network.model_dump(mode="json"),
            "embedding_size": self.embedding_size,
            "tokenizer": self.tokenizer.to_dict(),
            "backwards": self.backwards,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; the weights are to follow.

        Raises:
            ConfigError: a cell among the options names a file.
        """
        require_programs(value["network"])
        tokenizer = tokenizer_from_dict(value["tokenizer"])
        network = NetworkConfig.model_validate(value["network"])
        return cls(tokenizer, network, value["embedding_size"], value["backwards"])

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take up saved weights.

        Raises:
            ValueError: they are not those of such a model.
        """
        require_layers(self.network, weights)
        with torch.device("meta"):  # what sizes claim takes no memory there
            require_alike(weights, self._fresh().state_dict())
        self._states = self._fresh()
        self._states.load_state_dict(dict(weights))

    def _fresh(self) -> LanguageStates:
        return LanguageStates(self.tokenizer.size, self.embedding_size, self.network)


def read_together(
    readers: Sequence[LanguageReader], sentences: Sequence[Sequence[str]]
) -> list[NDArray[np.float32]]:
    """What several language models know at the words of each sentence, ``(word, size)``, side by side.

    What would be large in memory is kept in a file without a name, and read from there.

    Raises:
        StorageError: the disk would not take it.
    """
    ends = np.cumsum([0, *map(len, sentences)]).tolist()
    room = _room(ends[-1], sum(reader.size for reader in readers))
    vectors = [room[start:stop] for start, stop in pairwise(ends)]
    begin = 0
    for reader in readers:
        reader.read(sentences, [each[:, begin : begin + reader.size] for each in vectors])
        begin += reader.size
    return vectors


def _room(words: int, size: int) -> np.ndarray:
    """Room for the vectors of so many words."""
    if 4 * words * size <= _IN_MEMORY:
        return np.empty((words, size), dtype=np.float32)
    try:
        with TemporaryFile() as file:
            for start in range(0, words, _LAID_OUT):  # room that is only claimed may prove not to be there
                file.write(bytes(4 * size * min(_LAID_OUT, words - start)))
            file.flush()
            return np.memmap(file, dtype=np.float32, mode="r+", shape=(words, size))
    except OSError as error:
        raise StorageError(
            f"could not keep the vectors of {words:,} words in a temporary file: {error.strerror}; free some "
            "space, or set TMPDIR to a folder on another disk"
        ) from error
