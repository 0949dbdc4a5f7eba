"""Running text to numbers and back: by character, byte, word or pieces of words."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, with_config
from typing_extensions import TypedDict

from unrolled.errors import ConfigError
from unrolled.saving.schema import ENTRIES


@with_config(ENTRIES)
class _SavedCharacters(TypedDict):
    unit: Literal["character"]
    characters: str


@with_config(ENTRIES)
class _SavedBytes(TypedDict):
    unit: Literal["byte"]


@with_config(ENTRIES)
class _SavedWords(TypedDict):
    unit: Literal["word"]
    words: list[str]


@with_config(ENTRIES)
class _SavedPieces(TypedDict):
    unit: Literal["bpe"]
    pieces: list[str]
    merges: list[Annotated[list[str], Field(min_length=2, max_length=2)]]


SavedTokenizer = Annotated[
    _SavedCharacters | _SavedBytes | _SavedWords | _SavedPieces, Field(discriminator="unit")
]
"""A tokenizer in a model folder: what its `fit` learnt, and nothing that says how to cut a text."""

END = "<end>"
UNKNOWN = "<unk>"

Text = str | bytes
"""Bytes are taken by the byte tokenizer only."""

_COUNTED = 1 << 16
"""Characters that are counted at once."""
_BOUNDARY = re.compile(r"\n(?=\S)|(?<=\S)(?= \w)")


class Tokenizer(ABC):
    """Numbers for running text; make one with `fit_tokenizer`.

    Token 0 ends a document.

    Attributes:
        unit: what a token is: `character`, `byte`, `word` or `bpe`.
        end: the token that ends a document.
        unknown: the token of text unseen in training, or None where there is none such.
    """

    unit: ClassVar[str]
    end: int = 0
    unknown: int | None = None

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of different tokens."""

    @classmethod
    @abstractmethod
    def fit(cls, documents: Iterable[Iterable[Any]], max_size: int | None, min_count: int) -> Self:
        """The tokenizer of some texts."""

    @abstractmethod
    def encode(self, text: Any) -> np.ndarray:
        """The tokens of a text, `(token,)`, without an end."""

    @abstractmethod
    def decode(self, tokens: Iterable[int] | np.ndarray) -> str:
        """The text of some tokens; the end of a document is an empty text."""

    @abstractmethod
    def split(self, text: Any) -> list[str]:
        """The part of the text that each of its tokens stands for."""

    @abstractmethod
    def symbol(self, token: int) -> str:
        """One token as a person would read it in a table."""

    @abstractmethod
    def to_dict(self) -> Any:
        """The tokenizer as plain JSON, with its unit: a `SavedTokenizer`."""

    @classmethod
    @abstractmethod
    def from_content(cls, content: Any) -> Self:
        """The tokenizer that `to_dict` described."""

    def pieces(self, chunks: Iterable[Any]) -> Iterator[Any]:
        """Chunks of a document, cut anew where no token reaches across."""
        yield from chunks

    def encode_document(self, chunks: Iterable[Any]) -> Iterator[np.ndarray]:
        """The tokens of a document given in chunks, and the end token."""
        for piece in self.pieces(chunks):
            yield self.encode(piece)
        yield np.array([self.end], dtype=np.uint8)


class _Characters(Tokenizer):
    """A token for every character of the training text; 1 is any other character."""

    unit = "character"
    unknown = 1

    def __init__(self, characters: Iterable[str]) -> None:
        self.characters = tuple(characters)
        codes = np.array([ord(character) for character in self.characters], dtype=np.int64)
        # One table look-up encodes a character; codes beyond the table are clipped onto its last, unused,
        # entry.
        self._table = np.full(
            max(codes, default=0) + 2, self.unknown, dtype=np.min_scalar_type(self.size - 1)
        )
        self._table[codes] = np.arange(2, self.size)

    @property
    def size(self) -> int:
        return len(self.characters) + 2

    @classmethod
    def fit(cls, documents: Iterable[Iterable[str]], max_size: int | None, min_count: int) -> Self:
        counts = np.zeros(0, dtype=np.int64)
        for document in documents:
            for chunk in document:
                for start in range(0, len(chunk), _COUNTED):
                    found = np.bincount(_codes(chunk[start : start + _COUNTED]), minlength=len(counts))
                    found[: len(counts)] += counts
                    counts = found
        seen = np.flatnonzero(counts)
        ranked = sorted(
            zip(seen.tolist(), counts[seen].tolist(), strict=True), key=lambda pair: (-pair[1], pair[0])
        )
        kept = [chr(code) for code, count in ranked if count >= min_count]
        return cls(kept if max_size is None else kept[: max_size - 2])

    def encode(self, text: str) -> np.ndarray:
        return self._table[np.minimum(_codes(text), len(self._table) - 1)]

    def decode(self, tokens: Iterable[int] | np.ndarray) -> str:
        symbols = ("", "\N{REPLACEMENT CHARACTER}", *self.characters)
        return "".join(symbols[token] for token in tokens)

    def split(self, text: str) -> list[str]:
        return list(text)

    def symbol(self, token: int) -> str:
        return (END, UNKNOWN, *self.characters)[token]

    def to_dict(self) -> _SavedCharacters:
        return {"unit": "character", "characters": "".join(self.characters)}

    @classmethod
    def from_content(cls, content: _SavedCharacters) -> Self:
        if len(set(content["characters"])) < len(content["characters"]):
            raise ValueError("expected every character once")
        return cls(content["characters"])


