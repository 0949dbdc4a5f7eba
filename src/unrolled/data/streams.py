"""Long text in batches: many places of the text are read at once, window after window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from unrolled.data.batches import Batch
from unrolled.data.corpus import Corpus
from unrolled.errors import ConfigError


class StreamLoader:
    """Windows of a corpus, each row of a batch continuing the same row of the batch before.

    The documents are laid end to end and cut into windows; a document's last window may be short. The
    windows are dealt to the rows in contiguous runs of equal number (to within one), and batch `t` holds
    the `t`-th window of every row. A row's first window and each document's first window start with a fresh
    state.

    The target of a step is the next token. The first token of a document is predicted too, from the token
    that ends documents, so every token of the corpus is a target exactly once an epoch and a trained model
    can write a document from nothing.

    Args:
        corpus: the encoded text.
        batch_size: the rows of a batch, per process.
        window: the steps of a batch.
        seed: decides, with the epoch, the order of the documents.
        shuffle: False keeps the documents in their order.
        shard: `(rank, world_size)`: this process' number and how many share the rows.

    Raises:
        ConfigError: the corpus has no tokens.

    Example:
        >>> corpus = Corpus(np.array([3, 4, 5, 0, 6, 0]), np.array([0, 4, 6]), end=0)
        >>> loader = StreamLoader(corpus, batch_size=1, window=3, shuffle=False)
        >>> for batch in loader.batches(epoch=0):
        ...     print(batch.inputs["tokens"].tolist(), batch.targets.tolist(), batch.starts.tolist())
        [[0, 3, 4]] [[3, 4, 5]] [True]
        [[5]] [[0]] [False]
        [[0, 6]] [[6, 0]] [True]
    """

    def __init__(
        self,
        corpus: Corpus,
        batch_size: int,
        window: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        shard: tuple[int, int] = (0, 1),
    ) -> None:
        if not len(corpus.tokens):
            raise ConfigError("expected a text with at least one token, got an empty one")
        self.corpus = corpus
        self.batch_size = batch_size
        self.window = window
        self.seed = seed
        self.shuffle = shuffle
        self.shard = shard
        self._windows = -(-np.diff(corpus.documents) // window)
        self._rows = batch_size * shard[1]

    def __len__(self) -> int:
        return -(-int(self._windows.sum()) // self._rows)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from number `start` on."""
        order = np.arange(len(self._windows))
        if self.shuffle:
            np.random.default_rng((self.seed, epoch)).shuffle(order)
        ends = np.cumsum(self._windows[order])
        first_row = self.shard[0] * self.batch_size
        bounds = np.arange(first_row, first_row + self.batch_size + 1) * ends[-1] // self._rows
        for number in range(start, len(self)):
            yield self._batch(order, ends, bounds, number)

    def _batch(self, order: np.ndarray, ends: np.ndarray, bounds: np.ndarray, number: int) -> Batch:
        tokens, documents = self.corpus.tokens, self.corpus.documents
        windows = bounds[:-1] + number
        live = windows < bounds[1:]
        place = np.searchsorted(ends, np.where(live, windows, 0), side="right")
        document = order[place]
        within = (windows - (ends[place] - self._windows[document])) * self.window
        begin = documents[document] + within
        lengths = np.where(live, np.minimum(self.window, documents[document + 1] - begin), 0)
        time = max(1, int(lengths.max()))
        inputs = np.zeros((self.batch_size, time), dtype=np.int64)
        targets = np.zeros((self.batch_size, time), dtype=np.int64)
        for row in np.flatnonzero(live):
            a, n = begin[row], lengths[row]
            targets[row, :n] = tokens[a : a + n]
            inputs[row, 1:n] = targets[row, : n - 1]
            inputs[row, 0] = tokens[a - 1] if within[row] else self.corpus.end
        return Batch(
            inputs={"tokens": torch.from_numpy(inputs)},
            lengths=torch.from_numpy(lengths),
            targets=torch.from_numpy(targets),
            targets_per_step=True,
            starts=torch.from_numpy(live & ((within == 0) | (number == 0))),
        )
