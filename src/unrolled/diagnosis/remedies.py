"""Which remedy the evidence speaks for, with the options that apply it, the most promising first.

The options are those of the configuration of every task; a remedy is named where the settings have all of
them. What has a reason, but no more than that, is no remedy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil, log2
from typing import Any

from unrolled.cells.lookup import description_of
from unrolled.diagnosis.evidence import Evidence
from unrolled.diagnosis.remedy import Remedy

_FAR_FROM_USUAL = 3.0
"""A learning rate so many times as large, or as small, as a task's usual one is the first to be changed."""
_MORE_EPOCHS = 4


def vanishing(evidence: Evidence, lag: int) -> tuple[Remedy, ...]:
    """What keeps an error alive over so many steps."""
    made = [
        *_calmer(evidence),
        *_memory(evidence, lag + 1),
        *_identity(evidence),
        *_shortcut(evidence),
        *_orthogonal(evidence),
    ]
    return _applicable(evidence, made)


def exploding(evidence: Evidence) -> tuple[Remedy, ...]:
    """What bounds an error that grows."""
    made = [*_clipping(evidence), *_slower(evidence), *_gates(evidence), *_orthogonal(evidence)]
    return _applicable(evidence, made)


def diverged(evidence: Evidence) -> tuple[Remedy, ...]:
    """What keeps training from running away."""
    slower = list(_slower(evidence))
    clip = [each for each in _clipping(evidence) if each.name == "gradient clipping"]
    both = [each.together_with(other) for each in slower for other in clip]
    return _applicable(evidence, [*both, *slower, *clip, *_gates(evidence)])


def idle(evidence: Evidence, what: str) -> tuple[Remedy, ...]:
    """What brings units to life: a start, or steps, that leave them where their activation has a slope."""
    calmer = list(_calmer(evidence))
    cells = list(_gates(evidence))
    activation = []
    if evidence.settings.get("activation") == "relu":
        why = "A tanh unit has a slope wherever it is, while a ReLU unit below 0 has none."
        tanh = Remedy("tanh in place of ReLU", {"activation": "tanh"}, why)
        activation = [*(tanh.together_with(calm) for calm in calmer), tanh]
    slower = calmer or list(_slower(evidence))
    both = [cell.together_with(slow) for cell in cells for slow in slower]
    # What has no slope is mended first: another cell may need other steps than this one.
    return _applicable(evidence, [*activation, *both, *slower, *cells, *_shut_gates(evidence, what)])


def short_sighted(evidence: Evidence) -> tuple[Remedy, ...]:
    """A window that reaches what there is to use, with as many updates as before."""
    window, reach = evidence.settings.get("window"), evidence.settings.get("reach")
    found = evidence.need
    lag = None if not window or found is None else found.beyond(reach or window)
    if not window or lag is None:
        return ()
    # A dependency is learned where many windows hold both of its ends.
    wanted = max(2 ** ceil(log2(2 * (lag + 1))), 2 * window)
    why = f"There is something to use {lag} steps back, {lag + 1 - (reach or window)} "
    why += f"beyond the {'window' if reach is None else 'reach'}"
    if reach is not None:
        longer = Remedy("longer reach", {"reach": wanted}, f"{why}; the number of updates stays the same.")
        return _applicable(evidence, [longer])
    alone = Remedy("longer window", {"window": wanted}, f"{why}.")
    kept = Remedy(f"reach of {wanted}", {"reach": wanted}, f"{why}; the updates stay as many as they were.")
    epochs = evidence.settings.get("epochs")
    if not epochs:
        return _applicable(evidence, [alone, kept])
    # Patience counts epochs, which hold fewer updates then.
    patience = evidence.settings.get("patience")
    waits = {"patience": ceil(patience * wanted / window)} if patience else {}
    as_many = Remedy(
        "longer window, as many updates",
        {"window": wanted, "epochs": ceil(epochs * wanted / window)} | waits,
        f"{why}; with windows so long it takes more epochs to make as many updates.",
    )
    return _applicable(evidence, [as_many, alone, kept])


def undecided(evidence: Evidence) -> tuple[Remedy, ...]:
    """What would decide: more of what was cut short, or steps of another size."""
    usual, longer = [*_calmer(evidence), *_livelier(evidence)], list(_longer(evidence))
    both = [each.together_with(more) for each in usual for more in longer]
    return _applicable(evidence, [*both, *usual, *longer, *_faster(evidence)])


