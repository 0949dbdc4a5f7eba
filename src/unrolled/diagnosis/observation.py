"""Standing around every recurrence of a module, wherever its recurrent layers are."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from torch import nn

from unrolled.diagnosis.adoption import adopt
from unrolled.errors import ConfigError
from unrolled.layers.stack import Observer, RecurrentLayer, Scan, Steps

Around = Callable[[str, RecurrentLayer, Scan, Callable[[Scan], Steps]], Steps]
"""Runs one recurrence: its name in the module, its layer, what it is run with, and what runs it."""


class Observation:
    """Lets a function stand around every recurrence of a module until it is closed.

    The layers are ours, or those of `torch.nn`, which ours stand in for meanwhile (`adopt`).

    Args:
        module: holds recurrent layers, or is one.
        around: what stands around their recurrences. A recurrence is named by the path of its layer and the
            ending of its weights' names, as ``recurrent.l0`` or ``l1_reverse``.

    Raises:
        ConfigError: there is no recurrent layer.
    """

    def __init__(self, module: nn.Module, around: Around) -> None:
        self._observers: list[tuple[RecurrentLayer, Observer]] = []
        self._replaced: list[nn.Module] = []
        for path, each in module.named_modules():
            if isinstance(each, RecurrentLayer):
                self._observe(path, each, around)
            elif isinstance(each, nn.RNN | nn.GRU | nn.LSTM):
                ours = adopt(each)
                self._observe(path, ours, around)
                self._replace(each, ours)
        if not self._observers:
            raise ConfigError(
                "expected a module with a recurrent layer in it (RNN, GRU or LSTM, of unrolled or torch.nn), "
                f"got a {type(module).__name__} without one."
            )

    def _observe(self, path: str, layer: RecurrentLayer, around: Around) -> None:
        def observer(scan: Scan, run: Callable[[Scan], Steps]) -> Steps:
            return around(recurrence_name(path, scan), layer, scan, run)

        layer.observers = (*layer.observers, observer)
        self._observers.append((layer, observer))

    def _replace(self, theirs: nn.Module, ours: RecurrentLayer) -> None:
        def forward(input: Any, hx: Any = None) -> Any:
            return ours.train(theirs.training)(input, hx)

        theirs.forward = forward
        self._replaced.append(theirs)

    def close(self) -> None:
        """Leave the module as it was; a second time does nothing."""
        for layer, observer in self._observers:
            layer.observers = tuple(each for each in layer.observers if each is not observer)
        for theirs in self._replaced:
            del theirs.forward
        self._observers, self._replaced = [], []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def recurrence_name(path: str, scan: Scan) -> str:
    """The name of one layer in one direction."""
    ending = scan.suffix.removeprefix("_")
    return f"{path}.{ending}" if path else ending
