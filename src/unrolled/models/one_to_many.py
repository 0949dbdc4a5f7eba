"""One to many: one thing in (an image, a vector, some classes), a sequence out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.models.backbones import Backbone
from unrolled.models.bridge import Bridge
from unrolled.models.conditional import ConditionalModel, ScheduledSampling
from unrolled.models.decoder import Decoder
from unrolled.models.frames import PictureEncoder

if TYPE_CHECKING:
    from unrolled.layers.attention import Memory
    from unrolled.layers.state import State


class Perceived(NamedTuple):
    """What is known of the one input.

    Attributes:
        regions: ``(batch, region, region_size)``, what a decoder may attend to.
        vector: ``(batch, size)``, what it starts from.
        lengths: ``(batch,)`` the real regions of every row; None: all.
    """

    regions: Tensor
    vector: Tensor
    lengths: Tensor | None = None


class Perception(nn.Module, ABC):
    """What stands between the one input and the decoder.

    Attributes:
        size: the size of the vector that the decoder starts from.
        region_size: the size of the vectors that it may attend to.
    """

    size: int
    region_size: int

    @abstractmethod
    def forward(self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None) -> Perceived:
        """From tensors by name, each ``(batch, ...)``."""


class PicturePerception(Perception):
    """An image, ``pixels`` ``(batch, height, width, channel)``, by a convolutional network.

    What images have in common is most of what the network says of them at first. Batch normalisation
    (Ioffe and Szegedy 2015) leaves in the vector what tells them apart; without it the decoder learns to
    write long before it looks.

    Args:
        encoder: makes regions and a vector of an image: `PictureEncoder`, or another with its attributes.
    """

    def __init__(self, encoder: PictureEncoder | Backbone) -> None:
        super().__init__()
        self.size = encoder.size
        self.region_size = encoder.region_size
        self.encoder = encoder
        self.norm = nn.BatchNorm1d(encoder.size)

    def forward(self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None) -> Perceived:
        """Read ``pixels``; see `Perception`."""
        regions, vector = self.encoder(inputs["pixels"])
        if self.training and len(vector) == 1:  # one alone has no deviation
            norm = self.norm
            vector = functional.batch_norm(
                vector, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
            )
        else:
            vector = self.norm(vector)
        return Perceived(regions, vector)


class VectorPerception(Perception):
    """Features computed before, ``values`` ``(batch, region, features)``: a vector, or one for each region.

    Args:
        features: of a vector.
        size: of what the decoder starts from: tanh of a linear map of the regions' mean.
    """

    def __init__(self, features: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.region_size = features
        self.output = nn.Linear(features, size)

    def forward(self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None) -> Perceived:
        """Read ``values``; see `Perception`."""
        regions = inputs["values"]
        if lengths is None:
            lengths = torch.full(regions.shape[:1], regions.shape[1], device=regions.device)
        mean = regions.sum(1) / lengths.clamp(min=1).unsqueeze(1)  # padding is zero
        return Perceived(regions, torch.tanh(self.output(mean)), lengths)


class ClassPerception(Perception):
    """Classes, ``classes`` ``(batch, column)`` int64, and numbers, ``numbers`` ``(batch, column)``.

    Every class has a learned vector, every number scales one; together they are the regions, and their sum
    is what the decoder starts from.

    Args:
        classes: the number of classes of all columns together.
        numbers: the number of columns of numbers.
        size: of a vector.
    """

    def __init__(self, classes: int, numbers: int, size: int) -> None:
        super().__init__()
        self.size = self.region_size = size
        self.embedding = nn.Embedding(max(1, classes), size)
        self.directions = nn.Parameter(torch.empty(numbers, size))
        # torch's N(0, 1) would drown what the decoder remembers of the text so far.
        for weight in (self.embedding.weight, self.directions):
            nn.init.normal_(weight, std=0.1)

    def forward(self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None) -> Perceived:
        """Read ``classes`` and ``numbers``; see `Perception`."""
        scaled = inputs["numbers"].unsqueeze(2) * self.directions
        regions = torch.cat([self.embedding(inputs["classes"]), scaled], dim=1)
        return Perceived(regions, regions.sum(1))


class OneToMany(ConditionalModel):
    """What is perceived of one input, a bridge from it to the decoder's first state, and the decoder.

    Vinyals et al. 2015, "Show and Tell"; with attention over the regions Xu et al. 2015, "Show, Attend and
    Tell".

    Args:
        perception: reads the input.
        decoder: writes the text; where it attends, its memory has vectors of ``perception.region_size``.
        dropout: share of the entries dropped of what is perceived.
        sampling: how often the decoder reads its own symbols in training.

    Example:
        >>> from unrolled.models.config import NetworkConfig
        >>> network = NetworkConfig(cell="gru", hidden_size=6)
        >>> decoder = Decoder(10, 4, network, memory_size=8, attention="additive")
        >>> model = OneToMany(ClassPerception(3, 0, size=8), decoder)
        >>> inputs = {"classes": torch.tensor([[2], [0]]), "numbers": torch.zeros(2, 0)}
        >>> scores, _ = model({**inputs, "previous": torch.zeros(2, 7, dtype=torch.int64)})
        >>> scores.shape
        torch.Size([2, 7, 10])
    """

    def __init__(
        self,
        perception: Perception,
        decoder: Decoder,
        dropout: float = 0.0,
        sampling: ScheduledSampling | None = None,
    ) -> None:
        super().__init__(decoder, sampling)
        self.perception = perception
        self.dropout = nn.Dropout(dropout)
        self.bridge = Bridge(perception.size, decoder.recurrent)

    def encode(
        self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None
    ) -> tuple[State, Memory | None]:
        """Read the input."""
        perceived = self.perception(inputs, lengths)
        memory = self.decoder.remember(self.dropout(perceived.regions), perceived.lengths)
        return self.decoder.start(self.bridge(self.dropout(perceived.vector))), memory
