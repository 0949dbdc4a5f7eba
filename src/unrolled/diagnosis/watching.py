"""Watching the gradient during ordinary training: its size by distance from the loss."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn

from unrolled.diagnosis.flow import GradientFlow
from unrolled.diagnosis.observation import Look, Observation
from unrolled.diagnosis.probes import probed
from unrolled.diagnosis.recurrence import Recurrence
from unrolled.diagnosis.running import RunningFlow
from unrolled.diagnosis.transport import log_gains
from unrolled.layers.scan import Call, Scan, Steps
from unrolled.layers.stack import RecurrentLayer
from unrolled.layers.state import State, state_tensors
from unrolled.ops.listening import Listen


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


_GAIN_ROWS, _GAIN_EVERY = 4, 16
"""Gains are taken of so many rows in every so many-th backward pass looked at; norms of all in all."""


class _Seen:
    """One call of a recurrence, and the call that took up its state."""

    def __init__(self, call: Call) -> None:
        # Not its initial state: what a gradient function keeps must not lead back to it.
        self.lengths, self.steps, self.rows = call.lengths, call.steps, call.rows
        self.later: _Seen | None = None

    def offset(self) -> Tensor | None:
        """The steps of each row after this call, ``(B,)``; None where it was the last."""
        call, total = self.later, None
        while call is not None:
            own = torch.full((call.rows,), call.steps) if call.lengths is None else call.lengths.cpu()
            total = own if total is None else total + own
            call = call.later
        return total


class Watch:
    """Statistics of the backward passes that a module goes through while this is open.

    A layer that is called with the state of its own call before (truncated BPTT that reaches beyond its
    window) counts distances from the end of the last call.
    """

    def __init__(self, module: nn.Module, every: int) -> None:
        self._every = every
        self._flows: dict[str, RunningFlow] = {}
        self._calls: dict[str, _Seen] = {}
        self._passes: dict[str, int] = {}
        self._looks: dict[str, Look] = {}
        self._own: set[str] = set()
        self._observation = Observation(module, self._around, self._how, self._hear)

    def _how(self, path: str, state: State | None) -> Look:
        """How to look at a call of a layer; one that takes up a state goes the way of the call before."""
        if not torch.is_grad_enabled():
            return Look.NOT_AT_ALL
        if not any(part.requires_grad for part in state_tensors(state)):
            self._own.add(path)
        elif path in self._own:
            return self._looks[path]
        # A decoder never begins with a state of its own: each of its calls counts.
        passed = self._passes.get(path, 0)
        self._passes[path] = passed + 1
        self._looks[path] = (
            Look.NOT_AT_ALL
            if passed % self._every
            else Look.LISTEN
            if passed // self._every % _GAIN_EVERY
            else Look.OBSERVE
        )
        return self._looks[path]

    def _around(self, name: str, layer: RecurrentLayer, scan: Scan, run: Callable[[Scan], Steps]) -> Steps:
        steps, rows = scan.gates_x.shape[:2]
        add = self._adding(
            name, layer, Call(scan.suffix, scan.reverse, steps, rows, scan.lengths, scan.initial)
        )

        def received(recurrence: Recurrence) -> None:
            if recurrence.hidden is not None:
                norms = torch.linalg.vector_norm(recurrence.hidden, dim=-1)
                add(norms, log_gains(recurrence, _GAIN_ROWS))

        return probed(name, layer, scan, run, received)

    def _hear(self, name: str, layer: RecurrentLayer, call: Call) -> Listen:
        return self._adding(name, layer, call)

    def _adding(self, name: str, layer: RecurrentLayer, call: Call) -> Callable[..., None]:
        """What adds the norms of a call's gradient to the statistics, and its gains where they are taken."""
        seen = self._seen(name, layer, call)
        flow = self._flows.setdefault(name, RunningFlow(name, call.reverse))

        def add(norms: Tensor, gains: Tensor | None = None) -> None:
            self._calls.pop(name, None)
            flow.add(norms, seen.lengths, seen.offset(), gains)

        return add

    def _seen(self, name: str, layer: RecurrentLayer, call: Call) -> _Seen:
        """A call, tied to the one before where it takes up its state; a learned one is a parameter."""
        seen, before = _Seen(call), self._calls.get(name)
        goes_on = layer.initial_state_kind != "learned" and any(part.requires_grad for part in call.initial)
        if before is not None and goes_on:
            before.later = seen
        self._calls[name] = seen
        return seen

    def flows(self) -> tuple[GradientFlow, ...]:
        """The statistics so far, of each layer and direction that a gradient has come through."""
        results = (flow.result() for flow in self._flows.values())
        return tuple(result for result in results if result.updates)

    def reset(self) -> None:
        """Begin the statistics anew."""
        self._flows.clear()
        self._passes.clear()

    def close(self) -> None:
        """Stop watching; what was seen stays."""
        self._observation.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
