"""Layer normalisation inside a recurrence (Ba, Kiros & Hinton 2016).

    LN(a; gain) = gain * (a - mean(a)) / sqrt(var(a) + eps)

over the last dimension. A shift is not part of it: where one is wanted the caller adds it.
"""

import torch
from torch import Tensor

EPSILON = 1e-5


def layer_norm(values: Tensor, gain: Tensor) -> Tensor:
    """Normalise over the last dimension and scale by ``gain``."""
    return torch.nn.functional.layer_norm(values, gain.shape, gain, None, EPSILON)
