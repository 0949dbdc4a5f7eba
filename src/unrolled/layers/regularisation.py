"""What is dropped, and for how long, while a recurrent layer trains.

Masks come from torch's global generator at the time of the forward pass, so a seed repeats them and a
checkpoint that holds the generator's state continues them.
"""

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.ops.draws import draw


def variational_mask(like: Tensor, share: float, training: bool) -> Tensor | None:
    """One dropout mask for all steps of a sequence (Gal & Ghahramani 2016), or None where nothing is dropped.

    Args:
        like: a tensor of the mask's shape.
        share: probability of a zero; what stays is scaled by ``1 / (1 - share)``.
        training: False drops nothing.
    """
    if not training or not share:
        return None
    return functional.dropout(torch.ones_like(like), share)


def dropout_between(values: Tensor, share: float, variational: bool, training: bool) -> Tensor:
    """Dropout of one layer's output ``(T, B, H)`` on its way into the next.

    Args:
        values: the output of all steps.
        share: probability of a zero.
        variational: the same units at every step of a sequence instead of new ones at each.
        training: False drops nothing.
    """
    if not variational:
        return functional.dropout(values, share, training)
    mask = variational_mask(values[0], share, training)
    return values if mask is None else values * mask


def drop_weights(weight: Tensor, share: float, training: bool) -> Tensor:
    """DropConnect (Merity, Keskar & Socher 2018): one mask on the recurrent matrix for a forward pass."""
    return functional.dropout(weight, share, training) if share else weight


def zoneout_weights(steps: int, like: Tensor, share: float, training: bool) -> Tensor | None:
    """How much of the old state each unit keeps at each step (Krueger et al. 2017), or None for no zoneout.

    In training each unit keeps its old value with probability ``share``; in evaluation every unit takes
    the expected value, ``share`` of the old and the rest of the new.

    Args:
        steps: time steps.
        like: the state, ``(B, H)``.
        share: probability of keeping, to the nearest 65536th.
        training: which of the two.

    Returns:
        ``(T, B, H)`` in training, ``(1, 1, 1)`` in evaluation.
    """
    if not share:
        return None
    if training:
        return draw((steps, *like.shape), share, like)
    return like.new_full((1, 1, 1), share)


def state_noise(steps: int, like: Tensor, deviation: float, training: bool) -> Tensor | None:
    """Gaussian noise for a state after every step, ``(T, B, H)``, or None where there is none.

    Args:
        steps: time steps.
        like: the state, ``(B, H)``.
        deviation: its standard deviation.
        training: False adds nothing.
    """
    if not training or not deviation:
        return None
    return torch.randn_like(like.detach().new_empty(steps, *like.shape)) * deviation