class _Bytes(Tokenizer):
    """A token for every byte, whatever the training text; nothing is ever unknown."""

    unit = "byte"

    @property
    def size(self) -> int:
        return 257

    @classmethod
    def fit(cls, documents: Iterable[Iterable[Text]], max_size: int | None, min_count: int) -> Self:
        return cls()

    def encode(self, text: Text) -> np.ndarray:
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        return np.frombuffer(data, dtype=np.uint8).astype(np.uint16) + np.uint16(1)

    def decode(self, tokens: Iterable[int] | np.ndarray) -> str:
        return bytes(token - 1 for token in map(int, tokens) if token).decode(errors="replace")

    def split(self, text: Text) -> list[str]:
        return [self.symbol(token) for token in self.encode(text).tolist()]

    def symbol(self, token: int) -> str:
        return END if token == self.end else repr(bytes([token - 1]))[2:-1]

    def to_dict(self) -> _SavedBytes:
        return {"unit": "byte"}

    @classmethod
    def from_content(cls, content: _SavedBytes) -> Self:
        return cls()


class _Library(Tokenizer):
    """What words and byte pairs share: both are models of the `tokenizers` library."""

    def __init__(self, library: Any) -> None:
        # A text that spells out a special token is text: it must not end the document.
        library.encode_special_tokens = True
        self._library = library
        self._dtype = np.min_scalar_type(self.size - 1)
        self.end = library.token_to_id(END)
        self.unknown = library.token_to_id(UNKNOWN)

    @property
    def size(self) -> int:
        return self._library.get_vocab_size()

    @classmethod
    def fit(cls, documents: Iterable[Iterable[str]], max_size: int | None, min_count: int) -> Self:
        library, trainer = cls._untrained(max_size, min_count)
        pieces = (_whole(piece) for document in documents for piece in _whole_words(document))
        library.train_from_iterator(pieces, trainer)
        return cls(library)

    @classmethod
    @abstractmethod
    def _untrained(cls, max_size: int | None, min_count: int) -> tuple[Any, Any]:
        """The library's tokenizer and the trainer for it."""

    def pieces(self, chunks: Iterable[str]) -> Iterator[str]:
        return _whole_words(chunks)

    def encode(self, text: str) -> np.ndarray:
        return np.array(self._library.encode(_whole(text)).ids, dtype=self._dtype)

    def decode(self, tokens: Iterable[int] | np.ndarray) -> str:
        kept = [token for token in map(int, tokens) if token != self.end]
        return self._library.decode(kept, skip_special_tokens=False)

    def split(self, text: str) -> list[str]:
        return [text[start:stop] for start, stop in self._library.encode(_whole(text)).offsets]

    def symbol(self, token: int) -> str:
        return self._library.id_to_token(token)

    @property
    def _tokens(self) -> list[str]:
        """The tokens in the order of their numbers."""
        numbers: dict[str, int] = self._library.get_vocab()
        return sorted(numbers, key=numbers.__getitem__)


class _Words(_Library):
    """A token for every word with the space before it, every run of other marks and of white space.

    The tokens of a text, laid end to end, are the text; only unseen words are lost.
    """

    unit = "word"

    @staticmethod
    def _made(words: Mapping[str, int]) -> Any:
        """The library's tokenizer for some words by number."""
        from tokenizers import Regex, decoders, models, pre_tokenizers
        from tokenizers import Tokenizer as Library

        library = Library(models.WordLevel(dict(words), unk_token=UNKNOWN))
        parts = Regex(r" ?\w+| ?[^\w\s]+|\s+(?=\s)|\s")
        library.pre_tokenizer = pre_tokenizers.Split(parts, behavior="isolated")
        library.decoder = decoders.Fuse()
        return library

    @classmethod
    def _untrained(cls, max_size: int | None, min_count: int) -> tuple[Any, Any]:
        from tokenizers import trainers

        trainer = trainers.WordLevelTrainer(
            vocab_size=max_size or 50_000,
            min_frequency=min_count,
            special_tokens=[END, UNKNOWN],
            show_progress=False,
        )
        return cls._made({}), trainer

    def to_dict(self) -> _SavedWords:
        return {"unit": "word", "words": self._tokens}

    @classmethod
    def from_content(cls, content: _SavedWords) -> Self:
        words = _numbered(content["words"], (END, UNKNOWN))
        library = cls._made(words)
        library.add_special_tokens([END, UNKNOWN])
        return cls(library)


