"""Convolutions over time and frequency, for recurrent layers to read what they make of a spectrogram."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from unrolled.models.convolution import rectified
from unrolled.models.inputs import InputLayer

_STEPS, _BANDS = 3, 5
"""What each convolution looks at."""
_POOLED = 2
"""Neighbouring bands of which the largest goes on."""
_LAYERS = 2


class BandConvolutionInput(InputLayer):
    """What convolutions make of a spectrogram, some numbers a step.

    Two convolutions over 3 steps and 5 bands, each followed by batch normalisation, a rectifier and the
    larger of every two neighbouring bands: so what lies a band higher in another voice is much the same
    (Abdel-Hamid et al. 2014). All that is left of a step becomes ``size`` numbers, normalised and rectified
    too. The steps so far are seen and no later one, so that nothing beyond a sequence's end is read.

    Args:
        values: the input layer, which gives the bands; four of them at least.
        filters: of each convolution.
        size: the numbers that a step becomes.

    Example:
        >>> import torch
        >>> from unrolled.models.inputs import ValueInput
        >>> layer = BandConvolutionInput(ValueInput(8), filters=2, size=6)
        >>> layer({"values": torch.zeros(3, 5, 8)}).shape
        torch.Size([3, 5, 6])
    """

    by_step = False

    def __init__(self, values: InputLayer, filters: int, size: int = 64) -> None:
        super().__init__()
        self.values = values
        self.size = size
        counts = [1, *[filters] * _LAYERS]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, (_STEPS, _BANDS), bias=False) for before, after in pairwise(counts)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(filters) for _ in self.convolutions)
        left = values.size // _POOLED**_LAYERS
        self.joining = nn.Conv1d(filters * left, size, 1, bias=False)
        self.joined_norm = nn.BatchNorm1d(size)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Read what the input layer reads; see `InputLayer`."""
        maps = self.values(inputs).unsqueeze(1)
        around = _BANDS // 2
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            padded = functional.pad(maps, (around, around, _STEPS - 1, 0))
            maps = functional.max_pool2d(rectified(convolution(padded), norm), (1, _POOLED))
        # From (batch, filter, time, band) to all of a step, (batch, filter and band, time).
        steps = maps.transpose(2, 3).flatten(1, 2)
        return rectified(self.joining(steps), self.joined_norm).transpose(1, 2)
