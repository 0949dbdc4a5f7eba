"""What decided an output: the gradient of a loss with respect to every input that was read.

Legend: ``T`` steps, ``B`` rows, ``I`` features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from unrolled.diagnosis.interception import RECURRENT, Audience, attend
from unrolled.diagnosis.result import Result
from unrolled.errors import ConfigError
from unrolled.layers import State
from unrolled.layers.stack import RecurrentLayer


@dataclass(frozen=True, slots=True)
class InputGradient(Result):
    """What one sequence's inputs do to a loss, as one recurrent module reads them.

    All tuples run over the steps of the sequence.

    Attributes:
        layer: the name of what reads them in the module; empty for the module itself.
        norm: of dL/dx_k: how much a small change of the input at step k would change the loss.
        product: of x_k with dL/dx_k: to first order by how much the loss would fall if x_k were 0.
    """

    layer: str
    norm: tuple[float, ...]
    product: tuple[float, ...]

    @property
    def share(self) -> tuple[float, ...]:
        """Each step's share of the sum of the norms; zeros where nothing matters.

        Example:
            >>> InputGradient("", (3.0, 1.0), (0.0, 0.0)).share
            (0.75, 0.25)
        """
        total = sum(self.norm)
        return tuple(each / total if total else 0.0 for each in self.norm)


def input_gradients(
    module: nn.Module, loss: Callable[[], Tensor], *, row: int = 0
) -> tuple[InputGradient, ...]:
    """Take the gradient of a loss with respect to what every recurrent layer and cell reads.

    The parameters' gradients are neither computed nor changed. What is read several times over, past a layer
    too, counts as this one reads it.

    Args:
        module: holds recurrent layers or cells, in the mode in which it shall be measured.
        loss: runs it, and returns a scalar: a loss, or the output that is to be explained.
        row: of the batch.

    Returns:
        One for each layer or cell that ran, in the order in which they did: the first reads the input.

    Example:
        >>> layer, inputs = nn.RNN(2, 3), torch.randn(5, 1, 2)
        >>> (found,) = input_gradients(layer, lambda: layer(inputs)[0][1].sum())
        >>> [norm > 0 for norm in found.norm]
        [True, True, False, False, False]

    Raises:
        ConfigError: no recurrent layer or cell ran.
    """
    read: list[_Reading] = []
    leave = [
        attend(each, _Reader(path, read))
        for path, each in module.named_modules()
        if isinstance(each, RECURRENT)
    ]
    try:
        with torch.enable_grad():
            total = loss()
    finally:
        for each in leave:
            each()
    if not read:
        raise ConfigError(
            "expected a loss that runs a recurrent layer or cell (of unrolled or torch.nn), got another one."
        )
    values = [each.values for each in read]
    gradients = torch.autograd.grad(total, values, allow_unused=True, materialize_grads=True)
    steps: dict[str, list[Tensor]] = {}
    for each, gradient in zip(read, gradients, strict=True):
        steps.setdefault(each.path, []).append(each.along(row, gradient))
    return tuple(_result(path, torch.cat(each)) for path, each in steps.items())


class _Reading(Audience):
    """Keeps what one call reads."""

    def __init__(self, path: str, batch_first: bool, of_cell: bool) -> None:
        self.path = path
        self._batch_first, self._of_cell = batch_first, of_cell
        self._packed: PackedSequence | None = None
        self.values = torch.empty(0)

    def reading(self, input: Any) -> Any:
        """Takes what the call reads, and gives the same as a node of the graph."""
        if isinstance(input, PackedSequence):
            self._packed, self.values = input, _with_gradient(input.data)
            return input._replace(data=self.values)
        self.values = _with_gradient(input)
        return self.values

    def along(self, row: int, gradient: Tensor) -> Tensor:
        """The gradient and the inputs along one row, ``(T, 2, I)``."""
        both = torch.stack([gradient, self.values.detach()], -2)
        if self._packed is not None:
            padded, lengths = pad_packed_sequence(self._packed._replace(data=both))
            return padded[: int(lengths[row]), row]
        if self._of_cell:
            return both[row : row + 1] if both.dim() == 3 else both.unsqueeze(0)
        if both.dim() == 3:  # a single sequence
            return both
        return both[row] if self._batch_first else both[:, row]


class _Reader:
    """Has what a module reads kept."""

    def __init__(self, path: str, read: list[_Reading]) -> None:
        self._path, self._read = path, read

    def attend(self, layer: RecurrentLayer | None, state: State | None) -> Audience:
        """Keep what a call reads."""
        reading = _Reading(self._path, layer is not None and layer.batch_first, layer is None)
        self._read.append(reading)
        return reading


def _with_gradient(values: Tensor) -> Tensor:
    return values.view_as(values) if values.requires_grad else values.detach().clone().requires_grad_()


def _result(path: str, along: Tensor) -> InputGradient:
    gradient, values = along.double().unbind(1)
    return InputGradient(
        path,
        tuple(torch.linalg.vector_norm(gradient, dim=-1).tolist()),
        tuple((gradient * values).sum(-1).tolist()),
    )
