"""Which engine computes a recurrent layer as it stands, and why."""

from typing import NamedTuple

import torch

from unrolled.layers.engines import ENGINES, cudnn, programs, reference
from unrolled.layers.engines.engine import Pass
from unrolled.layers.sequences import arrange
from unrolled.layers.stack import RecurrentLayer


class Implementation(NamedTuple):
    """What runs, and the reason in a clause."""

    runs: str
    why: str


def implementation(layer: RecurrentLayer) -> Implementation:
    """Ask the engines for a training step, as the layer itself does.

    Example:
        >>> from unrolled.layers import LSTM
        >>> implementation(LSTM(3, 4, proj_size=2)).why
        'the compiled library has no projection'
    """
    values = layer._weight("weight_ih", "_l0").new_zeros(1, 1, layer.input_size)
    given = Pass(layer, arrange(values, None, False, layer.input_size), None)
    with torch.enable_grad():
        answers = [engine.offer(given) for engine in ENGINES]
    engine = next(each for each, answer in zip(ENGINES, answers, strict=True) if not isinstance(answer, str))
    why = engine.why()
    if engine is reference.ENGINE:
        # Why not what is made for the device, or for any cell.
        why = str(answers[ENGINES.index(cudnn.ENGINE if cudnn.on_gpu(layer) else programs.ENGINE)])
    return Implementation(engine.name(), why)
