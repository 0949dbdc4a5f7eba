"""Layers of `torch.nn` measured through ours: the same weights, the same results, every step in the open."""

from __future__ import annotations

from typing import Any

from torch import nn

from unrolled.layers import GRU, LSTM, RNN
from unrolled.layers.stack import RecurrentLayer


def adopt(theirs: nn.RNNBase) -> RecurrentLayer:
    """Our layer on the very parameters of a `torch.nn.RNN`, `GRU` or `LSTM`, so that gradients reach them.

    Example:
        >>> theirs = nn.GRU(3, 4)
        >>> adopt(theirs).weight_hh_l0 is theirs.weight_hh_l0
        True
    """
    options: dict[str, Any] = {
        "num_layers": theirs.num_layers,
        "bias": theirs.bias,
        "batch_first": theirs.batch_first,
        "dropout": theirs.dropout,
        "bidirectional": theirs.bidirectional,
        # Neither memory nor random numbers for weights that are replaced at once.
        "device": "meta",
        "dtype": theirs.weight_hh_l0.dtype,
    }
    ours: RecurrentLayer
    if isinstance(theirs, nn.LSTM):
        ours = LSTM(theirs.input_size, theirs.hidden_size, proj_size=theirs.proj_size, **options)
    elif isinstance(theirs, nn.GRU):
        ours = GRU(theirs.input_size, theirs.hidden_size, **options)
    else:
        nonlinearity: Any = theirs.nonlinearity
        ours = RNN(theirs.input_size, theirs.hidden_size, nonlinearity=nonlinearity, **options)
    for name, _ in list(ours.named_parameters()):
        setattr(ours, name, getattr(theirs, name))
    return ours
