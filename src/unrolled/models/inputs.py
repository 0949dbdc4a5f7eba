"""From a batch's named inputs to one vector a step: numbers, embedded tokens, words with their characters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.layers import build_recurrent
from unrolled.models.pooling import last_step

PADDING = 0
UNKNOWN = 1


class InputLayer(nn.Module, ABC):
    """What stands between a batch's inputs and the recurrent layers.

    Attributes:
        size: the size of the vector at every step.
        by_step: whether the vector of a step depends on that step alone.
    """

    size: int
    by_step: bool = True

    @abstractmethod
    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """From tensors ``(batch, time, ...)`` by name to vectors ``(batch, time, size)``."""


class ValueInput(InputLayer):
    """Numbers as they are: ``values`` ``(batch, time, size)``.

    Args:
        size: the numbers of a step.
        dropout: the share of them that training drops.
        noise: the deviation of the noise that training adds; with few sequences it keeps a network from
            learning them by heart (Bishop 1995, "Training with Noise is Equivalent to Tikhonov
            Regularization").
    """

    def __init__(self, size: int, dropout: float = 0.0, noise: float = 0.0) -> None:
        super().__init__()
        self.size = size
        self.dropout = dropout
        self.noise = noise

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Read ``values``; see `InputLayer`."""
        values = inputs["values"]
        if self.training and self.noise:
            values = values + self.noise * torch.randn_like(values)
        return functional.dropout(values, self.dropout) if self.training and self.dropout else values


class BesideInput(InputLayer):
    """A sequence's vectors, each beside one of further columns, which are the same at every step.

    Args:
        sequence: the input layer of the sequence.
        classes: the number of classes of all columns together; each has a learned vector.
        numbers: the columns of numbers; each scales a learned vector.
        size: of the vector of the further columns, the sum of theirs.
    """

    def __init__(self, sequence: InputLayer, classes: int, numbers: int, size: int) -> None:
        super().__init__()
        self.sequence = sequence
        self.size = sequence.size + size
        self.embedding = nn.Embedding(max(1, classes), size)
        self.directions = nn.Parameter(torch.empty(numbers, size))
        for weight in (self.embedding.weight, self.directions):
            nn.init.normal_(weight, std=0.1)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Read what the sequence's layer reads, ``beside_classes`` and ``beside_numbers``."""
        classes = self.embedding(inputs["beside_classes"]).sum(2)
        beside = classes + inputs["beside_numbers"] @ self.directions
        return torch.cat([self.sequence(inputs), beside], dim=-1)


class VectorInput(InputLayer):
    """Words' learned vectors, each beside one that is given and stays as it is.

    Args:
        words: the input layer of the words.
        table: ``(row, size)`` the given vectors; row 0 is that of words without one.
        dropout: the share of their entries that training drops.
    """

    def __init__(self, words: InputLayer, table: Tensor, dropout: float = 0.0) -> None:
        super().__init__()
        self.words = words
        self.size = words.size + table.shape[1]
        self.dropout = dropout
        self.table: Tensor
        self.register_buffer("table", table)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Read what the words' layer reads, and ``vectors`` ``(batch, time)``; see `InputLayer`."""
        given = functional.dropout(self.table[inputs["vectors"]], self.dropout, self.training)
        return torch.cat([self.words(inputs), given], dim=-1)


class ContextualInput(InputLayer):
    """Words' learned vectors, each beside what a language model made of the word where it stands.

    Args:
        words: the input layer of the words.
        size: numbers of what stands beside a word.
        dropout: the share of them that training drops.
    """

    def __init__(self, words: InputLayer, size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.words = words
        self.size = words.size + size
        self.dropout = dropout

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Read what the words' layer reads, and ``features`` ``(batch, time, size)``; see `InputLayer`."""
        beside = functional.dropout(inputs["features"], self.dropout, self.training)
        return torch.cat([self.words(inputs), beside], dim=-1)


class MarkedInput(InputLayer):
    """Words' vectors, each beside a learned one of its mark.

    Args:
        words: the input layer of the words.
        marks: the number of different marks.
        size: of a mark's vector.
    """

    def __init__(self, words: InputLayer, marks: int, size: int) -> None:
        super().__init__()
        self.words = words
        self.size = words.size + size
        self.embedding = nn.Embedding(marks, size)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Read what the words' layer reads, and ``marks`` ``(batch, time)``; see `InputLayer`."""
        return torch.cat([self.words(inputs), self.embedding(inputs["marks"])], dim=-1)


class TokenEmbedding(nn.Module):
    """A learned vector for every token; token 0 is padding, token 1 stands for all unknown ones.

    Args:
        count: the number of tokens, the two special ones included.
        size: the size of a vector.
        unknown_dropout: the share of tokens that training replaces by the unknown one, so that its vector is
            learned and no single token is relied on (Iyyer et al. 2015, word dropout).

    Example:
        >>> TokenEmbedding(10, 4)(torch.tensor([[2, 3, 0]])).shape
        torch.Size([1, 3, 4])
    """

    def __init__(self, count: int, size: int, unknown_dropout: float = 0.0) -> None:
        super().__init__()
        self.unknown_dropout = unknown_dropout
        self.table = nn.Embedding(count, size, padding_idx=PADDING)
        # torch's N(0, 1) would drown what the recurrent layer's weights of about 1/sqrt(hidden) add to it.
        nn.init.normal_(self.table.weight, std=0.1)
        with torch.no_grad():
            self.table.weight[PADDING].zero_()

    def forward(self, tokens: Tensor) -> Tensor:
        """From ``(batch, time)`` int64 to ``(batch, time, size)``."""
        if self.training and self.unknown_dropout:
            dropped = torch.rand(tokens.shape, device=tokens.device) < self.unknown_dropout
            tokens = torch.where(dropped & (tokens != PADDING), UNKNOWN, tokens)
        return self.table(tokens)


class TokenInput(InputLayer):
    """Embedded ``tokens`` ``(batch, time)``."""

    def __init__(self, count: int, size: int, dropout: float = 0.0, unknown_dropout: float = 0.0) -> None:
        super().__init__()
        self.size = size
        self.dropout = dropout
        self.embedding = TokenEmbedding(count, size, unknown_dropout)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Read ``tokens``; see `InputLayer`."""
        return functional.dropout(self.embedding(inputs["tokens"]), self.dropout, self.training)


class CharacterEncoder(nn.Module):
    """A vector for a word from its spelling: both final states of a bidirectional layer over its letters.

    So a word never seen in training has one too (Ling et al. 2015, "Finding Function in Form"). Every
    spelling of a batch is read once, however often it occurs.

    Args:
        count: the number of characters, padding (0) and the unknown one (1) included.
        embedding_size: the size of a character's vector.
        hidden_size: the units of each direction; a word's vector has twice as many.
        cell: the recurrent cell.
    """

    def __init__(
        self, count: int, embedding_size: int, hidden_size: int, cell: str | dict[str, Any] = "gru"
    ) -> None:
        super().__init__()
        self.size = 2 * hidden_size
        self.embedding = TokenEmbedding(count, embedding_size)
        self.layer = build_recurrent(cell, embedding_size, hidden_size, bidirectional=True, batch_first=True)

    def forward(self, characters: Tensor) -> Tensor:
        """From ``(batch, time, characters)`` int64 to ``(batch, time, size)``; none give zeros."""
        words = characters.flatten(0, 1)
        if torch.compiler.is_exporting():  # the sizes in a graph must not depend on what is read
            return self._spelt(words).view(*characters.shape[:2], self.size)
        words, where = words.unique(dim=0, return_inverse=True)
        return self._spelt(words)[where].view(*characters.shape[:2], self.size)

    def _spelt(self, words: Tensor) -> Tensor:
        """The vector of each of some words, ``(word, size)``, from ``(word, characters)``."""
        lengths = (words != PADDING).sum(1)
        outputs, _ = self.layer(self.embedding(words), lengths=lengths)
        return last_step(outputs, lengths, bidirectional=True)


class WordInput(InputLayer):
    """Embedded ``words`` ``(batch, time)`` beside ``characters`` ``(batch, time, characters)``."""

    def __init__(self, words: TokenEmbedding, characters: CharacterEncoder, dropout: float = 0.0) -> None:
        super().__init__()
        self.size = words.table.embedding_dim + characters.size
        self.dropout = dropout
        self.words = words
        self.characters = characters

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Read ``words`` and ``characters``; see `InputLayer`."""
        both = torch.cat([self.words(inputs["words"]), self.characters(inputs["characters"])], dim=-1)
        return functional.dropout(both, self.dropout, self.training)
