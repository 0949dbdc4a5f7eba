"""Pictures as what a network reads: the rows of an image as steps, a vector for every frame, regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.models.inputs import InputLayer

_GRID = 4
"""Rows and columns of the grid that a picture's vector is made of: enough to tell where something is."""

_SMALLEST = 8
_WIDTHS = (32, 64, 128)


class Scaled(nn.Module):
    """Bytes `(..., channel)` as numbers of mean 0 and deviation 1 over the training data.

    Args:
        mean: of each channel's bytes.
        scale: their standard deviation.
    """

    def __init__(self, mean: Sequence[float], scale: Sequence[float]) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("scale", torch.tensor(scale))

    def forward(self, pixels: Tensor) -> Tensor:
        """The scaled numbers, of the same shape."""
        return (pixels - self.mean) / self.scale


class RowInput(InputLayer):
    """An image row by row: ``pixels`` ``(batch, height, width, channel)``, each row a step.

    Args:
        width: of the image.
        scaled: brings the bytes to a common scale.
        dropout: share of the numbers dropped in training.
    """

    def __init__(self, width: int, scaled: Scaled, dropout: float = 0.0) -> None:
        super().__init__()
        self.size = width * len(scaled.mean)
        self.scaled = scaled
        self.dropout = dropout

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Read ``pixels``; see `InputLayer`."""
        rows = self.scaled(inputs["pixels"]).flatten(2)
        return functional.dropout(rows, self.dropout, self.training)


class PictureEncoder(nn.Module):
    """A small convolutional network: regions of a picture, and one vector for the whole.

    Convolutions of 3 × 3 halve the picture until its longer side has 8 pixels at most, twice at least; each
    is followed by group normalisation (Wu and He 2018), which does not depend on the rest of the batch, and
    a rectifier. The vector is a linear map of the regions averaged over a grid of 4 × 4.

    Args:
        height: of the pictures.
        width: of the pictures.
        scaled: brings the bytes to a common scale.
        size: of the vector.

    Attributes:
        region_size: the size of a region's vector.

    Example:
        >>> encoder = PictureEncoder(28, 28, Scaled([127.0], [50.0]), size=10)
        >>> regions, vector = encoder(torch.zeros(2, 28, 28, 1, dtype=torch.uint8))
        >>> regions.shape, vector.shape
        (torch.Size([2, 49, 64]), torch.Size([2, 10]))
    """

    def __init__(self, height: int, width: int, scaled: Scaled, size: int) -> None:
        super().__init__()
        self.scaled = scaled
        halvings = 2
        while -(-max(height, width) // 2**halvings) > _SMALLEST:
            halvings += 1
        widths = [len(scaled.mean), *(_WIDTHS[min(step, len(_WIDTHS) - 1)] for step in range(halvings))]
        self.region_size = widths[-1]
        self.convolutions = nn.Sequential(
            *(_convolution(before, after, stride=2) for before, after in pairwise(widths)),
            _convolution(widths[-1], widths[-1], stride=1),
        )
        self.size = size
        self.output = nn.Linear(_GRID * _GRID * self.region_size, size)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """From bytes ``(batch, height, width, channel)``.

        Returns:
            The regions ``(batch, region, region_size)`` row by row, and the vectors ``(batch, size)``.
        """
        maps = self.convolutions(self.scaled(pixels).movedim(3, 1))
        grid = functional.adaptive_avg_pool2d(maps, _GRID)
        return maps.flatten(2).transpose(1, 2), self.output(grid.flatten(1))


def _convolution(before: int, after: int, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size=3, stride=stride, padding=1, bias=False),
        nn.GroupNorm(8, after),
        nn.ReLU(),
    )


class FrameInput(InputLayer):
    """A clip frame by frame: ``pixels`` ``(batch, time, height, width, channel)``, each frame a step.

    Args:
        encoder: makes a frame's vector.
        dropout: share of a vector's entries dropped in training.
    """

    def __init__(self, encoder: PictureEncoder, dropout: float = 0.0) -> None:
        super().__init__()
        self.size = encoder.size
        self.encoder = encoder
        self.dropout = dropout

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Read ``pixels``; see `InputLayer`."""
        frames = inputs["pixels"]
        _, vectors = self.encoder(frames.flatten(0, 1))
        vectors = functional.relu(vectors).view(*frames.shape[:2], self.size)
        return functional.dropout(vectors, self.dropout, self.training)
