"""Standing in front of the forward of recurrent modules, whoever calls it and however.

While somebody attends, the class's own `forward` is one that asks first. There every call arrives: that of a
subclass which keeps a forward of its own, too (`super().forward`), and with its arguments by name. Nothing is
left on a module, so one that is watched is copied, pickled and saved as ever, and its copy is not watched;
hooks would go with it. All other modules run as fast as ever.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import nn
from torch._C import _get_tracing_state

from unrolled.diagnosis.adoption import StandIn
from unrolled.layers import State
from unrolled.layers.scan import Listener, Observer
from unrolled.layers.stack import RecurrentLayer

LAYERS = (RecurrentLayer, nn.RNN, nn.GRU, nn.LSTM)
CELLS = (nn.RNNCell, nn.GRUCell, nn.LSTMCell)
RECURRENT = LAYERS + CELLS


class Audience:
    """Who looks at one call of a recurrent module.

    Attributes:
        observer: stands around the recurrences of a layer; None: nobody does.
        listener: hears the norms of a layer's errors; None: nobody does.
    """

    observer: Observer | None = None
    listener: Listener | None = None

    def reading(self, input: Any) -> Any:
        """Takes what the call reads, and gives what it shall read."""
        return input

    def entering(self, state: State | None) -> State | None:
        """Takes the state before the first step, and gives the one to begin with."""
        return state

    def leaving(self, state: State) -> State:
        """Takes the state after the last step, and gives the one to return."""
        return state


class Attendant(Protocol):
    """Who wants to know of the calls of a module."""

    def attend(self, layer: RecurrentLayer | None, state: State | None) -> Audience | None:
        """Asked before every call.

        Args:
            layer: what runs; None for a cell.
            state: before the first step.

        Returns:
            Who looks; None where nobody does, and the module runs as it would alone.
        """
        ...


class _Place:
    """One module, who attends to it and, for a layer of `torch.nn`, what stands in for it."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module  # held, so that its id stays its own
        self.attendants: tuple[Attendant, ...] = ()
        self._stand_in = StandIn(module) if isinstance(module, nn.RNNBase) else None

    def layer(self) -> RecurrentLayer | None:
        """What shows its steps, on the module's weights as they are at this moment; None for a cell."""
        if self._stand_in is not None:
            return self._stand_in.now()
        return self.module if isinstance(self.module, RecurrentLayer) else None

    def run(self, forward: Callable[..., Any], input: Any, hx: Any = None, *rest: Any, **options: Any) -> Any:
        """A call of the module."""
        layer = self.layer()
        asked = (each.attend(layer, hx) for each in self.attendants)
        audiences = [audience for audience in asked if audience is not None]
        for audience in audiences:
            input, hx = audience.reading(input), audience.entering(hx)
        if layer is None or not any(each.observer or each.listener for each in audiences):
            done = forward(self.module, input, hx, *rest, **options)
        else:
            # A layer of torch.nn shows no steps: ours, with the same results, does in its place.
            run = functools.partial(forward, layer) if layer is self.module else layer.forward
            with _shown(layer, audiences):
                done = run(input, hx, *rest, **options)
        if layer is None:
            return _left(audiences, done)
        output, state = done
        return output, _left(audiences, state)


def _left(audiences: Sequence[Audience], state: State) -> State:
    for audience in reversed(audiences):
        state = audience.leaving(state)
    return state


@contextmanager
def _shown(layer: RecurrentLayer, audiences: Sequence[Audience]) -> Any:
    """Lets the audiences stand around a layer's recurrences, and leaves it as it was."""
    own = vars(layer)
    before = {name: own[name] for name in ("observers", "listeners") if name in own}
    layer.observers += tuple(each.observer for each in audiences if each.observer is not None)
    layer.listeners += tuple(each.listener for each in audiences if each.listener is not None)
    try:
        yield
    finally:
        del layer.observers, layer.listeners
        own.update(before)


_PLACES: dict[int, _Place] = {}
_ORIGINAL: dict[type, Callable[..., Any]] = {}
_CHANGING = threading.RLock()


def attend(module: nn.Module, attendant: Attendant) -> Callable[[], None]:
    """Have an attendant asked before every call of a recurrent module.

    Args:
        module: one of `RECURRENT`.
        attendant: is asked.

    Returns:
        Ends it; a second time it does nothing.
    """
    with _CHANGING:
        _leave_uncompiled()
        if not _PLACES:
            for kind in RECURRENT:
                _ORIGINAL[kind] = kind.forward
                kind.forward = _asking(kind.forward)
        place = _PLACES.setdefault(id(module), _Place(module))
        place.attendants += (attendant,)

    def leave() -> None:
        with _CHANGING:
            place.attendants = tuple(each for each in place.attendants if each is not attendant)
            if not place.attendants and _PLACES.get(id(module)) is place:
                del _PLACES[id(module)]
                if not _PLACES:
                    for kind, forward in _ORIGINAL.items():
                        kind.forward = forward
                    _ORIGINAL.clear()

    return leave


def _asking(forward: Callable[..., Any]) -> Callable[..., Any]:
    """A class's forward, in front of which the attendants of a module are asked."""

    @functools.wraps(forward)
    def asking(self: nn.Module, *args: Any, **options: Any) -> Any:
        place = _PLACES.get(id(self))
        if place is None or _get_tracing_state() is not None or torch.compiler.is_exporting():
            return forward(self, *args, **options)
        return _uncompiled(place, forward, *args, **options)

    return asking


def _run(place: _Place, forward: Callable[..., Any], *args: Any, **options: Any) -> Any:
    return place.run(forward, *args, **options)


_uncompiled: Any = None
"""Compiled code shows nothing: calls that somebody attends to are left out of what torch compiles."""


def _leave_uncompiled() -> None:
    """Not before somebody attends, for the compiler takes a second to load."""
    global _uncompiled
    if _uncompiled is None:
        _uncompiled = torch.compiler.disable(_run)
