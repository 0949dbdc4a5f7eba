"""What tokens make in a row, where a task reads it: in the input layer, and past the recurrence."""

from __future__ import annotations

from typing import Any

from unrolled.models.grams import GramInput
from unrolled.models.inputs import InputLayer, TokenInput


def token_input(count: int, config: Any) -> InputLayer:
    """A fresh input layer for so many tokens.

    Args:
        count: the tokens, the two special ones included.
        config: the options: `TextOptions`, and `GramOptions` where a task has them.
    """
    tokens = TokenInput(count, config.embedding_size, config.input_dropout, config.unknown_dropout)
    longest = getattr(config, "grams", 1)
    return tokens if longest == 1 else GramInput(tokens, longest, config.gram_size, _DROPOUT)


def grams_for(config: Any, longest: int) -> dict[str, Any]:
    """The option ``grams`` where it is not asked for.

    What is read in one direction alone may be meant to be read token by token, so it has none.
    """
    return {"grams": longest} if getattr(config, "bidirectional", False) and hasattr(config, "grams") else {}


def direct_for(config: Any) -> dict[str, Any]:
    """The option ``direct`` where it is not asked for; see `grams_for` for what is read in one direction."""
    return {"direct": True} if getattr(config, "bidirectional", False) and hasattr(config, "direct") else {}


_DROPOUT = 0.5
"""Of the vectors of tokens in a row, which occur so seldom that they are learned by heart otherwise."""
