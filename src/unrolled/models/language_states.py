"""What a language model knows at each place of a text: its recurrent part, which is read and not trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from torch import Tensor, nn

from unrolled.models.config import NetworkConfig
from unrolled.models.one_to_one import LanguageModel, build_causal

if TYPE_CHECKING:
    from unrolled.layers.state import State


class LanguageStates(nn.Module):
    """The embedding and the recurrent layers of a language model, as they were when its training ended.

    Args:
        vocabulary: the number of tokens.
        embedding_size: the width of a token's vector.
        network: the recurrent layers.

    Example:
        >>> import torch
        >>> network = NetworkConfig(hidden_size=6)
        >>> states = LanguageStates.of(LanguageModel(5, 4, network), network)
        >>> states(torch.tensor([[1, 2, 3]]))[0].shape
        torch.Size([1, 3, 6])
    """

    def __init__(self, vocabulary: int, embedding_size: int, network: NetworkConfig) -> None:
        super().__init__()
        self.size = network.output_size
        self.embedding = nn.Embedding(vocabulary, embedding_size)
        self.recurrent = build_causal(embedding_size, network)
        self.requires_grad_(False).eval()

    @classmethod
    def of(cls, model: LanguageModel, network: NetworkConfig) -> Self:
        """Those of a language model, whose weights are copied.

        Args:
            model: the language model.
            network: its recurrent layers.
        """
        made = cls(model.embedding.num_embeddings, model.embedding.embedding_dim, network)
        made.embedding.load_state_dict(model.embedding.state_dict())
        made.recurrent.load_state_dict(model.recurrent.state_dict())
        return made

    def forward(
        self, tokens: Tensor, lengths: Tensor | None = None, state: State | None = None
    ) -> tuple[Tensor, State]:
        """The top layer's output after each token, ``(batch, time, size)``, and the state after the last.

        Args:
            tokens: ``(batch, time)`` int64.
            lengths: ``(batch,)``; None: all rows are full.
            state: before the first token; None: none was read.
        """
        return self.recurrent(self.embedding(tokens), state, lengths=lengths)
