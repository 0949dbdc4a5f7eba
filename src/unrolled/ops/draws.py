"""Numbers that are one with some probability and zero else, many at once.

torch's generator gives one number after another, on one thread, which for a mask of every step and unit takes
a tenth of the recurrence that it is for. So it gives the seed of a generator whose n-th number needs none of
those before it: SplitMix64 (Steele, Lea & Flood 2014).
"""

import math

import torch
from torch import Tensor

from unrolled.ops.direct import unobserved
from unrolled.ops.native import in_use
from unrolled.ops.native.draws import draw as draw_on_library


def draw(shape: tuple[int, ...], share: float, like: Tensor) -> Tensor:
    """Draw from torch's global generator.

    Args:
        shape: of the result.
        share: probability of a one, to the nearest 65536th.
        like: a tensor of the result's type and device.

    Example:
        >>> draw((2, 3), 1.0, torch.empty(()))
        tensor([[1., 1., 1.],
                [1., 1., 1.]])
    """
    seed = torch.empty((), dtype=torch.int64).random_(-(2**63), None)
    limit = round(share * 2**16) - 2**15 - 1  # of the numbers of 16 bits so many are no greater
    if unobserved(like, ()) and in_use():
        drawn = draw_on_library(shape, int(seed), limit, like)
        if drawn is not None:
            return drawn
    return draw_reference(shape, seed, limit, like)


def draw_reference(shape: tuple[int, ...], seed: Tensor, limit: int, like: Tensor) -> Tensor:
    """Ones where whole numbers of 16 bits are at most ``limit``, four from a number of 64, the lowest first.

    Args:
        shape: of the result.
        seed: int64.
        limit: from -32769, for none, to 32767, for all.
        like: a tensor of the result's type and device.
    """
    count = math.prod(shape)
    places = torch.arange(1, (count + 3) // 4 + 1, device=like.device)
    mixed = seed.to(like.device) + places * _signed(0x9E3779B97F4A7C15)
    mixed = (mixed ^ _shifted(mixed, 30)) * _signed(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ _shifted(mixed, 27)) * _signed(0x94D049BB133111EB)
    numbers = (mixed ^ _shifted(mixed, 31)).view(torch.int16)[:count].view(shape)
    return (numbers.int() <= limit).to(like.dtype)


def _signed(number: int) -> int:
    return number - 2**64


def _shifted(numbers: Tensor, by: int) -> Tensor:
    """To the right, as if they had no sign."""
    return (numbers >> by) & (2 ** (64 - by) - 1)
