"""Standing around every recurrence of a module, wherever its recurrent layers are."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from types import TracebackType
from typing import Any, Self

from torch import nn
from torch.utils.hooks import RemovableHandle

from unrolled.diagnosis.adoption import adopt
from unrolled.errors import ConfigError
from unrolled.layers import State
from unrolled.layers.scan import Call, Scan, Steps
from unrolled.layers.stack import RecurrentLayer
from unrolled.ops.listening import Listen

Around = Callable[[str, RecurrentLayer, Scan, Callable[[Scan], Steps]], Steps]
"""Runs one recurrence: its name in the module, its layer, what it is run with, and what runs it."""


class Look(Enum):
    """How closely a call of a layer is looked at."""

    NOT_AT_ALL = "not at all"
    LISTEN = "listen"
    OBSERVE = "observe"


When = Callable[[str, State | None], Look]
"""How to look at a call of a layer: its path in the module, and the state it is called with."""
Hear = Callable[[str, RecurrentLayer, Call], Listen]
"""What hears a recurrence: its name in the module, its layer, what it is run with."""


class Observation:
    """Lets a function stand around every recurrence of a module until it is closed.

    The layers are ours, or those of `torch.nn`, which ours stand in for meanwhile (`adopt`).

    Args:
        module: holds recurrent layers, or is one.
        around: what stands around their recurrences. A recurrence is named by the path of its layer and the
            ending of its weights' names, as ``recurrent.l0`` or ``l1_reverse``.
        when: asked at every call of a layer. Nobody stands around those that are not observed, and the layer
            runs them as fast as ever. Without it all are observed.
        hear: asked for what hears those that are listened to.

    Raises:
        ConfigError: there is no recurrent layer.
    """

    def __init__(
        self, module: nn.Module, around: Around, when: When | None = None, hear: Hear | None = None
    ) -> None:
        self._when, self._hear = when, hear
        self._hooks: list[RemovableHandle] = []
        self._leave: list[Callable[[], None]] = []
        self._replaced: list[nn.Module] = []
        for path, each in module.named_modules():
            if isinstance(each, RecurrentLayer):
                self._observe(path, each, around)
            elif isinstance(each, nn.RNN | nn.GRU | nn.LSTM):
                ours = adopt(each)
                self._observe(path, ours, around)
                self._replace(each, ours)
        if not self._leave:
            raise ConfigError(
                "expected a module with a recurrent layer in it (RNN, GRU or LSTM, of unrolled or torch.nn), "
                f"got a {type(module).__name__} without one."
            )

    def _observe(self, path: str, layer: RecurrentLayer, around: Around) -> None:
        def observer(scan: Scan, run: Callable[[Scan], Steps]) -> Steps:
            return around(recurrence_name(path, scan), layer, scan, run)

        def listener(call: Call) -> Listen:
            assert self._hear is not None
            return self._hear(recurrence_name(path, call), layer, call)

        def leave() -> None:
            layer.observers = tuple(each for each in layer.observers if each is not observer)
            layer.listeners = tuple(each for each in layer.listeners if each is not listener)

        def decide(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            assert self._when is not None
            leave()
            look = self._when(path, args[1] if len(args) > 1 else kwargs.get("state"))
            if look is Look.OBSERVE:
                layer.observers = (*layer.observers, observer)
            elif look is Look.LISTEN:
                layer.listeners = (*layer.listeners, listener)

        if self._when is None:
            layer.observers = (*layer.observers, observer)
        else:
            self._hooks.append(layer.register_forward_pre_hook(decide, with_kwargs=True))
        self._leave.append(leave)

    def _replace(self, theirs: nn.Module, ours: RecurrentLayer) -> None:
        def forward(input: Any, hx: Any = None) -> Any:
            return ours.train(theirs.training)(input, hx)

        theirs.forward = forward
        self._replaced.append(theirs)

    def close(self) -> None:
        """Leave the module as it was; a second time does nothing."""
        for hook in self._hooks:
            hook.remove()
        for leave in self._leave:
            leave()
        for theirs in self._replaced:
            del theirs.forward
        self._leave, self._replaced, self._hooks = [], [], []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def recurrence_name(path: str, run: Scan | Call) -> str:
    """The name of one layer in one direction."""
    ending = run.suffix.removeprefix("_")
    return f"{path}.{ending}" if path else ending
