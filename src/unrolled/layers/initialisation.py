"""How a recurrent layer's weights start out, gate by gate.

Every function fills a parameter in place. ``blocks`` is the number of gates whose matrices or vectors lie
one below the other in the parameter; each is filled by itself.
"""

import math

import torch
from torch import Tensor, nn

RECURRENT_INITS = ("uniform", "orthogonal", "identity", "xavier")


def fill_uniform(parameter: Tensor, hidden_size: int) -> None:
    """The start of `torch.nn`: uniform in ``±1/sqrt(hidden_size)``."""
    bound = 1 / math.sqrt(hidden_size)
    nn.init.uniform_(parameter, -bound, bound)


def fill_recurrent(weight: Tensor, kind: str, blocks: int) -> None:
    """Fill a recurrent matrix.

    Args:
        weight: ``(blocks * hidden, state)``.
        kind: "uniform" leaves torch's start; "orthogonal" (Saxe, McClelland & Ganguli 2014) keeps the
            length of what passes through; "identity" (Le, Jaitly & Hinton 2015, the IRNN) copies it;
            "xavier" (Glorot & Bengio 2010) draws uniformly with the variance between fan-in and fan-out.
        blocks: the gates stacked in the matrix.
    """
    fill = {
        "uniform": lambda block: block,
        "orthogonal": nn.init.orthogonal_,
        "identity": nn.init.eye_,
        "xavier": nn.init.xavier_uniform_,
    }[kind]
    with torch.no_grad():
        for block in weight.chunk(blocks):
            fill(block)


def fill_gate_bias(bias: Tensor, gate: int, blocks: int, value: float | Tensor) -> None:
    """Give one gate the bias ``value``.

    A forget gate's bias of 1 (Gers, Schmidhuber & Cummins 2000; Jozefowicz, Zaremba & Sutskever 2015) lets
    the cell remember from the first update on.
    """
    with torch.no_grad():
        bias.chunk(blocks)[gate].copy_(torch.as_tensor(value))


def chrono_bias(longest: float, hidden_size: int) -> Tensor:
    """Biases whose gates forget after 1 to ``longest`` steps, one horizon drawn for each unit.

    ``log(u)`` with ``u`` uniform in ``[1, longest - 1]``: Tallec & Ollivier (2018), "Can recurrent neural
    networks warp time?". It is the bias of the gate that keeps; the gate that writes takes its negative.
    """
    return torch.empty(hidden_size).uniform_(1, longest - 1).log()
