"""Spectrograms as the input of recurrent layers, and what is done to them in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from unrolled.models.inputs import InputLayer


class SpectrogramInput(InputLayer):
    """``values`` ``(batch, time, size)``, scaled to mean 0; in training changed a little, anew for every row.

    The pace is that of a faster speaker (a slower one would lose the end), the warp along the frequencies
    that of a shorter or longer vocal tract, which multiplies all of them (Jaitly and Hinton 2013). The masks
    are those of SpecAugment (Park et al. 2019): stretches of steps, and bands of frequencies, hold their
    mean, 0. What a shift or a pace leaves empty holds 0 too.

    Args:
        centres: the frequency in the middle of each band, rising.
        shift: by how many steps, at most, a sequence is moved back or forth.
        masks: of each kind; 0 masks nothing.
        time_share: the share of a sequence's steps that a mask covers at most.
        band_share: the share of the bands that a mask covers at most.
        pace: by which share a sequence is made faster at most.
        warp: by which share its frequencies are raised or lowered at most.
    """

    def __init__(
        self,
        centres: Sequence[float],
        shift: int = 0,
        masks: int = 0,
        time_share: float = 0.0,
        band_share: float = 0.0,
        pace: float = 0.0,
        warp: float = 0.0,
    ) -> None:
        super().__init__()
        self.size = len(centres)
        self.centres: Tensor
        self.register_buffer("centres", torch.tensor(centres, dtype=torch.float32), persistent=False)
        self.shift = shift
        self.masks = masks
        self.time_share = time_share
        self.band_share = band_share
        self.pace = pace
        self.warp = warp

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Read ``values``; see `InputLayer`."""
        values = inputs["values"]
        if not self.training:
            return values
        # Padding holds zeros, and no step of a recording does in every band.
        lengths = (values != 0).any(2).sum(1)
        if self.pace:
            values = paced(values, lengths, 1 + self.pace * _draws(values))
        if self.warp:
            values = warped(values, self.centres, 1 + self.warp * (2 * _draws(values) - 1))
        if self.shift:
            values = shifted(values, self.shift)
        for _ in range(self.masks):
            steps = stretch(values.shape[1], lengths, self.time_share)
            bands = stretch(self.size, torch.full_like(lengths, self.size), self.band_share)
            values = values.masked_fill(steps.unsqueeze(2) | bands.unsqueeze(1), 0)
        return values


def _draws(values: Tensor) -> Tensor:
    """A number between 0 and 1 for every row, ``(batch,)``."""
    return torch.rand(len(values), device=values.device)


def paced(values: Tensor, lengths: Tensor, factors: Tensor) -> Tensor:
    """Every row gone through faster; beyond its end it holds 0.

    Args:
        values: ``(batch, time, size)``.
        lengths: ``(batch,)``.
        factors: ``(batch,)``, how many steps each goes on at a step; below 1 its end would be lost.

    Example:
        >>> values = torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 4, 1)
        >>> paced(values, torch.tensor([4]), torch.tensor([2.0])).flatten().tolist()
        [1.0, 3.0, 0.0, 0.0]
    """
    places = torch.arange(values.shape[1], device=values.device) * factors.unsqueeze(1)
    last = (lengths - 1).clamp(min=0).unsqueeze(1)
    found = _between(values, torch.minimum(places, last))
    return found * (places <= last).unsqueeze(2)


def warped(values: Tensor, centres: Tensor, factors: Tensor) -> Tensor:
    """Every row's frequencies divided by a factor; what lies beyond the outermost bands is as in these.

    Args:
        values: ``(batch, time, size)``.
        centres: ``(size,)``, the frequency in the middle of each band, rising.
        factors: ``(batch,)``, by how much what each band is to hold lies higher.

    Example:
        >>> values, centres = torch.tensor([[[0.0, 1.0, 2.0]]]), torch.tensor([100.0, 200.0, 400.0])
        >>> warped(values, centres, torch.tensor([1.5])).flatten().tolist()
        [0.5, 1.5, 2.0]
    """
    wanted = (centres * factors.unsqueeze(1)).clamp(centres[0], centres[-1])
    above = torch.searchsorted(centres, wanted).clamp(1, len(centres) - 1)
    low, high = centres[above - 1], centres[above]
    places = above - 1 + (wanted - low) / (high - low)
    return _between(values.transpose(1, 2), places).transpose(1, 2)


def _between(values: Tensor, places: Tensor) -> Tensor:
    """Rows ``(batch, step, size)`` at places ``(batch, place)`` between their steps."""
    rows = torch.arange(len(values), device=values.device).unsqueeze(1)
    below = places.floor().long().clamp(0, values.shape[1] - 1)
    above = (below + 1).clamp(max=values.shape[1] - 1)
    return torch.lerp(values[rows, below], values[rows, above], (places - below).unsqueeze(2))


def shifted(values: Tensor, most: int) -> Tensor:
    """Every row moved by up to ``most`` steps either way; steps moved in hold 0, those moved out are lost.

    Args:
        values: ``(batch, time, size)``.
        most: the longest move.
    """
    batch, time = values.shape[:2]
    moves = torch.randint(-most, most + 1, (batch, 1), device=values.device)
    origin = torch.arange(time, device=values.device) - moves
    inside = (origin >= 0) & (origin < time)
    rows = torch.arange(batch, device=values.device).unsqueeze(1)
    return values[rows, origin.clamp(0, max(time - 1, 0))] * inside.unsqueeze(2)


def stretch(size: int, lengths: Tensor, share: float) -> Tensor:
    """A random stretch in every row, of up to a share of its length: True inside, ``(batch, size)``.

    Args:
        size: the entries of a row.
        lengths: ``(batch,)``, how many of them the stretch may lie among.
        share: the longest stretch, as a share of the length.

    Example:
        >>> stretch(4, torch.tensor([4, 2]), 0.0).any().item()
        False
    """
    lengths = lengths.unsqueeze(1)
    width = (torch.rand(lengths.shape, device=lengths.device) * (lengths * share + 1)).floor()
    start = (torch.rand(lengths.shape, device=lengths.device) * (lengths - width + 1)).floor()
    places = torch.arange(size, device=lengths.device)
    return (places >= start) & (places < start + width)
