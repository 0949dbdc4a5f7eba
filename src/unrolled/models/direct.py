"""A direct linear connection from the symbols of a sequence to what is made of it, past the recurrence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.models.grams import stretches
from unrolled.models.inputs import PADDING
from unrolled.models.pooling import real_steps

if TYPE_CHECKING:
    from unrolled.layers.state import State
    from unrolled.models.streaming import StepStream


_FACTOR, _MODULUS = 16_807, 2**31 - 1
HALF = 0.5
"""The share of the outputs that a direct connection has while its network learns."""
SHARES = (HALF, 0.25, 0.75, 0.0)
"""Those that it may have afterwards; of equal ones the first."""


class DirectConnection(nn.Module):
    """A linear model of the symbols of a sequence and of those in a row, in evaluation beside a network.

    Each known stretch of one to ``longest`` symbols, the sequence's ends among them, has a row of a table:
    what it says of every output, and how much it counts, the more the fewer sequences have it. The counts of
    a sequence are brought to the length 1, as those of TF-IDF. Of the outputs a share is what is said
    here, and the rest the network's own.

    The weights are fitted before training and stay as they are, and in training the network stands alone: a
    linear model of so many stretches has learned its data by heart, and beside it nothing would be left to be
    learned.

    A stretch is found by a hash of its symbols, in one of two places of the table (Pagh and Rodler 2004,
    "Cuckoo hashing"). The whole hash tells it from others there, so that what training has not seen counts
    nothing.

    Args:
        reads: the input that holds the symbols, ``(batch, time)``, 0 for none.
        longest: the symbols of the longest stretch, two at least.
        places: rows of the table.
        output_size: the numbers that the network gives.
    """

    def __init__(self, reads: str, longest: int, places: int, output_size: int) -> None:
        super().__init__()
        self.reads = reads
        self.longest = longest
        self.hashes: Tensor
        self.counts: Tensor
        self.weight: Tensor
        self.bias: Tensor
        self.share: Tensor
        self.register_buffer("hashes", torch.full((places,), -1))
        self.register_buffer("counts", torch.zeros(places))
        self.register_buffer("weight", torch.zeros(places, output_size))
        self.register_buffer("bias", torch.zeros(output_size))
        self.register_buffer("share", torch.tensor(HALF))

    @property
    def places(self) -> int:
        """The rows of the table."""
        return len(self.hashes)

    def start(self, hashes: Tensor, rows: Tensor, counts: Tensor, weight: Tensor, bias: Tensor) -> None:
        """Fill the table.

        Args:
            hashes: ``(stretch,)``, those of the stretches that are known.
            rows: ``(stretch,)``, the place of each, one of its two.
            counts: ``(stretch,)``, how much each counts, 1 at least.
            weight: ``(stretch, output_size)``.
            bias: ``(output_size,)``.
        """
        self.hashes[rows] = hashes
        self.counts[rows] = counts.to(self.counts)
        self.weight[rows] = weight.to(self.weight)
        self.bias.copy_(bias)

    def mixed(self, outputs: Tensor, said: Tensor) -> Tensor:
        """The average of a network's outputs and of what is said here, by the share that this has."""
        return mixed(self.share, outputs, said)

    def initial_state(self, batch_size: int) -> State:
        """The last ``longest - 1`` symbols, and what has been added up: nothing yet."""
        before = self.hashes.new_full((self.longest - 1, batch_size), PADDING)
        return before, self.weight.new_zeros(self.weight.shape[1] + 1, batch_size)

    def forward(
        self, inputs: Mapping[str, Tensor], lengths: Tensor, state: State | None = None
    ) -> tuple[Tensor, State]:
        """What is said of sequences up to their ends, ``(batch, output_size)``, and the state there."""
        tokens = inputs[self.reads]
        batch, time = tokens.shape
        begin = self.initial_state(batch) if state is None else state
        before, sums = cast("tuple[Tensor, Tensor]", begin)
        real = real_steps(time, lengths)
        joined = torch.cat([before.mT, torch.where(real, tokens, PADDING)], 1)
        hashed, whole = stretches(joined, self.longest)
        sums = sums + self._sums(
            hashed[:, self.longest - 1 :], whole[:, self.longest - 1 :] & real.unsqueeze(2)
        )
        at = lengths.unsqueeze(1) + torch.arange(self.longest - 1, device=tokens.device)
        last = joined.gather(1, at)
        # The end, which is one only if nothing follows: it is not carried on.
        hashed, whole = stretches(functional.pad(last, (0, 1), value=PADDING), self.longest)
        total = (sums + self._sums(hashed[:, -1:, 1:], whole[:, -1:, 1:])).mT
        said = total[:, :-1] / total[:, -1:].sqrt().clamp(min=1) + self.bias
        return said, (last.mT, sums)

    def _sums(self, hashed: Tensor, whole: Tensor) -> Tensor:
        """What stretches say together, and their squared counts added up, ``(outputs + 1, batch)``.

        Args:
            hashed: ``(batch, time, stretch)``.
            whole: whether there is such a stretch.
        """
        first, second = two_places(hashed, self.places)
        rows = torch.where(self.hashes[first] == hashed, first, second)
        counts = torch.where(whole & (self.hashes[rows] == hashed), self.counts[rows], 0)
        said = sum((counts[..., at, None] * self.weight[rows[..., at]]).sum(1) for at in range(rows.shape[2]))
        return torch.cat([said, counts.square().sum((1, 2)).unsqueeze(1)], 1).mT  # type: ignore[list-item]


def mixed(share: Tensor | float, outputs: Tensor, said: Tensor) -> Tensor:
    """The average of a network's outputs and of what a direct connection says, which has such a share."""
    return (1 - share) * outputs + share * said


def two_places(hashed: Tensor, places: int) -> tuple[Tensor, Tensor]:
    """The rows of a table of so many in which stretches may be.

    Example:
        >>> first, second = two_places(torch.tensor([3, 2**30 + 3]), 8)
        >>> first.tolist(), second.tolist()
        ([3, 3], [5, 0])
    """
    return hashed % places, hashed * _FACTOR % _MODULUS % places


class DirectStream:
    """The stream of a network with a direct connection beside it.

    Args:
        network: the stream of the network alone.
        direct: the connection.
        state: of the connection.
    """

    def __init__(self, network: StepStream, direct: DirectConnection, state: State) -> None:
        self._network, self._direct, self._state = network, direct, state

    @property
    def state(self) -> State:
        """That of the network, and that of the connection; set them to go on from elsewhere."""
        return self._network.state, self._state

    @state.setter
    def state(self, state: State) -> None:
        self._network.state, self._state = state

    @torch.no_grad()
    def step(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The outputs of the next step; see `StepStream`."""
        symbols = inputs[self._direct.reads].unsqueeze(1)
        one = torch.ones(len(symbols), dtype=torch.int64, device=symbols.device)
        said, self._state = self._direct({self._direct.reads: symbols}, one, self._state)
        return self._direct.mixed(self._network.step(inputs), said)
