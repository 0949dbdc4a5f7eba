"""Who looks at the calls of one recurrent module for a watch, and adds up what each pass back says of them.

Legend: ``T`` steps, ``B`` rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch._C import _are_functorch_transforms_active, _autograd

from unrolled.diagnosis.handing import ROWS, entered, first_rows, left, send_on, sending_on
from unrolled.diagnosis.interception import Audience
from unrolled.diagnosis.looks import Look, Looks
from unrolled.diagnosis.observation import recurrence_name
from unrolled.diagnosis.probes import probed
from unrolled.diagnosis.recurrence import Recurrence
from unrolled.diagnosis.running import RunningFlow
from unrolled.diagnosis.sweeps import Sweeps
from unrolled.diagnosis.transport import Border, first_leaving, log_gains
from unrolled.diagnosis.turns import Chain, Origin, Turn, current_pass, mark, origin, parts_of
from unrolled.layers import State
from unrolled.layers.scan import Call, Listener, Observer, Scan, Steps
from unrolled.layers.stack import RecurrentLayer
from unrolled.ops.listening import Listen

_NEVER_RAN = (
    "it did not run, or by unroll, whose probes show its errors, or in code compiled before it was watched, "
    "or in a forward of its own, which watch.step can show"
)


class Spectator(ABC):
    """Looks at the calls of one module.

    Args:
        path: of the module in what is watched.
        looks: decides how closely.

    Attributes:
        path: of the module.
        seen: it ran, and could be looked at.
        obstacle: why some of its calls could not be looked at, as a clause; None: all could.
        passes, broken: the passes back that were seen, and those of them with norms that are not finite.
        finite: the states of the pass observed last are.
    """

    def __init__(self, path: str, looks: Looks) -> None:
        self.path = path
        self.seen = False
        self.obstacle: str | None = None
        self.passes = self.broken = 0
        self.finite = True
        self._looks = looks

    @abstractmethod
    def attend(self, layer: RecurrentLayer | None, state: State | None) -> Audience | None:
        """See `unrolled.diagnosis.interception.Attendant`."""

    def reason(self) -> str:
        """Why it cannot be judged, as a clause; empty where it can."""
        if self.obstacle is not None:
            return self.obstacle
        if not self.seen:
            return _NEVER_RAN
        if not any(any(flow.result().rows) for flow in self.flows()):
            return "no error came back to it"
        if not self.finite or 2 * self.broken > self.passes:
            return "its states or their gradients are NaN or infinite"
        return ""

    def note(self, norms: Tensor) -> None:
        """Take note of whether the norms of a pass back are finite."""
        self.passes += 1
        self.broken += not bool(norms.isfinite().all())

    @abstractmethod
    def flows(self) -> Sequence[RunningFlow]:
        """The statistics of the recurrences in it."""

    def reset(self) -> None:
        """Begin the statistics anew; the next sequence is looked at closely."""
        self._looks.restart()
        self.seen, self.obstacle, self.finite = False, None, True
        self.passes = self.broken = 0

    def _turn(self, state: State | None) -> tuple[Turn, Origin | None] | None:
        """The call that begins, in its sequence; None where it cannot be looked at."""
        if not torch.is_grad_enabled():
            return None
        obstacle = _obstacle()
        if obstacle is not None:
            self.obstacle = obstacle
            return None
        self.seen = True
        parts = parts_of(state)
        whence = origin(self, parts)
        if whence is None:
            if any(map(_cut_from_its_past, parts)):
                self.obstacle = (
                    "it began with a state whose gradient is handed on by hand, as recomputing does"
                )
                return None
            return Turn(Chain(self._looks.next())), None
        return whence.turn.next(), whence


class LayerSpectator(Spectator):
    """Looks at the calls of a layer, which runs over many steps in each.

    Attributes:
        latest: each recurrence as it was observed last, by name.
    """

    def __init__(self, path: str, looks: Looks) -> None:
        super().__init__(path, looks)
        self.latest: dict[str, Recurrence] = {}
        self._flows: dict[str, RunningFlow] = {}

    def flows(self) -> Sequence[RunningFlow]:
        """Of every layer and direction."""
        return list(self._flows.values())

    def reset(self) -> None:
        """Begin the statistics anew."""
        super().reset()
        self.latest.clear()
        self._flows.clear()

    def flow_of(self, run: Scan | Call) -> RunningFlow:
        """The statistics of one recurrence."""
        name = recurrence_name(self.path, run)
        return self._flows.setdefault(name, RunningFlow(name, run.reverse))

    def attend(self, layer: RecurrentLayer | None, state: State | None) -> _LayerCall | None:
        """Look at a call of the layer."""
        begun = self._turn(state)
        return None if begun is None or layer is None else _LayerCall(self, layer, *begun)


class _LayerCall(Audience):
    """Looks at one call of a layer."""

    def __init__(
        self, spectator: LayerSpectator, layer: RecurrentLayer, turn: Turn, whence: Origin | None
    ) -> None:
        self._spectator, self._layer, self._turn, self._whence = spectator, layer, turn, whence
        look = turn.chain.look
        self.observer: Observer | None = self._observe if look is Look.OBSERVE else None
        self.listener: Listener | None = self._listen if look is Look.LISTEN else None

    def entering(self, state: State | None) -> State | None:
        if self.observer is None or self._whence is None:
            return state
        return entered(state, self._whence, batch_dimension=1)

    def leaving(self, state: State) -> State:
        if self.observer is not None:
            turn = self._turn

            def received(part: int, gradient: Tensor) -> None:
                turn.record().final[part] = first_rows(gradient, 1)

            state = left(state, received)
        mark(self._spectator, parts_of(state), self._turn)
        return state

    def _listen(self, call: Call) -> Listen:
        turn, flow, note = self._turn, self._spectator.flow_of(call), self._spectator.note
        turn.steps, turn.rows, turn.lengths = call.steps, call.rows, call.lengths

        def hear(norms: Tensor) -> None:
            if not sending_on():
                note(norms)
                flow.add(norms, turn.lengths, turn.steps_after(), None, current_pass())

        return hear

    def _observe(self, scan: Scan, run: Callable[[Scan], Steps]) -> Steps:
        turn, flow, layer = self._turn, self._spectator.flow_of(scan), self._layer
        turn.steps, turn.rows, turn.lengths = len(scan.gates_x), scan.gates_x.shape[1], scan.lengths
        name, index = recurrence_name(self._spectator.path, scan), layer._suffixes.index(scan.suffix)

        def received(recurrence: Recurrence) -> None:
            if recurrence.hidden is None or sending_on():
                return
            self._spectator.latest[name] = recurrence.forward_alone()
            record, later = turn.record(), turn.later
            border = Border(
                final=_of_recurrence(layer, index, record.final),
                arrived=_of_recurrence(layer, index, record.arrived),
                leaving=None if later is None else later.record().leaving.get(name),
            )
            if turn.index:  # the call before asks for it
                record.leaving[name] = first_leaving(recurrence, ROWS, border)
            norms = torch.linalg.vector_norm(recurrence.hidden, dim=-1)
            self._spectator.note(norms)
            self._spectator.finite = bool(recurrence.steps.hidden.isfinite().all())
            gains = log_gains(recurrence, ROWS, border)
            flow.add(norms, turn.lengths, turn.steps_after(), gains, record.running)

        return probed(name, layer, scan, run, received)


class StateSpectator(Spectator):
    """Looks at a state that one step after another hands on: that of a cell, or of a loop by hand.

    Args:
        path: of the module, or what the state is called.
        looks: decides how closely.
        by_hand: the state is shown after each step, and nothing is known of what made it.
    """

    def __init__(self, path: str, looks: Looks, *, by_hand: bool = False) -> None:
        super().__init__(path, looks)
        self._by_hand = by_hand
        self._sweeps = Sweeps(path, self.note)

    def flows(self) -> Sequence[RunningFlow]:
        """Of the state."""
        return [self._sweeps.flow()]

    def reset(self) -> None:
        """Begin the statistics anew."""
        super().reset()
        self._sweeps = Sweeps(self.path, self.note)

    def attend(self, layer: RecurrentLayer | None, state: State | None) -> _StateCall | None:
        """Look at a step."""
        begun = self._turn(state)
        if begun is None:
            return None
        if begun[1] is None:
            self._sweeps.work_off()
        return _StateCall(self, *begun, self._by_hand)

    def show(self, state: Any) -> Any:
        """The state after a step by hand, to go on with."""
        call = self.attend(None, state)
        return state if call is None else call.leaving(state)

    def add(self, turn: Turn, part: int, gradient: Tensor) -> None:
        """Take the gradient of one part of the state after a step."""
        self._sweeps.add(turn, part, gradient)


class _StateCall(Audience):
    """Looks at one step."""

    def __init__(self, spectator: StateSpectator, turn: Turn, whence: Origin | None, by_hand: bool) -> None:
        self._spectator, self._turn = spectator, turn
        observed = whence if turn.chain.look is Look.OBSERVE else None
        # Of a step by hand all that is known is where the state after it comes from.
        self._taken_up, self._made_of = (None, observed) if by_hand else (observed, None)

    def entering(self, state: State | None) -> State | None:
        return state if self._taken_up is None else entered(state, self._taken_up, batch_dimension=0)

    def leaving(self, state: State) -> State:
        turn, add, made_of = self._turn, self._spectator.add, self._made_of
        if turn.chain.look is not Look.NOT_AT_ALL:
            before = parts_of(state) if made_of is not None else []

            def received(part: int, gradient: Tensor) -> None:
                add(turn, part, gradient)
                if made_of is not None:
                    send_on(before[part], gradient, made_of, batch_dimension=0, masks=False)

            state = left(state, received)
        mark(self._spectator, parts_of(state), turn)
        return state


def _of_recurrence(layer: RecurrentLayer, index: int, parts: dict[int, Tensor]) -> tuple[Tensor | None, ...]:
    """The share of one layer in one direction of tensors that lie as the parts of a state do."""
    names, directions = len(layer.state_names), layer._directions
    own: list[Tensor | None] = []
    for name in range(names):
        # All layers in one tensor, or where their widths differ a tensor for each.
        level, place = (0, index) if layer._layout.equal else divmod(index, directions)
        part = parts.get(name if layer._layout.equal else name * layer.num_layers + level)
        own.append(None if part is None else part[place])
    return tuple(own)


def _cut_from_its_past(part: Tensor) -> bool:
    """Whether a state has a past that the graph does not know, so that its gradient is handed on by hand."""
    by_hand = part.is_leaf and part.requires_grad and not isinstance(part, nn.Parameter)
    return by_hand and bool(part.detach().any())


def _obstacle() -> str | None:
    """Why nothing can be looked at right now; None: it can."""
    if current_pass() != -1 or _autograd._top_saved_tensors_default_hooks(True) is not None:
        return "it runs a second time on the way back (checkpointing), or its tensors are kept elsewhere"
    if _are_functorch_transforms_active():
        return "it runs under a transform of torch.func"
    return None
