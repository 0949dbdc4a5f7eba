"""Which remedy helps in which case, with the options that apply it.

The options are those of the configuration of every task; a remedy is named where the case has all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrolled.cells.lookup import description_of
from unrolled.diagnosis.clipping import ClippingUse
from unrolled.diagnosis.remedy import Remedy

_WORTH_MORE = 0.1
"""With so much of an error left at the end of a window, a longer one would learn more."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a remedy is chosen by.

    Attributes:
        settings: the options that were used, by name.
        decay: what is left of an error by lag, in the layer that decided the verdict.
        clipping: of the training run, where there is one.
    """

    settings: Mapping[str, Any]
    decay: Sequence[float]
    clipping: ClippingUse | None

    @property
    def lag(self) -> int:
        """The longest lag."""
        return len(self.decay) - 1

    def get(self, option: str) -> Any:
        """The option's value, None where it is unknown."""
        return self.settings.get(option)


def vanishing(case: Case) -> tuple[Remedy, ...]:
    """What keeps an error alive over many steps, the most promising first."""
    return _applicable(case, [*_memory(case), *_identity(case), *_orthogonal(case), *_steadying(case)])


def exploding(case: Case) -> tuple[Remedy, ...]:
    """What bounds an error that grows, the most promising first."""
    remedies = [*_clipping(case), *_slower(case), *_orthogonal(case), *_gates(case), *_steadying(case)]
    return _applicable(case, remedies)


def healthy(case: Case) -> tuple[Remedy, ...]:
    """What would let a sound network learn from further back."""
    return _applicable(case, _window(case))


def _applicable(case: Case, remedies: Iterable[Remedy]) -> tuple[Remedy, ...]:
    return tuple(remedy for remedy in remedies if remedy.options.keys() <= case.settings.keys())


def _memory(case: Case) -> Iterator[Remedy]:
    """Cells that remember, and gates that start out remembering for long enough."""
    horizon = case.lag + 1
    start = {"chrono": horizon} if horizon > 2 else {}
    if case.get("cell") == "rnn":
        why = "Its cell passes an error on through a gate instead of a matrix"
        why += f", and starts out remembering for up to {horizon} steps." if start else "."
        yield Remedy("LSTM with chrono initialisation", _cell(case, "lstm") | start, why)
        yield Remedy("GRU with chrono initialisation", _cell(case, "gru") | start, why)
    elif start and _keeps(case) and (case.get("chrono") is None or case.get("chrono") < horizon):
        yield Remedy("chrono initialisation", start, f"Units start out remembering for 1 to {horizon} steps.")
        if case.get("cell") == "lstm" and case.get("chrono") is None and case.get("forget_bias") is None:
            yield Remedy("forget gate bias", {"forget_bias": 1.0}, "The forget gate starts out open.")


def _keeps(case: Case) -> bool:
    """Whether the cell has a gate whose bias makes it remember."""
    cell = case.get("cell")
    return cell in (None, "gru", "lstm") or description_of(cell).remembers


def _gates(case: Case) -> Iterator[Remedy]:
    if case.get("cell") == "rnn":
        why = "Its cell passes an error on through a gate, which cannot enlarge it."
        yield Remedy("LSTM", _cell(case, "lstm"), why)
        yield Remedy("GRU", _cell(case, "gru"), why)


def _cell(case: Case, cell: str) -> dict[str, Any]:
    """The options of another cell, which has no choice of activation."""
    return {"cell": cell} | ({"activation": "tanh"} if case.get("activation") not in (None, "tanh") else {})


def _identity(case: Case) -> Iterator[Remedy]:
    if case.get("cell") == "rnn" and (case.get("activation"), case.get("recurrent_init")) != (
        "relu",
        "identity",
    ):
        yield Remedy(
            "identity initialisation with ReLU",
            {"activation": "relu", "recurrent_init": "identity"},
            "A unit that is active starts out passing an error on unchanged (Le, Jaitly & Hinton 2015).",
        )


def _orthogonal(case: Case) -> Iterator[Remedy]:
    if case.get("recurrent_init") not in ("orthogonal", "identity"):
        yield Remedy(
            "orthogonal initialisation",
            {"recurrent_init": "orthogonal"},
            "The recurrent matrix starts out keeping the length of an error.",
        )


def _steadying(case: Case) -> Iterator[Remedy]:
    """What holds the size of an error on the way, whatever the cell."""
    if not case.get("layer_norm"):
        yield Remedy(
            "layer normalisation",
            {"layer_norm": True},
            "Units stay out of the flat parts of their activation, and products at one size.",
        )
    if not case.get("omega"):
        yield Remedy(
            "Omega regulariser",
            {"omega": 1.0},
            "Training is pulled towards steps that keep an error's size (Pascanu et al. 2013).",
        )
    if not case.get("flossing"):
        yield Remedy(
            "gradient flossing",
            {"flossing": 1.0},
            "Training is pulled towards Lyapunov exponents of zero (Engelken 2023).",
        )


def _clipping(case: Case) -> Iterator[Remedy]:
    mean = None if case.clipping is None else case.clipping.mean
    threshold = _rounded(mean) if mean else 1.0
    measured = f", the mean norm of your gradients being {mean:.3g}" if mean else ""
    if case.get("clip") == "none":
        why = f"One exploding gradient cannot undo what was learnt{measured}."
        yield Remedy("gradient clipping", {"clip": "norm", "clip_threshold": threshold}, why)
    elif case.clipping is not None and case.get("clip") in ("norm", "value"):
        low, high = case.clipping.suggested
        if case.get("clip_threshold") is None or not low <= case.get("clip_threshold") <= high:
            why = f"Between {low:.3g} and {high:.3g} is sensible, half of and ten times the mean norm."
            yield Remedy("clipping threshold", {"clip": "norm", "clip_threshold": threshold}, why)


def _slower(case: Case) -> Iterator[Remedy]:
    rate = case.get("learning_rate")
    if rate:
        yield Remedy(
            "lower learning rate",
            {"learning_rate": _rounded(rate / 3)},
            f"Smaller steps than {rate:g} do not throw the weights to where errors explode.",
        )


def _window(case: Case) -> Iterator[Remedy]:
    window, reach = case.get("window"), case.get("reach")
    if not window or case.lag + 1 < window:
        return
    at = min(case.lag, (reach or window) - 1)
    left = case.decay[at]
    if left < _WORTH_MORE:
        return
    option = "window" if reach is None else "reach"
    yield Remedy(
        f"longer {option}",
        {option: 2 * (reach or window)},
        f"At lag {at}, the end of your {option}, the gradient still has {left:.0%} of its size: lengthen it.",
    )


def _rounded(value: float) -> float:
    """To two digits, as a person would write it."""
    return float(f"{value:.2g}")
