"""Convolutions over time, for recurrent layers to read what they make of some steps at once."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.models.inputs import InputLayer

_WIDTHS = (8, 5, 3)
"""Steps that each convolution looks at, one after the other."""


class ConvolutionInput(InputLayer):
    """What an input layer gives, and beside it what convolutions make of it.

    Three convolutions over 8, 5 and 3 steps, each followed by batch normalisation and a rectifier (Wang, Yan
    and Oates 2017), see the steps so far and no later one, so that nothing beyond a sequence's end is read.

    Args:
        values: the input layer.
        filters: of each convolution.

    Example:
        >>> from unrolled.models.inputs import ValueInput
        >>> layer = ConvolutionInput(ValueInput(2), filters=4)
        >>> layer({"values": torch.zeros(3, 5, 2)}).shape
        torch.Size([3, 5, 6])
    """

    by_step = False

    def __init__(self, values: InputLayer, filters: int) -> None:
        super().__init__()
        self.values = values
        self.size = values.size + filters
        sizes = [values.size, *[filters] * len(_WIDTHS)]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(before, after, width, bias=False)
            for before, after, width in zip(sizes, sizes[1:], _WIDTHS, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(filters) for _ in _WIDTHS)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Read what the input layer reads; see `InputLayer`."""
        read = self.values(inputs)
        maps = read.transpose(1, 2)
        for width, convolution, norm in zip(_WIDTHS, self.convolutions, self.norms, strict=True):
            maps = rectified(convolution(functional.pad(maps, (width - 1, 0))), norm)
        return torch.cat([read, maps.transpose(1, 2)], 2)


def rectified(maps: Tensor, norm: nn.Module) -> Tensor:
    """Maps ``(batch, map, ...)`` normalised, and nothing left of them below 0."""
    assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
    # Of a single number there is no spread: it is normalised as in evaluation.
    if norm.training and maps.numel() == maps.shape[1]:
        maps = functional.batch_norm(
            maps, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0.0, norm.eps
        )
    else:
        maps = norm(maps)
    return functional.relu(maps)
