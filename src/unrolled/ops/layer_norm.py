"""Layer normalisation inside a recurrence (Ba, Kiros & Hinton 2016), forward and backward.

    LN(a; gain) = gain * (a - mean(a)) / sqrt(var(a) + eps)

over the last dimension. A shift is not part of it: where one is wanted the caller adds it.
"""

import torch
from torch import Tensor

EPSILON = 1e-5


def layer_norm(values: Tensor, gain: Tensor) -> Tensor:
    """Normalise over the last dimension and scale by ``gain``."""
    return torch.nn.functional.layer_norm(values, gain.shape, gain, None, EPSILON)


def standardise(values: Tensor) -> tuple[Tensor, Tensor]:
    """The standardised values and the reciprocal standard deviation, which the backward needs."""
    variance, mean = torch.var_mean(values, -1, correction=0, keepdim=True)
    scale = torch.rsqrt(variance + EPSILON)
    return (values - mean) * scale, scale


def layer_norm_backward(grad: Tensor, gain: Tensor, standard: Tensor, scale: Tensor) -> Tensor:
    """The gradient with respect to the values that were normalised.

    Args:
        grad: with respect to the result.
        gain: as given to `layer_norm`.
        standard: standardised values, from `standardise`.
        scale: reciprocal standard deviation, from `standardise`.
    """
    grad = grad * gain
    along = (grad * standard).mean(-1, keepdim=True)
    return scale * (grad - grad.mean(-1, keepdim=True) - standard * along)
