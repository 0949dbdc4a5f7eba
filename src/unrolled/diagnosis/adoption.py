"""Layers of `torch.nn` measured through ours: the same weights, the same results, every step in the open."""

from __future__ import annotations

from typing import Any

from torch import nn

from unrolled.layers import GRU, LSTM, RNN
from unrolled.layers.stack import RecurrentLayer


class StandIn:
    """Our layer for one of `torch.nn`, on the very weights that it runs with, so that gradients reach them.

    These need not be its parameters: a parametrisation, a norm or a mask computes them anew for every call.

    Example:
        >>> theirs = nn.GRU(3, 4)
        >>> StandIn(theirs).now().weight_hh_l0 is theirs.weight_hh_l0
        True
    """

    def __init__(self, theirs: nn.RNNBase) -> None:
        self._theirs = theirs
        self._ours: RecurrentLayer | None = None

    def now(self) -> RecurrentLayer:
        """The layer, with the weights and in the mode of this moment."""
        theirs = self._theirs
        theirs._update_flat_weights()  # as torch's own forward does before it takes them
        if self._ours is None:
            self._ours = _alike(theirs)
        ours = self._ours
        for name, weight in zip(theirs._flat_weights_names, theirs._flat_weights, strict=True):
            ours._parameters[name] = weight  # past the check that it is a parameter
        ours.training, ours.dropout = theirs.training, theirs.dropout
        return ours


def _alike(theirs: nn.RNNBase) -> RecurrentLayer:
    """A layer of ours with the same options; its weights are to come."""
    options: dict[str, Any] = {
        "num_layers": theirs.num_layers,
        "bias": theirs.bias,
        "batch_first": theirs.batch_first,
        "bidirectional": theirs.bidirectional,
        "device": "meta",
        "dtype": next(theirs.parameters()).dtype,
    }
    if isinstance(theirs, nn.LSTM):
        return LSTM(theirs.input_size, theirs.hidden_size, proj_size=theirs.proj_size, **options)
    if isinstance(theirs, nn.GRU):
        return GRU(theirs.input_size, theirs.hidden_size, **options)
    nonlinearity: Any = theirs.nonlinearity
    return RNN(theirs.input_size, theirs.hidden_size, nonlinearity=nonlinearity, **options)
