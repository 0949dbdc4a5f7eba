"""Watching the gradient during ordinary training: its size by distance from the loss."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn

from unrolled.diagnosis.flow import GradientFlow
from unrolled.diagnosis.observation import Observation
from unrolled.diagnosis.probes import listened, probed
from unrolled.diagnosis.recurrence import Recurrence
from unrolled.diagnosis.running import RunningFlow
from unrolled.diagnosis.transport import log_gains
from unrolled.layers.stack import RecurrentLayer, Scan, Steps
from unrolled.layers.state import State, state_tensors


def watch(module: nn.Module, *, every: int = 1) -> Watch:
    """Measure the gradient at every step of a module's recurrent layers, in the backward passes to come.

    It costs no second backward pass, and memory for the longest sequence alone. Its layers are ours or those
    of `torch.nn`.

    Args:
        module: holds recurrent layers.
        every: look at every so many-th backward pass, the first one included.

    Example:
        >>> layer = nn.RNN(2, 3)
        >>> with watch(layer) as watched:
        ...     layer(torch.randn(5, 4, 2))[0][-1].sum().backward()
        >>> [len(flow.norm) for flow in watched.flows()]
        [5]

    Raises:
        ConfigError: the module has no recurrent layer.
    """
    return Watch(module, every)


_GAIN_ROWS, _GAIN_EVERY = 4, 2
"""Gains are taken of so many rows in every so many-th backward pass that is looked at; norms of all rows."""


class _Call:
    """One call of a recurrence, which pass it belongs to, and the call that took up its state."""

    def __init__(self, scan: Scan, number: int) -> None:
        self.number = number
        self.lengths = scan.lengths
        self.steps, self.rows = scan.gates_x.shape[:2]
        self.later: _Call | None = None

    def offset(self) -> Tensor | None:
        """The steps of each row after this call, ``(B,)``; None where it was the last."""
        call, total = self.later, None
        while call is not None:
            own = torch.full((call.rows,), call.steps) if call.lengths is None else call.lengths.cpu()
            total = own if total is None else total + own
            call = call.later
        return total


def _goes_on(layer: RecurrentLayer, scan: Scan) -> bool:
    """Whether the state came with a gradient, from the call before; a learned one is a parameter."""
    return layer.initial_state_kind != "learned" and any(part.requires_grad for part in scan.initial)


class Watch:
    """Statistics of the backward passes that a module goes through while this is open.

    A layer that is called with the state of its own call before (truncated BPTT that reaches beyond its
    window) counts distances from the end of the last call.
    """

    def __init__(self, module: nn.Module, every: int) -> None:
        self._every = every
        self._flows: dict[str, RunningFlow] = {}
        self._calls: dict[str, _Call] = {}
        self._passes: dict[str, int] = {}
        self._looking: dict[str, bool] = {}
        self._looked: dict[str, int] = {}
        self._observation = Observation(module, self._around, self._looks)

    def _looks(self, path: str, state: State | None) -> bool:
        """Whether to look at a call of a layer; one that takes up a state goes the way of the call before."""
        if not torch.is_grad_enabled():
            return False
        if not any(part.requires_grad for part in state_tensors(state)):
            passed = self._passes.get(path, 0)
            self._passes[path] = passed + 1
            self._looking[path] = passed % self._every == 0
        # A decoder never begins with a state of its own: each of its calls is looked at.
        return self._looking.get(path, True)

    def _around(self, name: str, layer: RecurrentLayer, scan: Scan, run: Callable[[Scan], Steps]) -> Steps:
        call = self._calls[name] = self._call(name, layer, scan)
        flow = self._flows.setdefault(name, RunningFlow(name, scan.reverse))

        # Not the scan: what a gradient function keeps must not lead back to it.
        lengths = scan.lengths

        def add(hidden: Tensor, gains: Tensor | None = None) -> None:
            self._calls.pop(name, None)
            flow.add(hidden, lengths, call.offset(), gains)

        def received(recurrence: Recurrence) -> None:
            if recurrence.hidden is not None:
                add(recurrence.hidden, log_gains(recurrence, _GAIN_ROWS))

        if call.number % _GAIN_EVERY == 0:
            return probed(name, layer, scan, run, received)
        return listened(scan, run, add)

    def _call(self, name: str, layer: RecurrentLayer, scan: Scan) -> _Call:
        """A call, tied to the one before where it takes up its state."""
        before = self._calls.get(name)
        if before is not None and _goes_on(layer, scan):
            before.later = _Call(scan, before.number)
            return before.later
        number = self._looked.get(name, 0)
        self._looked[name] = number + 1
        return _Call(scan, number)

    def flows(self) -> tuple[GradientFlow, ...]:
        """The statistics so far, of each layer and direction that a gradient has come through."""
        results = (flow.result() for flow in self._flows.values())
        return tuple(result for result in results if result.updates)

    def reset(self) -> None:
        """Begin the statistics anew."""
        self._flows.clear()
        self._passes.clear()
        self._looked.clear()

    def close(self) -> None:
        """Stop watching; what was seen stays."""
        self._observation.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
