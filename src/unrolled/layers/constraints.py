"""What a recurrent matrix may be in models of the brain: which units are joined, and with which sign.

Constraints are parametrisations of `torch.nn.utils.parametrize`: the optimiser sees free weights, the layer
what is made of them, on every way that it runs. Legend: ``H`` hidden units; entry ``[i, j]`` of a matrix is
the weight from unit j to unit i.
"""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from unrolled.errors import ConfigError, ShapeError
from unrolled.layers.stack import RecurrentLayer

Layer = TypeVar("Layer", bound=RecurrentLayer)


class Signs(nn.Module):
    """The size of every weight, with the sign of the unit that it comes from.

    Args:
        signs: ``(H,)``, 1 or -1.
    """

    def __init__(self, signs: Tensor) -> None:
        super().__init__()
        self.signs: Tensor
        self.register_buffer("signs", signs)

    def forward(self, weight: Tensor) -> Tensor:
        """The constrained weights."""
        return weight.abs() * self.signs

    def right_inverse(self, weight: Tensor) -> Tensor:
        """Free weights that come as near as can be to some weights."""
        return weight.abs()


class Connections(nn.Module):
    """The weights between units that are joined; all others are zero.

    Args:
        mask: ``(H, H)``, 1 or 0.
    """

    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        self.mask: Tensor
        self.register_buffer("mask", mask)

    def forward(self, weight: Tensor) -> Tensor:
        """The constrained weights."""
        return weight * self.mask.repeat(len(weight) // len(self.mask), 1)

    def right_inverse(self, weight: Tensor) -> Tensor:
        """The weights themselves."""
        return weight


def follow_dales_law(layer: Layer, excitatory: Tensor) -> Layer:
    """Let each unit excite, or inhibit, all that it is joined to (Dale's law; Song, Yang & Wang 2016).

    Args:
        layer: its recurrent matrices are constrained, in every layer, direction and gate.
        excitatory: ``(H,)`` bool, the units that excite.

    Returns:
        The same layer.

    Raises:
        ShapeError: there is not one bool for each unit of every layer.
        ConfigError: the cell makes a matrix of its weights, as one that is antisymmetric.

    Example:
        >>> from unrolled.layers import Recurrent
        >>> layer = follow_dales_law(Recurrent("leaky", 2, 3), torch.tensor([True, True, False]))
        >>> bool((layer.weight_hh_l0[:, :2] >= 0).all() and (layer.weight_hh_l0[:, 2] <= 0).all())
        True
    """
    return _constrain(layer, Signs, "excitatory", excitatory, 1, lambda given: 2 * given - 1)


def join_units(layer: Layer, mask: Tensor) -> Layer:
    """Let only some units be joined.

    Args:
        layer: its recurrent matrices are constrained, in every layer, direction and gate.
        mask: ``(H, H)`` bool, ``[i, j]`` for the connection from unit j to unit i.

    Returns:
        The same layer.

    Raises:
        ShapeError: there is not one bool for each pair of units of every layer.
        ConfigError: the cell makes a matrix of its weights, as one that is antisymmetric.

    Example:
        >>> from unrolled.layers import Recurrent
        >>> layer = join_units(Recurrent("leaky", 2, 3), ~torch.eye(3, dtype=torch.bool))
        >>> layer.weight_hh_l0.diagonal().abs().tolist()
        [0.0, 0.0, 0.0]
    """
    return _constrain(layer, Connections, "mask", mask, 2, lambda given: given)


def _constrain(
    layer: Layer,
    kind: Callable[[Tensor], nn.Module],
    name: str,
    given: Tensor,
    dimensions: int,
    made: Callable[[Tensor], Tensor],
) -> Layer:
    for suffix in layer._suffixes:
        weight = layer._weight("weight_hh", suffix)
        if layer.matrices(weight) is not weight:
            raise ConfigError(
                f"expected a cell whose recurrent matrices are its weights to constrain, got {layer.cell}, "
                "which makes some of them of its weights."
            )
        expected = (weight.shape[1],) * dimensions
        if given.dtype != torch.bool or given.shape != expected:
            raise ShapeError(
                f"expected {name} of shape {expected}, torch.bool, for weight_hh{suffix}, "
                f"got {tuple(given.shape)}, {given.dtype}."
            )
    for suffix in layer._suffixes:
        weight = layer._weight("weight_hh", suffix)
        constraint = kind(made(given.to(weight.device, weight.dtype)))
        parametrize.register_parametrization(layer, "weight_hh" + suffix, constraint)
    return layer
