"""Watching the gradient during ordinary training: its size by distance from the loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape
from math import isnan
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import nn

from unrolled.diagnosis.drawing import drawing
from unrolled.diagnosis.flow import GradientFlow
from unrolled.diagnosis.gates import Gates, use_of
from unrolled.diagnosis.interception import LAYERS, RECURRENT, attend
from unrolled.diagnosis.learning import Learning
from unrolled.diagnosis.looks import Looks
from unrolled.diagnosis.spectators import LayerSpectator, Spectator, StateSpectator
from unrolled.diagnosis.verdict import Verdict, conclude
from unrolled.errors import ConfigError, MissingDependencyError
from unrolled.saving.files import write_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_NOT_TOLD = "Whether it has learned was not told (`tell`): what lies near may be all that it needs."


class Watch:
    """Statistics of the backward passes that a module goes through while this is open.

    A module that is called with the state of a call before (a cell in a loop, a decoder, truncated BPTT that
    reaches beyond its window) counts distances from the end of the last call.

    Attributes:
        name: of the module's class.
    """

    def __init__(self, module: nn.Module, every: int = 1) -> None:
        if every < 1:
            raise ConfigError(f"every: expected to look at one of 1 sequences or more, got {every}.")
        self.name = type(getattr(module, "_orig_mod", module)).__name__
        self._every = every
        self._paths = {id(each): _path(path) for path, each in module.named_modules()}
        self._module = module  # held, so that ids stay those of its modules
        self._learning: Learning | None = None
        self._by_hand: dict[str, StateSpectator] = {}
        self._spectators: dict[str, Spectator] = {}
        self._places: list[tuple[nn.Module, Spectator]] = []
        self._leave: list[Callable[[], None]] = []
        for path, each in module.named_modules():
            if isinstance(each, RECURRENT):
                of_layer = isinstance(each, LAYERS)
                name = _path(path) or ("" if of_layer else "cell")
                kind = LayerSpectator if of_layer else StateSpectator
                self._spectators[name] = kind(name, Looks(every))
                self._places.append((each, self._spectators[name]))
        # Compiled code shows nothing: what is shown by hand is left out of it.
        self.shown: Any = torch.compiler.disable(_shown)
        self.resume()

    def step(self, state: Any, name: str = "state", of: nn.Module | None = None) -> Any:
        """Show the state that a loop written by hand hands on, after every step; see `watch.step`."""
        path = "" if of is None else self._paths[id(of)]
        whole = f"{path}.{name}" if path else name
        spectator = self._by_hand.get(whole)
        if spectator is None:
            spectator = self._by_hand[whole] = StateSpectator(whole, Looks(self._every), by_hand=True)
        return spectator.show(state)

    def holds(self, module: nn.Module) -> bool:
        """Whether a module is watched."""
        return id(module) in self._paths

    def flows(self) -> tuple[GradientFlow, ...]:
        """The statistics so far, of each layer and direction that a gradient has come through."""
        results = (flow.result() for each in self._all() for flow in each.flows())
        return tuple(result for result in results if any(result.rows))

    @property
    def unseen(self) -> dict[str, str]:
        """The recurrent modules, by name, that cannot be judged, and why: a clause each."""
        reasons = {self._named(each): each.reason() for each in self._all()}
        return {name: reason for name, reason in reasons.items() if reason}

    def _named(self, spectator: Spectator) -> str:
        return spectator.path or self.name

    def gates(self, *, strips: bool = True) -> tuple[Gates, ...]:
        """What the gates of each layer and direction did in the pass that was observed last.

        Args:
            strips: keep every value along the first sequence, which takes longer than all else; else strips
                are empty.
        """
        layers = (each for each in self._spectators.values() if isinstance(each, LayerSpectator))
        latest = (recurrence for each in layers for recurrence in each.latest.values())
        return tuple(use_of(recurrence, strips=strips) for recurrence in latest if recurrence.order(0))

    def tell(self, loss: float, chance: float) -> None:
        """Say what the model has learned: verdicts weigh it from now on.

        No gradient shows whether a task needs what lies far back. A network that has learned may need nothing
        from where its error does not get.

        Args:
            loss: of late.
            chance: that of the best constant answer, or of the model before training.

        Example:
            >>> layer = nn.RNN(2, 3)
            >>> with watch(layer) as watched:
            ...     layer(torch.randn(30, 4, 2))[0].sum().backward()
            >>> watched.tell(loss=0.02, chance=0.69)
            >>> watched.verdict().kind
            'healthy'

        Raises:
            ConfigError: one of the two is no number.
        """
        if isnan(loss) or isnan(chance):
            raise ConfigError(f"expected a loss and that of chance, got loss={loss}, chance={chance}.")
        self._learning = Learning(loss, chance=chance)

    def verdict(self, settings: Mapping[str, Any] | None = None) -> Verdict:
        """What it comes to so far.

        Args:
            settings: the options of the model under the names of `unrolled train`'s, such as ``{"cell":
                "rnn"}``, as far as there are such; a remedy is named where all are known that it changes.

        Returns:
            A verdict on what was seen; of what could not be seen it says so.

        Raises:
            ConfigError: nothing was seen that could be judged; the message says why.
        """
        unseen = self.unseen
        judged = (each for each in self._all() if self._named(each) not in unseen)
        flows = (flow.result() for each in judged for flow in each.flows())
        known = {flow.layer: flow.decay for flow in flows if not any(map(isnan, flow.decay))}
        told = "; ".join(f"{name}: {reason}" for name, reason in unseen.items())
        if not any(len(decay) > 1 for decay in known.values()):
            if told:
                why = f" ({told})."
            elif known:
                why = f" ({', '.join(known)}: it read a single step)."
            else:
                why = "; show the state of a loop by hand with watch.step."
            raise ConfigError(
                f"expected errors that went back a step at least through a recurrent module, got none{why}"
            )
        found = conclude(known, settings or {}, gates=self.gates(), learning=self._learning)
        sentence = found.sentence
        if found.kind == "vanishing" and self._learning is None:
            sentence += f" {_NOT_TOLD}"
        return replace(found, sentence=f"{sentence} Not judged: {told}." if told else sentence)

    def report(self, path: str | Path) -> Path:
        """Write a page that shows all of it: one HTML file that needs no network.

        Raises:
            ConfigError: see `verdict`.
            MissingDependencyError: ``unrolled[tasks]`` is not installed, which draws.
            StorageError: it cannot be written; a file that was there before is untouched.
        """
        with MissingDependencyError.explaining("the page of a watch"):
            return write_file(path, drawing().watched_page(self))

    def figure(self) -> Figure:
        """The gradient over time and what is left of an error, as a figure of matplotlib.

        Raises:
            MissingDependencyError: ``unrolled[tasks]`` is not installed, which draws.
        """
        with MissingDependencyError.explaining("the figure of a watch"):
            return drawing().watched_figure(self)

    def _repr_html_(self) -> str:
        """As a notebook shows it."""
        try:
            with MissingDependencyError.explaining("what a watch shows"):
                return drawing().watched_fragment(self)
        except (ConfigError, MissingDependencyError) as error:  # nothing to see yet, or nothing to draw with
            return f"<p>{escape(str(error))}</p>"

    def reset(self) -> None:
        """Begin the statistics anew."""
        for each in self._all():
            each.reset()

    def resume(self) -> None:
        """Watch on after `close`, and add to what was seen; where it was not closed this does nothing."""
        if self not in _OPEN:
            self._leave = [attend(module, spectator) for module, spectator in self._places]
            _OPEN.append(self)

    def close(self) -> None:
        """Stop watching; what was seen stays."""
        for leave in self._leave:
            leave()
        self._leave = []
        if self in _OPEN:
            _OPEN.remove(self)

    def _all(self) -> list[Spectator]:
        return [*self._spectators.values(), *self._by_hand.values()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Watching:
    """What `watch` is: a function, with another beside it for who writes loops."""

    def __call__(self, module: nn.Module, *, every: int = 1) -> Watch:
        """Measure the gradient at every step of a module's recurrences, in the backward passes to come.

        Watched are layers and cells, ours and those of `torch.nn`, wherever in the module they are, and
        states that `watch.step` shows. The module computes what it always does, and nothing is left on it:
        it can be saved, copied and pickled meanwhile. It costs no second backward pass, and memory for the
        longest sequence alone.

        Args:
            module: any; holds recurrent layers or cells, is one, or calls `watch.step`.
            every: look at one of so many sequences, the first one included.

        Example:
            >>> layer = nn.RNN(2, 3)
            >>> with watch(layer) as watched:
            ...     layer(torch.randn(5, 4, 2))[0][-1].sum().backward()
            >>> [len(flow.norm) for flow in watched.flows()]
            [5]

        Raises:
            ConfigError: ``every`` is below 1.
        """
        return Watch(module, every)

    def step(self, state: Any, name: str = "state", of: nn.Module | None = None) -> Any:
        """Show the state that a loop written by hand hands on, after every step.

        Cells of `torch.nn` are found without it. While nothing is watched this does nothing.

        Args:
            state: a tensor, or a tuple, list or dict of them of which the first is looked at most closely;
                the batch is the first dimension.
            name: what to call it, where a module has several.
            of: the module it belongs to, in a forward ``self``; needed where several modules are watched.

        Returns:
            The same values, to go on with.

        Example:
            >>> inner, outer = nn.Linear(2, 3), nn.Linear(3, 3)
            >>> with watch(outer) as watched:
            ...     h = torch.zeros(4, 3)
            ...     for x in torch.randn(5, 4, 2):
            ...         h = watch.step(torch.tanh(inner(x) + outer(h)))
            ...     h.sum().backward()
            >>> [len(flow.norm) for flow in watched.flows()]
            [5]

        Raises:
            ConfigError: several modules are watched, and it is not said whose state this is; or it is none.
        """
        if not _OPEN:
            return state
        return _OPEN[0].shown(state, name, of)


watch = _Watching()

_OPEN: list[Watch] = []


def _shown(state: Any, name: str, of: nn.Module | None) -> Any:
    if of is None and len(_OPEN) > 1:
        raise ConfigError(
            f"expected watch.step(state, of=module) where several modules are watched, got no module; "
            f"{len(_OPEN)} are."
        )
    for each in tuple(_OPEN):
        if of is None or each.holds(of):
            state = each.step(state, name, of)
    return state


def _path(path: str) -> str:
    """A path in a module that may be compiled or wrapped by torch."""
    return ".".join(part for part in path.split(".") if part != "_orig_mod")
