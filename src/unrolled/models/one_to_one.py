"""One to one: at every step one input and one output, which may be fed back as the next input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.errors import ConfigError
from unrolled.layers import build_recurrent
from unrolled.layers.stack import RecurrentLayer
from unrolled.models.config import NetworkConfig
from unrolled.models.recurrent import RecurrentModel

if TYPE_CHECKING:
    from unrolled.layers.state import State


def build_causal(input_size: int, network: NetworkConfig) -> RecurrentLayer:
    """Recurrent layers that read forwards.

    Raises:
        ConfigError: a bidirectional network, which would see the step it has to predict.
    """
    if network.bidirectional:
        raise ConfigError("bidirectional must be False where the next step is predicted, got True")
    return build_recurrent(input_size=input_size, batch_first=True, **network.layer_options())


class OneToOne(RecurrentModel):
    """Features of the input, recurrent layers over them, and a score of what comes next.

    Args:
        input_size: features a step.
        network: the recurrent layers; their output passes through its dropout.

    Raises:
        ConfigError: a bidirectional network, which would see the step it has to predict.
    """

    def __init__(self, input_size: int, network: NetworkConfig) -> None:
        super().__init__()
        self.hidden_width = network.output_size
        self.recurrent = build_causal(input_size, network)
        self.dropout = nn.Dropout(network.dropout)

    @property
    def causal(self) -> bool:
        """Always: the next step is unknown when it is predicted."""
        return True

    def forward(
        self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Scores of the next step at every step, ``(batch, time, ...)``."""
        hidden, after = self.recurrent(self._features(inputs), state, lengths=lengths)
        return self._outputs(inputs, self.dropout(hidden)), after


class LanguageModel(OneToOne):
    """Scores of the next token from the tokens so far (Mikolov et al. 2010).

    Args:
        vocabulary: the number of tokens.
        embedding_size: the width of a token's vector.
        network: the recurrent layers.
        tied: score tokens with the embedding matrix itself (Press and Wolf 2017; Inan et al. 2017); where the
            hidden width differs from the embedding's a linear map leads from one to the other.

    Example:
        >>> model = LanguageModel(5, 4, NetworkConfig(hidden_size=6))
        >>> scores, state = model({"tokens": torch.tensor([[1, 2, 3]])})
        >>> scores.shape
        torch.Size([1, 3, 5])
    """

    def __init__(
        self, vocabulary: int, embedding_size: int, network: NetworkConfig, tied: bool = False
    ) -> None:
        super().__init__(embedding_size, network)
        self.embedding = nn.Embedding(vocabulary, embedding_size)
        self.bridge: nn.Module = nn.Identity()
        if tied:
            # Scores are dot products with the embedding: unless it starts small the first ones are extreme.
            nn.init.normal_(self.embedding.weight, std=embedding_size**-0.5)
            if embedding_size != self.hidden_width:
                self.bridge = nn.Linear(self.hidden_width, embedding_size, bias=False)
            self.output_weight = None
        else:
            self.output_weight = nn.Parameter(
                nn.init.xavier_uniform_(torch.empty(vocabulary, self.hidden_width))
            )
        self.output_bias = nn.Parameter(torch.zeros(vocabulary))

    def _features(self, inputs: Mapping[str, Tensor]) -> Tensor:
        return self.dropout(self.embedding(inputs["tokens"]))

    def _outputs(self, inputs: Mapping[str, Tensor], hidden: Tensor) -> Tensor:
        weight = self.embedding.weight if self.output_weight is None else self.output_weight
        return functional.linear(self.bridge(hidden), weight, self.output_bias)


class BinaryVectorModel(OneToOne):
    """Logits of every entry of the next binary vector, from the vectors so far: a piano roll's next chord.

    The entries are independent given the past (the plain RNN of Boulanger-Lewandowski et al. 2012).

    Args:
        size: the entries of a vector.
        network: the recurrent layers.
    """

    def __init__(self, size: int, network: NetworkConfig) -> None:
        super().__init__(size, network)
        self.output = nn.Linear(self.hidden_width, size)
        # Few of many notes sound at a time; from even odds training would first have to find that out.
        nn.init.constant_(self.output.bias, -3.0)

    def _features(self, inputs: Mapping[str, Tensor]) -> Tensor:
        return inputs["values"]

    def _outputs(self, inputs: Mapping[str, Tensor], hidden: Tensor) -> Tensor:
        return self.output(hidden)