def healthy(evidence: Evidence) -> tuple[Remedy, ...]:
    """What a sound network has left unused."""
    return _applicable(evidence, _longer(evidence))


def worth_trying(evidence: Evidence, named: Iterable[Remedy], most: int) -> tuple[Remedy, ...]:
    """The remedies to be tried: those named by a verdict, then combinations and changes of general use.

    Args:
        evidence: what is known.
        named: of the verdict, the most promising first.
        most: how many at most.
    """
    named = list(named)
    rates = [*_calmer(evidence), *_faster(evidence), *_slower(evidence)]
    combined = [
        each.together_with(rate)
        for each in named[:2]
        for rate in rates[:1]
        if not each.options.keys() & rate.options.keys()
    ]
    # The farthest horizon that an error was followed to, where nothing else says what is needed.
    lag = max((len(decay) - 1 for decay in evidence.known.values()), default=2)
    general = [
        *_longer(evidence),
        *rates,
        *_memory(evidence, lag + 1),
        *_shortcut(evidence),
        *_wider(evidence),
    ]
    first = named[: max(1, most - 2)]
    unique: dict[frozenset[tuple[str, Any]], Remedy] = {}
    for each in [*first, *combined, *named, *general]:
        unique.setdefault(frozenset(each.options.items()), each)
    return _applicable(evidence, unique.values())[:most]


def _applicable(evidence: Evidence, remedies: Iterable[Remedy]) -> tuple[Remedy, ...]:
    """Those whose options there are, and that change one."""
    settings = evidence.settings
    return tuple(
        each
        for each in remedies
        if each.options.keys() <= settings.keys()
        and any(settings[name] != value for name, value in each.options.items())
    )


def _memory(evidence: Evidence, horizon: int) -> Iterator[Remedy]:
    """Cells that remember, and gates that start out remembering for long enough."""
    start = {"chrono": float(horizon)} if horizon > 2 else {}
    cell, chrono = evidence.settings.get("cell"), evidence.settings.get("chrono")
    if cell == "rnn":
        why = "Its cell passes an error on through a gate instead of a matrix"
        why += f", and starts out remembering for up to {horizon} steps." if start else "."
        with_start = " with chrono initialisation" if start else ""
        yield Remedy(f"LSTM{with_start}", _cell(evidence, "lstm") | start, why)
        yield Remedy(f"GRU{with_start}", _cell(evidence, "gru") | start, why)
    elif start and _keeps(cell) and (chrono is None or chrono < horizon):
        yield Remedy("chrono initialisation", start, f"Units start out remembering for 1 to {horizon} steps.")


def _keeps(cell: Any) -> bool:
    """Whether the cell has a gate whose bias makes it remember."""
    return cell in (None, "gru", "lstm") or description_of(cell).remembers


def _gates(evidence: Evidence) -> Iterator[Remedy]:
    if evidence.settings.get("cell") == "rnn":
        why = "Its cell passes an error on through a gate, which cannot enlarge it."
        yield Remedy("LSTM", _cell(evidence, "lstm"), why)
        yield Remedy("GRU", _cell(evidence, "gru"), why)


def _cell(evidence: Evidence, cell: str) -> dict[str, Any]:
    """The options of another cell, which has no choice of activation."""
    other = evidence.settings.get("activation") not in (None, "tanh")
    identity = evidence.settings.get("recurrent_init") == "identity"
    return (
        {"cell": cell}
        | ({"activation": "tanh"} if other else {})
        | ({"recurrent_init": "orthogonal"} if identity else {})
    )


def _identity(evidence: Evidence) -> Iterator[Remedy]:
    settings = evidence.settings
    now = settings.get("activation"), settings.get("recurrent_init")
    if settings.get("cell") == "rnn" and now != ("relu", "identity"):
        yield Remedy(
            "identity initialisation with ReLU",
            {"activation": "relu", "recurrent_init": "identity"},
            "A unit that is active starts out passing an error on unchanged (Le, Jaitly & Hinton 2015).",
        )


def _orthogonal(evidence: Evidence) -> Iterator[Remedy]:
    settings = evidence.settings
    if settings.get("cell") == "rnn" and settings.get("recurrent_init") not in ("orthogonal", "identity"):
        yield Remedy(
            "orthogonal initialisation",
            {"recurrent_init": "orthogonal"},
            "The recurrent matrix starts out keeping the length of an error.",
        )


