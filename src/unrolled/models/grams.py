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
    return stretches(tokens, longest)[0][..., 1:] % _PLACES


def stretches(tokens: Tensor, longest: int) -> tuple[Tensor, Tensor]:
    """The last one, two, three, ... tokens at every step, each by a hash; before the first one stands 0.

    Args:
        tokens: ``(batch, time)`` int64; 0 for none, as beyond either end of a sequence.
        longest: the tokens of the longest stretch, two at least.

    Returns:
        The hashes ``(batch, time, longest)``, and whether there is such a stretch: one of tokens that are
        there, but for the first and the last, either of which may be the end of a sequence.

    Example:
        >>> hashes, whole = stretches(torch.tensor([[5, 6, 0, 0]]), 3)
        >>> whole[0].int().tolist()
        [[1, 1, 0], [1, 1, 1], [0, 1, 1], [0, 0, 0]]
    """
    steps = tokens.shape[1]
    before = functional.pad(tokens, (longest - 1, 0))
    hashed, there = tokens + 1, tokens != 0
    hashes, whole = [hashed], [there]
    inner = torch.ones_like(there)
    for back in range(1, longest):
        earlier = before[:, longest - 1 - back : longest - 1 - back + steps]
        hashed = (hashed * _FACTOR + earlier + 1) % _MODULUS
        hashes.append(hashed)
        # Of two at least one has to be there, of more all but those at the ends.
        whole.append(there | (earlier != 0) if back == 1 else inner)
        inner = inner & (earlier != 0)
    return torch.stack(hashes, dim=2), torch.stack(whole, dim=2)
