"""Where a step lies in its sequence, told to the network."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi

import torch
from torch import Tensor

from unrolled.models.inputs import InputLayer


class PositionInput(InputLayer):
    """Another input layer's vectors, and beside them sines and cosines of each step's position.

    The waves are those of Vaswani et al. 2017, section 3.5, with periods of 4, 8, 16, ... steps up to twice
    the length. Where sequences are aligned, what matters at one place is told from the same thing at another.

    Args:
        inner: makes the vectors.
        length: the steps of the sequences; longer ones are read too.
    """

    waves: Tensor

    def __init__(self, inner: InputLayer, length: int) -> None:
        super().__init__()
        periods = [4.0]
        while periods[-1] < 2 * length:
            periods.append(2 * periods[-1])
        self.register_buffer("waves", 2 * pi / torch.tensor(periods), persistent=False)
        self.inner = inner
        self.size = inner.size + 2 * len(periods)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Read what ``inner`` reads; see `InputLayer`."""
        vectors = self.inner(inputs)
        batch, time = vectors.shape[:2]
        steps = torch.arange(time, device=vectors.device).unsqueeze(1) * self.waves.to(vectors.dtype)
        places = torch.cat([steps.sin(), steps.cos()], dim=1)
        return torch.cat([vectors, places.expand(batch, -1, -1)], dim=2)
