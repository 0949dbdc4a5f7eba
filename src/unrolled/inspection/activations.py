"""Every activation of a network on a batch: symbol, size and count, for one time step and for the batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.data.batches import Batch
from unrolled.inspection.symbols import family, gate_letters, placed
from unrolled.layers.stack import RecurrentLayer
from unrolled.models.base import SequenceModel


@dataclass(frozen=True, slots=True)
class Activation:
    """One tensor that a forward pass computes.

    Attributes:
        name: where it comes from.
        symbol: the textbook's.
        step: its size for one time step of one sequence; for what has no time axis, for one sequence.
        batch: its size for the whole batch, padding included.
        per_step: whether it has a time axis.
    """

    name: str
    symbol: str
    step: tuple[int, ...]
    batch: tuple[int, ...]
    per_step: bool = True

    @property
    def step_count(self) -> int:
        """How many numbers one time step (or one sequence) has of it."""
        return prod(self.step)

    @property
    def batch_count(self) -> int:
        """How many numbers the batch has of it."""
        return prod(self.batch)


def activations(model: SequenceModel, batch: Batch) -> list[Activation]:
    """Run a batch through a network and list what was computed, in the order in which it was.

    Args:
        model: the network.
        batch: its input.
    """
    found = [_seen(f"input {name}", "x_t", values, batch) for name, values in batch.inputs.items()]
    with ExitStack() as hooks, torch.no_grad():
        for name, module in model.named_modules():
            watch = _watcher(name, module, batch, found)
            if watch is not None:
                hooks.callback(module.register_forward_hook(watch).remove)
        outputs, _ = model(batch.inputs, batch.lengths)
    return [*found, _seen("output", "ŷ_t" if batch.targets_per_step else "ŷ", outputs, batch)]


def _watcher(
    name: str, module: nn.Module, batch: Batch, found: list[Activation]
) -> Callable[[nn.Module, tuple[Any, ...], Any], None] | None:
    if isinstance(module, RecurrentLayer):
        return lambda layer, inputs, _: found.extend(_of_recurrent(name, layer, inputs[0]))
    if isinstance(module, nn.Embedding):
        return lambda _, __, output: found.append(_seen(name, "e_t", output, batch))
    return None


def _seen(name: str, symbol: str, values: Tensor, batch: Batch) -> Activation:
    size = tuple(values.shape)
    per_step = size[:2] == (batch.size, batch.time)
    return Activation(name, symbol, size[2:] if per_step else size[1:], size, per_step)


def _of_recurrent(name: str, layer: nn.Module, inputs: Tensor) -> Iterator[Activation]:
    """What every layer and direction computes at each step: its gates, an LSTM's cell, the hidden state."""
    assert isinstance(layer, RecurrentLayer)
    leading = tuple(inputs.shape[:2])
    letters = gate_letters(layer.cell_name, layer.gate_names)
    for number, hidden in enumerate(layer.hidden_sizes):
        for reverse in (False, True) if layer.bidirectional else (False,):
            widths = {f"{name}_t": hidden for name in reversed(layer.state_names)}
            if layer.proj_size:
                widths["h_t"] = layer.proj_size
            # The one "gate" of a plain RNN is its hidden state.
            if len(letters) > 1:
                widths = {family("", letters) + "_t": len(letters) * hidden} | widths
            for symbol, width in widths.items():
                shown = placed(symbol, number + 1, reverse=reverse, many=layer.num_layers > 1)
                yield Activation(name, shown, (width,), (*leading, width))
