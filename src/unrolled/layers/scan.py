"""One layer in one direction: what it is run with, what comes of it, and who may look on.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from torch import Tensor

from unrolled.ops.listening import Listen


class Steps(NamedTuple):
    """One layer in one direction: the states and gates of all steps, time-major, and the state at the end.

    All states but the first, and gates, are left out where nobody asked for them. The state at the end is
    ``(B, width)`` each from a recurrence, ``(1, B, width)`` on its way into the state of a stack.
    """

    states: tuple[Tensor, ...]
    gates: Tensor | None
    final: tuple[Tensor, ...]

    @property
    def hidden(self) -> Tensor:
        """The first state, which is the output."""
        return self.states[0]

    @property
    def cell(self) -> Tensor | None:
        """The second state, an LSTM's cell."""
        return self.states[1] if len(self.states) > 1 else None


class Scan(NamedTuple):
    """What one layer in one direction is run with, beside its weights.

    Attributes:
        suffix: ends the names of its parameters, as ``_l0_reverse``.
        gates_x: the input's share of every gate, ``(T, B, gates * H)``.
        weight_hh: the recurrent matrix, some of its weights dropped where so configured.
        initial: the state before the first step, ``(B, H)`` each.
        lengths: ``(B,)`` or None.
        reverse: it reads the sequence from its end.
        probes: added to every state of a name, one for each name, or None.
        total: what the other states of a step draw from a state counts as its own gradient, for its probe;
            False: only what later steps and the loss draw. An LSTM's is always total.
        noise: added to the first state after every step, ``(T, B, H)``, or None.
        watched: somebody asks for the gates and all states of every step.
        resets: ``(T, B)`` bool, the steps before which a row's state is the initial one; or None.
        listen: hears the norms of dL/dh_t on the way back, or None.
    """

    suffix: str
    gates_x: Tensor
    weight_hh: Tensor
    initial: tuple[Tensor, ...]
    lengths: Tensor | None
    reverse: bool
    probes: tuple[Tensor | None, ...]
    watched: bool = False
    resets: Tensor | None = None
    listen: Listen | None = None
    total: bool = False
    noise: Tensor | None = None


class Call(NamedTuple):
    """One run of one layer in one direction, before it runs.

    Attributes:
        suffix: ends the names of its parameters, as ``_l0_reverse``.
        reverse: it reads the sequence from its end.
        steps: T.
        rows: B.
        lengths: ``(B,)`` or None.
        initial: the state before the first step, ``(B, H)`` each; none where it is zero.
    """

    suffix: str
    reverse: bool
    steps: int
    rows: int
    lengths: Tensor | None
    initial: tuple[Tensor, ...]


Listener: TypeAlias = Callable[[Call], Listen]
"""Asked before every run of a layer and direction, for what hears the norms of its dL/dh_t."""
Observer: TypeAlias = Callable[[Scan, Callable[[Scan], Steps]], Steps]
"""Stands around the recurrence of every layer and direction: takes what it is run with and what runs it."""
