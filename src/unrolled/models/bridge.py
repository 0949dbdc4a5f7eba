"""From what is known of an input to the state that a decoder starts from."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unrolled.layers.stack import RecurrentLayer
from unrolled.layers.state import State, map_state


def flat_state(state: State) -> Tensor:
    """A layer's state as one vector a row, ``(batch, size)``: all layers, directions, h and c side by side.

    Example:
        >>> flat_state((torch.zeros(2, 5, 3), torch.ones(2, 5, 3))).shape
        torch.Size([5, 12])
    """
    if isinstance(state, tuple):
        return torch.cat([flat_state(part) for part in state], dim=-1)
    return state.transpose(0, 1).flatten(1)


class Bridge(nn.Module):
    """The initial state of recurrent layers from a vector: ``tanh(W v + b)`` (Cho et al. 2014).

    Whatever the vector comes from (an encoder of another cell, depth and width, an image, a class), the
    layers get a state that fits.

    Args:
        size: features of the vector.
        layer: the recurrent layers that start from the state.

    Example:
        >>> from unrolled.layers import LSTM
        >>> h, c = Bridge(7, LSTM(3, (8, 4), num_layers=2))(torch.randn(5, 7))
        >>> [part.shape for part in h]
        [torch.Size([1, 5, 8]), torch.Size([1, 5, 4])]
    """

    def __init__(self, size: int, layer: RecurrentLayer) -> None:
        super().__init__()
        # Only its nesting and its shapes are used.
        self._template = map_state(torch.Tensor.detach, layer.initial_state(1))
        self.projection = nn.Linear(size, flat_state(self._template).shape[1])

    def forward(self, vector: Tensor) -> State:
        """From ``(batch, size)`` to a state for ``batch`` rows."""
        rest = torch.tanh(self.projection(vector))

        def cut(like: Tensor) -> Tensor:
            nonlocal rest
            size = like.shape[0] * like.shape[2]
            part, rest = rest[:, :size], rest[:, size:]
            return part.reshape(-1, like.shape[0], like.shape[2]).transpose(0, 1).contiguous()

        return map_state(cut, self._template)
