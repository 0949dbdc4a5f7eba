"""Several networks that learned the same from different first weights, as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from typing import TYPE_CHECKING, Literal, cast

import torch
from torch import Tensor, nn

from unrolled.models.base import SequenceModel
from unrolled.models.streaming import EnsembleStream

if TYPE_CHECKING:
    from unrolled.layers.state import State

Average = Literal["outputs", "probabilities"]


class Ensemble(SequenceModel):
    """Networks of one kind whose outputs are averaged (Hansen and Salamon 1990).

    Args:
        members: the networks.
        average: what is averaged: the outputs as they are, or where they are scores of classes the
            probabilities, whose logarithms are then the outputs.

    Example:
        >>> from unrolled.models.config import NetworkConfig
        >>> from unrolled.models.inputs import ValueInput
        >>> from unrolled.models.many_to_one import ManyToOne
        >>> members = [ManyToOne(ValueInput(1), NetworkConfig(hidden_size=2), 3) for _ in range(2)]
        >>> outputs, _ = Ensemble(members, "probabilities")({"values": torch.zeros(1, 4, 1)})
        >>> outputs.exp().sum().round(decimals=4).item()
        1.0
    """

    def __init__(self, members: Sequence[SequenceModel], average: Average) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.average: Average = average

    @property
    def inputs(self) -> nn.Module:
        """What reads the inputs, of the first network as of all."""
        return self.members[0].inputs  # type: ignore[return-value]

    @property
    def every_step(self) -> bool:  # type: ignore[override]
        """As each of them."""
        return all(member.every_step for member in self.members)

    @property
    def causal(self) -> bool:
        """As each of them."""
        return all(member.causal for member in self.members)

    def initial_state(self, batch_size: int) -> State:
        """Those of all networks."""
        return tuple(member.initial_state(batch_size) for member in self.members)  # type: ignore[operator]

    def forward(
        self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None, state: State | None = None
    ) -> tuple[Tensor, State]:
        """The average of what all give; see `SequenceModel`."""
        before = (None,) * len(self.members) if state is None else state
        pairs = [member(inputs, lengths, own) for member, own in zip(self.members, before, strict=True)]
        return self._averaged(torch.stack([made for made, _ in pairs])), tuple(own for _, own in pairs)

    def stream(self, state: State) -> EnsembleStream | None:
        """All networks step by step; see `SequenceModel`."""
        streams = [
            member.stream(own)  # type: ignore[operator]
            for member, own in zip(self.members, state, strict=True)
        ]
        made = [each for each in streams if each is not None]
        return EnsembleStream(made, self._averaged) if len(made) == len(streams) else None

    def _averaged(self, outputs: Tensor) -> Tensor:
        """Of outputs ``(network, ...)``."""
        if self.average == "outputs":
            return outputs.mean(0)
        return outputs.log_softmax(-1).logsumexp(0) - log(len(outputs))


def networks_of(model: SequenceModel) -> list[SequenceModel]:
    """The networks of an ensemble, or the one."""
    return [cast(SequenceModel, each) for each in model.members] if isinstance(model, Ensemble) else [model]
