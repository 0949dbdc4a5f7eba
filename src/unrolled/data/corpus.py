"""Running text as one long array of tokens, on disk when it is large."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from unrolled.data.tokenizer import Tokenizer
from unrolled.errors import DataError, StorageError

Documents = Iterable[Iterable[str] | Iterable[bytes]]
"""Texts to encode: iterable more than once, each document in pieces of any size that follow one another."""

_TURNED = 1 << 20
"""Tokens that change places at once, so that no document enters memory as a whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """Encoded documents laid end to end; each ends with the token `end`.

    Attributes:
        tokens: `(token,)` unsigned integers; a memory map when the text is large.
        documents: `(document + 1,)` int64; document `i` is `tokens[documents[i] : documents[i + 1]]`.
        end: the token that ends a document.
    """

    tokens: np.ndarray
    documents: np.ndarray
    end: int

    def __len__(self) -> int:
        return len(self.tokens)


def encode_corpus(
    documents: Documents,
    tokenizer: Tokenizer,
    *,
    most: int | None = None,
    backwards: bool = False,
    folder: str | Path | None = None,
) -> Corpus:
    """Encode documents once, piece by piece, into a memory-mapped file.

    Neither the text nor the tokens enter memory as a whole. The file has no name, so it vanishes with the
    corpus, also when the process is killed.

    Args:
        documents: the texts.
        tokenizer: makes tokens of them.
        most: tokens after which no more is read; there may be a few more.
        backwards: lay down each document from its last token to its first, and then its end.
        folder: a folder on the disk that is to hold the file; the system's one for temporary files by
            default.

    Raises:
        DataError: there is no text at all, or a file cannot be decoded.
        StorageError: the disk would not take the tokens.

    Example:
        >>> from unrolled.data.tokenizer import fit_tokenizer
        >>> texts = [["ab", "a"], ["b"]]
        >>> tokenizer = fit_tokenizer(texts, "character")
        >>> corpus = encode_corpus(texts, tokenizer)
        >>> corpus.tokens.tolist(), corpus.documents.tolist()
        ([2, 3, 2, 0, 3, 0], [0, 4, 6])
        >>> encode_corpus([["ab", "b"], ["ba"]], tokenizer, backwards=True).tokens.tolist()
        [3, 3, 2, 0, 2, 3, 0]
    """
    dtype = np.min_scalar_type(tokenizer.size - 1)
    ends = [0]
    with tempfile.TemporaryFile(dir=folder) as file:
        total = 0
        for document in documents:
            if most is not None and total >= most:
                break
            for piece in tokenizer.encode_document(document):
                total += len(piece)
                try:
                    file.write(piece.astype(dtype, copy=False).tobytes())
                except OSError as error:
                    where = folder or tempfile.gettempdir()
                    raise StorageError(
                        f"could not write the encoded text to {where}: {error.strerror}"
                    ) from error
                if most is not None and total >= most:
                    break
            ends.append(total)
        if total == len(ends) - 1:
            raise DataError("expected some text, got none")
        file.flush()
        if backwards:
            laid = np.memmap(file, dtype=dtype, mode="r+", shape=(total,))
            for start, stop in pairwise(ends):
                ended = stop > start and laid[stop - 1] == tokenizer.end
                _turn(laid[start : stop - bool(ended)])
            laid.flush()
        tokens = np.memmap(file, dtype=dtype, mode="r", shape=(total,))
    return Corpus(tokens, np.array(ends, dtype=np.int64), tokenizer.end)


def _turn(tokens: np.ndarray) -> None:
    """Bring tokens into the opposite order, in place."""
    low, high = 0, len(tokens)
    while high - low > 1:
        size = min(_TURNED, (high - low) // 2)
        head = tokens[low : low + size][::-1].copy()
        tokens[low : low + size] = tokens[high - size : high][::-1]
        tokens[high - size : high] = head
        low, high = low + size, high - size
