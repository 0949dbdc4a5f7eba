"""Backpropagation through time: how far the error goes back, and the only code that calls backward.

The loop asks for the updates of a batch and changes the weights between them:

    for update in bptt.updates(model, loss, batch, carry, accelerator):
        ...clip and step...
        carry = update.carry

In several processes each holds its share of the rows; losses are divided by the count of all shares, so that
the sum of the processes' gradients is the gradient of the whole batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.layers.state import State, detach_state, map_state, reset_rows, state_tensors
from unrolled.training.loss import LossSum
from unrolled.training.processes import add_up, largest

if TYPE_CHECKING:
    from accelerate import Accelerator

    from unrolled.data.batches import Batch
    from unrolled.models.base import SequenceModel
    from unrolled.training.loss import Loss


@dataclass(frozen=True, slots=True)
class Past:
    """A window that a later one may reach back into.

    Attributes:
        window: its inputs; rows in `starts` begin a sequence in it.
        state: the state before its first step and before those rows are reset; None: the initial state.
    """

    window: Batch
    state: State | None


@dataclass(frozen=True, slots=True)
class Carry:
    """What one window hands to the next, across batches too; it holds no graph.

    Attributes:
        state: the state after the last step; None before the first.
        past: the windows within reach, oldest first.
    """

    state: State | None = None
    past: tuple[Past, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """One gradient, ready in `.grad`.

    Attributes:
        loss: of the batch or window, over all processes.
        count: what the loss was divided by.
        steps: real time steps it saw, over all processes.
        carry: what the next update needs.
    """

    loss: float
    count: int
    steps: int
    carry: Carry


class BPTT(ABC):
    """A way to take the gradient of a loss through time."""

    @abstractmethod
    def updates(
        self, model: SequenceModel, loss: Loss, batch: Batch, carry: Carry, accelerator: Accelerator
    ) -> Iterator[Update]:
        """Run forward and backward; after each yield the caller steps and clears the gradients.

        Args:
            model: the network, on the accelerator's device.
            loss: what is minimised.
            batch: on the accelerator's device.
            carry: of the update before, from the previous batch if need be; `Carry()` at first.
            accelerator: scales for mixed precision, and adds up over processes.

        Raises:
            ConfigError: the model or the loss cannot be cut in time, or the batch must be.
        """


class FullBPTT(BPTT):
    """The whole gradient (Werbos 1990): the error goes back to the first step.

    Args:
        checkpoint_every: keep only the state at every so many steps and compute each segment's activations
            again, last segment first, when the error comes through (Chen et al. 2016). At the square root of
            the length, memory grows with that square root, for one more forward pass. The segments draw
            their own dropout masks; those of the second pass are those of the first.
    """

    def __init__(self, checkpoint_every: int | None = None) -> None:
        self.checkpoint_every = checkpoint_every

    def updates(
        self, model: SequenceModel, loss: Loss, batch: Batch, carry: Carry, accelerator: Accelerator
    ) -> Iterator[Update]:
        """One update for the batch; see `BPTT.updates`."""
        if batch.starts is not None and not batch.starts.all():
            raise ConfigError(
                "full BPTT: expected batches of whole sequences, got a stream whose rows go on from batch to "
                "batch; set window to train by truncated BPTT."
            )
        if self.checkpoint_every is not None and batch.time > self.checkpoint_every:
            _require_cuttable(model, loss, "checkpoint_every")
            update = self._recomputed(model, loss, batch, self.checkpoint_every, accelerator)
        else:
            with accelerator.autocast():
                outputs, _ = model(batch.inputs, batch.lengths)
                part = loss(outputs, batch)
            update = _backward(part, batch.steps, Carry(), accelerator)
        if update is not None:
            yield update

    def _recomputed(
        self, model: SequenceModel, loss: Loss, batch: Batch, every: int, accelerator: Accelerator
    ) -> Update | None:
        segments = [(start, batch.window(start, start + every)) for start in range(0, batch.time, every)]
        seeds = _Shelf(len(segments), _random_state(accelerator.device))
        states: _Shelf | None = None
        state: State | None = None
        total, counts = 0.0, []
        with torch.no_grad():
            for index, (start, segment) in enumerate(segments):
                if state is not None:
                    states = states or _Shelf(len(segments), state_tensors(state))
                    states.put(index, state_tensors(state))
                seeds.put(index, _random_state(accelerator.device))
                part, state = _segment(model, loss, batch, segment, start, state, accelerator)
                total += float(part.total.double())
                counts.append(part.count)
        # Under "sum" the divisor is the number of sequences, and every segment counts them anew.
        once = batch.targets_per_step and loss.reduction == "sum"
        total, count, steps = add_up(accelerator, total, max(counts) if once else sum(counts), batch.steps)
        if count == 0:
            return None
        gradient: list[Tensor | None] = []
        after = _random_state(accelerator.device)
        for index, (start, segment) in reversed(list(enumerate(segments))):
            _set_random_state(seeds.take(index), accelerator.device)
            begin = None
            if index and states is not None and state is not None:
                kept = iter(states.take(index))
                begin = map_state(lambda _, kept=kept: next(kept).detach().requires_grad_(), state)
            part, end = _segment(model, loss, batch, segment, start, begin, accelerator)
            # The error from later segments enters as the product of the end state with its gradient.
            objective = part.total / count
            for tensor, error in zip(state_tensors(end), gradient, strict=False):
                if error is not None and tensor.requires_grad:
                    objective = objective + (tensor * error).sum()
            if objective.requires_grad:
                accelerator.backward(objective)
            gradient = [_unscaled(tensor.grad, accelerator) for tensor in state_tensors(begin)]
        _set_random_state(after, accelerator.device)
        return Update(total / count, int(count), int(steps), Carry())


class TruncatedBPTT(BPTT):
    """An update every `window` steps, with the error going back `reach` steps (Williams & Peng 1990).

    The state is carried from window to window and, where the batch's rows continue, from batch to batch.
    Memory does not grow with the length of the sequence.

    Args:
        window: new steps per update (k1).
        reach: steps the error goes back from a window's end (k2), `window` by default. Beyond the window it
            goes through a second run over the steps before, which starts from the state kept there.
    """

    def __init__(self, window: int, reach: int | None = None) -> None:
        self.window = window
        self.reach = window if reach is None else reach
        if self.reach < window:
            raise ConfigError(f"reach: expected at least the window, {window}, got {reach}.")

    def updates(
        self, model: SequenceModel, loss: Loss, batch: Batch, carry: Carry, accelerator: Accelerator
    ) -> Iterator[Update]:
        """An update for each window in which a target lies; see `BPTT.updates`."""
        if batch.starts is not None or batch.time > self.window:
            _require_cuttable(model, loss, "window")
        if batch.starts is None:
            carry = Carry()
        # Processes must make the same number of updates, whatever the length of their rows.
        for index in range(largest(accelerator, -(-batch.time // self.window))):
            start = index * self.window
            if start < batch.time:
                window = batch.window(start, start + self.window)
                part, carry = self._forward(model, loss, batch, window, start, carry, accelerator)
                update = _backward(part, window.steps, carry, accelerator)
            else:
                nothing = LossSum(torch.zeros((), device=accelerator.device), 0)
                update = _backward(nothing, 0, carry, accelerator)
            if update is not None:
                yield update

    def _forward(
        self,
        model: SequenceModel,
        loss: Loss,
        batch: Batch,
        window: Batch,
        start: int,
        carry: Carry,
        accelerator: Accelerator,
    ) -> tuple[LossSum, Carry]:
        state = self._replay(model, carry, accelerator)
        before = None if state is None else detach_state(state)
        part, end = _segment(model, loss, batch, window, start, state, accelerator)
        past = self._within_reach((*carry.past, Past(window, before)))
        return part, Carry(detach_state(end), past)

    def _replay(self, model: SequenceModel, carry: Carry, accelerator: Accelerator) -> State | None:
        """Run the steps before the window again, with gradient, from the state kept `reach - window` back."""
        if not carry.past:
            return carry.state
        state = carry.past[0].state
        # The oldest window may begin before the reach does; its first steps only move the state.
        skip = max(0, sum(past.window.time for past in carry.past) - (self.reach - self.window))
        for past in carry.past:
            with accelerator.autocast():
                if skip:
                    with torch.no_grad():
                        _, state = _run(model, past.window.window(0, skip), state)
                    _, state = _run(model, past.window.window(skip, past.window.time), state)
                    skip = 0
                else:
                    _, state = _run(model, past.window, state)
        return state

    def _within_reach(self, past: tuple[Past, ...]) -> tuple[Past, ...]:
        steps, kept = 0, len(past)
        while kept and steps < self.reach - self.window:
            kept -= 1
            steps += past[kept].window.time
        return past[kept:]


def add_gradient(term: Tensor, accelerator: Accelerator) -> None:
    """Add the gradient of a term of the objective that is no sum over the batch to that of an update.

    Each process has such a term of its own; what counts is their mean.
    """
    accelerator.backward(term / accelerator.num_processes)


def _require_cuttable(model: SequenceModel, loss: Loss, option: str) -> None:
    if not model.causal:
        raise ConfigError(
            f"{option}: expected a model whose output depends on earlier steps only, got a bidirectional or "
            f"otherwise non-causal {type(model).__name__}; leave {option} out, or make the model causal."
        )
    if not loss.separable:
        raise ConfigError(
            f"{option}: expected a loss that is a sum over steps, got {type(loss).__name__}, which needs "
            f"whole sequences; leave {option} out, or choose another loss."
        )


def _run(model: SequenceModel, window: Batch, state: State | None) -> tuple[Tensor, State]:
    """Run a window from a state; rows that start in it take the initial state."""
    if state is not None and window.starts is not None and window.starts.any():
        state = reset_rows(state, window.starts, model.initial_state(window.size))
    return model(window.inputs, window.lengths, state)


def _segment(
    model: SequenceModel,
    loss: Loss,
    batch: Batch,
    window: Batch,
    start: int,
    state: State | None,
    accelerator: Accelerator,
) -> tuple[LossSum, State]:
    """Loss and end state of the steps of `batch` from `start` on that are in `window`.

    With one target a sequence, the loss of a row belongs to the window that holds its last step.
    """
    with accelerator.autocast():
        outputs, end = _run(model, window, state)
        if batch.targets_per_step:
            return loss(outputs, window), end
        ends = batch.lengths <= start + window.time
        if start:
            ends &= batch.lengths > start
        if ends.all():
            return loss(outputs, window), end
        if not ends.any():
            return LossSum(outputs.new_zeros(()), 0), end
        return loss(outputs[ends], window.rows(ends)), end


def _backward(part: LossSum, steps: int, carry: Carry, accelerator: Accelerator) -> Update | None:
    """Backward of a loss divided by the count of all processes; None where no process has a target."""
    total, count, steps_everywhere = add_up(accelerator, float(part.total.detach()), part.count, steps)
    if count == 0:
        return None
    if part.count and part.total.requires_grad:
        accelerator.backward(part.total / count)
    return Update(total / count, int(count), int(steps_everywhere), carry)


def _unscaled(gradient: Tensor | None, accelerator: Accelerator) -> Tensor | None:
    """Undo the loss scaling of float16, which the next backward applies again."""
    if gradient is None or accelerator.scaler is None:
        return gradient
    return gradient / accelerator.scaler.get_scale()


class _Shelf:
    """A place for a few tensors of every segment, taken out of memory at once.

    Kept one by one between the large activations of the segments, these small tensors would leave gaps that
    the activations of the next segment do not fit into, and memory would grow with the length all the same.
    """

    def __init__(self, count: int, like: list[Tensor]) -> None:
        self._rows = [tensor.new_empty((count, *tensor.shape)) for tensor in like]

    def put(self, index: int, tensors: list[Tensor]) -> None:
        for rows, tensor in zip(self._rows, tensors, strict=True):
            rows[index] = tensor

    def take(self, index: int) -> list[Tensor]:
        return [rows[index] for rows in self._rows]


def _random_state(device: torch.device) -> list[Tensor]:
    """The random generators that dropout draws from, to draw the same again."""
    gpu = [torch.cuda.get_rng_state(device)] if device.type == "cuda" else []
    return [torch.get_rng_state(), *gpu]


def _set_random_state(state: list[Tensor], device: torch.device) -> None:
    torch.set_rng_state(state[0].clone())
    if device.type == "cuda":
        torch.cuda.set_rng_state(state[1].clone(), device)