class _BytePairs(_Library):
    """Byte-pair encoding over bytes (Sennrich et al. 2016; Radford et al. 2019): nothing is ever unknown."""

    unit = "bpe"

    @staticmethod
    def _made(pieces: Mapping[str, int], merges: list[tuple[str, str]]) -> Any:
        """The library's tokenizer for some pieces by number, and what is merged in which order."""
        from tokenizers import Tokenizer as Library
        from tokenizers import decoders, models, pre_tokenizers

        library = Library(models.BPE(dict(pieces), merges))
        library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        library.decoder = decoders.ByteLevel()
        return library

    @classmethod
    def _untrained(cls, max_size: int | None, min_count: int) -> tuple[Any, Any]:
        from tokenizers import pre_tokenizers, trainers

        trainer = trainers.BpeTrainer(
            vocab_size=max_size or 4096,
            min_frequency=max(min_count, 2),
            special_tokens=[END],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        return cls._made({}, []), trainer

    def to_dict(self) -> _SavedPieces:
        merges = json.loads(self._library.to_str())["model"]["merges"]
        return {"unit": "bpe", "pieces": self._tokens, "merges": merges}

    @classmethod
    def from_content(cls, content: _SavedPieces) -> Self:
        from tokenizers import pre_tokenizers

        pieces = _numbered(content["pieces"], (END,))
        missing = set(pre_tokenizers.ByteLevel.alphabet()) - set(pieces)
        merges = [(first, second) for first, second in content["merges"]]
        unknown = [pair for pair in merges if not {*pair, "".join(pair)} <= set(pieces)]
        if missing or unknown:
            raise ValueError(
                "expected every byte and every merged pair among the pieces, got none for "
                f"{(*missing, *unknown)[0]!a:.60}"
            )
        library = cls._made(pieces, merges)
        library.add_special_tokens([END])
        return cls(library)


def _numbered(tokens: list[str], special: tuple[str, ...]) -> dict[str, int]:
    """Tokens by number, of which the first are special.

    Raises:
        ValueError: they are not, or one comes twice.
    """
    numbers = {token: number for number, token in enumerate(tokens)}
    if len(numbers) < len(tokens) or tuple(tokens[: len(special)]) != special:
        raise ValueError(f"expected every token once, the first of them {', '.join(special)}")
    return numbers


UNITS: dict[str, type[Tokenizer]] = {kind.unit: kind for kind in (_Characters, _Bytes, _Words, _BytePairs)}


def fit_tokenizer(
    documents: Iterable[Iterable[Any]], unit: str, *, max_size: int | None = None, min_count: int = 1
) -> Tokenizer:
    """The tokenizer of some texts.

    Args:
        documents: each document in chunks, as `unrolled.data.corpus.Documents`.
        unit: `character`, `byte`, `word` or `bpe`.
        max_size: the number of tokens at most; by default 50,000 words, 4,096 byte pairs, every character.
        min_count: leave out characters, words or pairs seen less often.

    Raises:
        ConfigError: there is no such unit.

    Example:
        >>> tokenizer = fit_tokenizer([["banana"]], "character")
        >>> tokenizer.encode("bax")
        array([4, 2, 1], dtype=uint8)
        >>> tokenizer.decode([4, 2, 3, 0])
        'ban'
        >>> words = fit_tokenizer([["the cat and the hat"]], "word")
        >>> words.decode(words.encode("the hat"))
        'the hat'
    """
    return _unit(unit).fit(documents, max_size, min_count)


def tokenizer_from_dict(content: SavedTokenizer) -> Tokenizer:
    """The tokenizer that `Tokenizer.to_dict` described.

    Raises:
        ValueError: a token comes twice, or one is missing.
    """
    return _unit(content["unit"]).from_content(content)


def _unit(name: str) -> type[Tokenizer]:
    if name not in UNITS:
        raise ConfigError(f"expected the unit of text to be one of {', '.join(UNITS)}, got {name!r}")
    return UNITS[name]


def _whole(text: str) -> str:
    """A text without halves of characters, which the library has not: each is the replacement character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return re.sub(r"[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
    return text


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", errors="surrogatepass"), dtype=np.uint32)


def _whole_words(chunks: Iterable[str]) -> Iterator[str]:
    """Chunks that end where the next word or line begins: no word or byte pair reaches across there."""
    rest = ""
    for chunk in chunks:
        rest += chunk
        cut = _last_boundary(rest)
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


def _last_boundary(text: str) -> int:
    # The last few thousand characters nearly always have one; matching all of them would cost as much as
    # encoding.
    for start in (max(0, len(text) - 4096), 0):
        ends = [match.end() for match in _BOUNDARY.finditer(text, start)]
        if ends:
            return ends[-1]
    return 0