def _shortcut(evidence: Evidence) -> Iterator[Remedy]:
    if evidence.settings.get("pooling") == "last":
        yield Remedy(
            "attention over the steps",
            {"pooling": "attention"},
            "Every step then reaches the answer on a way of its own, past the recurrence.",
        )


def _shut_gates(evidence: Evidence, what: str) -> Iterator[Remedy]:
    """Gates that start out half open."""
    if what == "share shut off" and evidence.settings.get("forget_bias") is not None:
        why = "Gates that start out half open let something through to learn from."
        yield Remedy("gates half open", {"forget_bias": None, "chrono": None}, why)


def _clipping(evidence: Evidence) -> Iterator[Remedy]:
    """A threshold by the usual norm: a mean is what a few that exploded make it."""
    use, settings = evidence.clipping, evidence.settings
    threshold = _rounded(use.typical) if use is not None and use.typical > 0 else 1.0
    measured = "" if use is None else f", the typical norm of your gradients being {use.typical:.3g}"
    if settings.get("clip") == "none":
        why = f"One exploding gradient cannot undo what was learnt{measured}."
        yield Remedy("gradient clipping", {"clip": "norm", "clip_threshold": threshold}, why)
    elif use is not None and settings.get("clip") in ("norm", "value"):
        low, high = use.suggested
        if settings.get("clip_threshold") is None or not low <= settings["clip_threshold"] <= high:
            why = f"Between {low:.3g} and {high:.3g} is sensible, half of and ten times the typical norm."
            yield Remedy("clipping threshold", {"clip": "norm", "clip_threshold": threshold}, why)


def _usual_rate(evidence: Evidence) -> tuple[float, float] | None:
    """The learning rate, and the task's usual one."""
    rate, usual = evidence.settings.get("learning_rate"), evidence.usual.get("learning_rate")
    if not rate or not usual or evidence.settings.get("optimizer") != evidence.usual.get("optimizer"):
        return None
    return rate, usual


def _calmer(evidence: Evidence) -> Iterator[Remedy]:
    """The usual learning rate in place of one that is far above it."""
    rates = _usual_rate(evidence)
    if rates is not None and rates[0] > _FAR_FROM_USUAL * rates[1]:
        rate, usual = rates
        why = f"{rate:g} is {rate / usual:.3g} times the usual {usual:g}: such steps throw the weights about."
        yield Remedy("usual learning rate", {"learning_rate": usual}, why)


def _slower(evidence: Evidence) -> Iterator[Remedy]:
    rate = evidence.settings.get("learning_rate")
    calmer = list(_calmer(evidence))
    yield from calmer
    if rate and not calmer:
        why = f"Smaller steps than {rate:g} do not throw the weights to where errors explode."
        yield Remedy("lower learning rate", {"learning_rate": _rounded(rate / 3)}, why)


def _livelier(evidence: Evidence) -> Iterator[Remedy]:
    """The usual learning rate in place of one that is far below it."""
    rates = _usual_rate(evidence)
    if rates is not None and rates[0] * _FAR_FROM_USUAL < rates[1]:
        rate, usual = rates
        why = f"{rate:g} is {usual / rate:.3g} times less than the usual {usual:g}: such steps get nowhere."
        yield Remedy("usual learning rate", {"learning_rate": usual}, why)


def _faster(evidence: Evidence) -> Iterator[Remedy]:
    rates, livelier = _usual_rate(evidence), list(_livelier(evidence))
    yield from livelier
    if rates is None or livelier:
        return
    rate, usual = rates
    if rate <= usual * _FAR_FROM_USUAL:
        why = f"Larger steps than {rate:g} get farther in as many updates."
        yield Remedy("higher learning rate", {"learning_rate": _rounded(3 * rate)}, why)


def _longer(evidence: Evidence) -> Iterator[Remedy]:
    """More epochs, where those there were ended too soon."""
    epochs, usual = evidence.settings.get("epochs"), evidence.usual.get("epochs")
    if evidence.course is not None and evidence.course.unfinished and epochs:
        more = max(_MORE_EPOCHS * epochs, usual or 0)
        why = "Its score was still getting better when its last epoch was done."
        yield Remedy("more epochs", {"epochs": more}, why)


def _wider(evidence: Evidence) -> Iterator[Remedy]:
    size = evidence.settings.get("hidden_size")
    if isinstance(size, int):
        yield Remedy("more units", {"hidden_size": 2 * size}, f"{size} units may be too few.")


def _rounded(value: float) -> float:
    """To two digits, as a person would write it."""
    return float(f"{value:.2g}")
