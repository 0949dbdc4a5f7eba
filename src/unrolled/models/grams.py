"""Symbols in a row, read as one beside the last of them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.models.inputs import InputLayer

_PLACES = 2**15
"""Rows of the table that all stretches share."""
_FACTOR, _MODULUS = 1_000_003, 2**31 - 1


class GramInput(InputLayer):
    """Tokens' vectors, and beside each one that is learned of the tokens that end there.

    It is the sum of those of the last two, three, ... tokens as they stand in a row (n-grams). Each is in a
    row of one table that a hash of its tokens picks, so that none has to be collected (Joulin et al. 2017,
    "Bag of Tricks for Efficient Text Classification"). A recurrence has to learn from many examples that some
    tokens in a row mean something; here it is read at once.

    Args:
        tokens: the input layer of the tokens.
        longest: the tokens of the longest stretch.
        size: of the vector.
        dropout: the share of its entries that training drops.

    Example:
        >>> from unrolled.models.inputs import TokenInput
        >>> layer = GramInput(TokenInput(10, 4), longest=3, size=2)
        >>> layer({"tokens": torch.tensor([[2, 3, 4]])}).shape
        torch.Size([1, 3, 6])
    """

    by_step = False

    def __init__(self, tokens: InputLayer, longest: int, size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.tokens = tokens
        self.longest = longest
        self.dropout = dropout
        self.grams = nn.Embedding(_PLACES, size)
        # They begin near nothing: what a stretch says beside its tokens has to be learned.
        nn.init.normal_(self.grams.weight, std=0.01)
        self.size = tokens.size + size

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Read ``tokens``; see `InputLayer`."""
        grams = self.grams(places(inputs["tokens"], self.longest)).sum(2)
        dropped = functional.dropout(grams, self.dropout, self.training)
        return torch.cat([self.tokens(inputs), dropped], dim=-1)


def places(tokens: Tensor, longest: int) -> Tensor:
    """The row of the table for the last two, three, ... tokens at every step; before the first one stands 0.

    Args:
        tokens: ``(batch, time)`` int64.
        longest: the tokens of the longest stretch, two at least.

    Returns:
        ``(batch, time, longest - 1)`` int64.

    Example:
        >>> one, other = places(torch.tensor([[5, 6, 7], [8, 6, 7]]), 3)
        >>> bool(one[2, 0] == other[2, 0]), bool(one[2, 1] == other[2, 1])
        (True, False)
    """
    steps = tokens.shape[1]
    before = functional.pad(tokens, (longest - 1, 0))
    hashed, found = tokens + 1, []
    for back in range(1, longest):
        start = longest - 1 - back
        hashed = (hashed * _FACTOR + before[:, start : start + steps] + 1) % _MODULUS
        found.append(hashed % _PLACES)
    return torch.stack(found, dim=2)
