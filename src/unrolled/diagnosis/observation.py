"""Standing around every recurrence of a module, wherever its recurrent layers are."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from torch import nn

from unrolled.diagnosis.interception import LAYERS, Audience, attend
from unrolled.errors import ConfigError
from unrolled.layers import State
from unrolled.layers.scan import Call, Observer, Scan, Steps
from unrolled.layers.stack import RecurrentLayer

Around = Callable[[str, RecurrentLayer, Scan, Callable[[Scan], Steps]], Steps]
"""Runs one recurrence: its name in the module, its layer, what it is run with, and what runs it."""


class _Around(Audience):
    """Who stands around the recurrences of a layer, and leaves its states alone."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer


class _Attendant:
    """Has a function stand around every call of one layer."""

    def __init__(self, path: str, around: Around) -> None:
        self._path, self._around = path, around

    def attend(self, layer: RecurrentLayer | None, state: State | None) -> _Around | None:
        if layer is None:
            return None

        def observer(scan: Scan, run: Callable[[Scan], Steps]) -> Steps:
            return self._around(recurrence_name(self._path, scan), layer, scan, run)

        return _Around(observer)


class Observation:
    """Lets a function stand around every recurrence of a module until it is closed.

    The layers are ours, or those of `torch.nn`, which ours stand in for meanwhile.

    Args:
        module: holds recurrent layers, or is one.
        around: what stands around their recurrences. A recurrence is named by the path of its layer and the
            ending of its weights' names, as ``recurrent.l0`` or ``l1_reverse``.

    Raises:
        ConfigError: there is no recurrent layer.
    """

    def __init__(self, module: nn.Module, around: Around) -> None:
        self._leave = [
            attend(each, _Attendant(path, around))
            for path, each in module.named_modules()
            if isinstance(each, LAYERS)
        ]
        if not self._leave:
            raise ConfigError(
                "expected a module with a recurrent layer in it (RNN, GRU or LSTM, of unrolled or torch.nn), "
                f"got a {type(module).__name__} without one."
            )

    def close(self) -> None:
        """Leave the module as it was; a second time does nothing."""
        for leave in self._leave:
            leave()
        self._leave = []

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
