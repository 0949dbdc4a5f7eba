"""How far back does it use its input, and how far back is there something to use?"""

from __future__ import annotations

from unrolled.diagnosis.evidence import Evidence
from unrolled.diagnosis.finding import Finding, Kind
from unrolled.diagnosis.judges.wording import steps
from unrolled.diagnosis.remedies import short_sighted


def need(evidence: Evidence) -> Finding:
    """Order that nothing rests on, and a window too short for what there is to use."""
    numbers: dict[str, float] = {}
    said = [*_used(evidence, numbers), *_there(evidence, numbers), *_order(evidence, numbers)]
    ground = " ".join(said)
    unordered = _without_order(evidence)
    if unordered is not None:
        kind, sentence = unordered
        return Finding(ground, numbers, kind, sentence)
    cut = _cut_off(evidence)
    if cut is not None:
        return Finding(ground, numbers, "short-sighted", cut, short_sighted(evidence))
    return Finding(ground, numbers)


def _used(evidence: Evidence, numbers: dict[str, float]) -> list[str]:
    context = evidence.context
    if context is None:
        return []
    used, whole = context.used(), context.steps[-1]
    if evidence.learned is False:
        return []
    numbers["latest steps that it uses"] = used
    return [f"Of the {whole} steps before an answer it uses the latest {used}."]


def _there(evidence: Evidence, numbers: dict[str, float]) -> list[str]:
    found = evidence.need
    if found is None:
        return []
    numbers["loss that the probe starts from"] = found.loss
    if found.lag is None:
        most = max(found.gains, default=0.0)
        if most <= 0:
            return [f"A probe ({found.probe}) finds nothing in the past that it misses."]
        back = steps(found.lags[found.gains.index(most)])
        told = f"it saves {most:.3g} of its loss at most, by what stood {back} back, where less than"
        nothing = f"A probe ({found.probe}) finds nothing in the past that it misses for sure"
        return [f"{nothing}: {told} {found.least:.3g} does not count."]
    gain = found.gain_at(found.lag)
    numbers |= {"lag at which the probe finds most": found.lag, "loss that it saves there": gain}
    return [f"A probe ({found.probe}) saves {gain:.3g} of its loss by what stood {steps(found.lag)} back."]


def _order(evidence: Evidence, numbers: dict[str, float]) -> list[str]:
    order = evidence.order
    if order is None or not order.learned:
        return []
    numbers["loss"] = order.ordered
    numbers["loss when shuffled"] = order.ordered + order.lost
    return [
        f"With the elements shuffled its loss is {order.ordered + order.lost:.4g} "
        f"(in order {order.ordered:.4g})."
    ]


def _without_order(evidence: Evidence) -> tuple[Kind, str] | None:
    """Shuffling costs nothing, and what it does without order a simpler method does as well."""
    order, found = evidence.order, evidence.need
    if order is None or not order.nothing_lost or evidence.learned is False:
        return None
    lost = (
        f"Shuffling the elements of each sequence costs next to nothing (loss {order.ordered:.4g}, shuffled "
        f"{order.ordered + order.lost:.4g})"
    )
    if found is not None and (found.order_gain or 0.0) > found.least:
        return (
            "order not used",
            f"{lost}, though what stood where would lower it by {found.order_gain:.3g}: this model does "
            "not use the order of its input.",
        )
    if evidence.context is not None and evidence.context.used() == 1:
        told = "and each answer rests on the latest step alone: this data does not need order."
        return "order not needed", f"{lost}, {told}"
    if evidence.learning is None:
        return "order not needed", f"{lost}: what this model does on this data does not need order."
    rival = evidence.learning.as_good_without_order
    if rival is not None:
        told = f"and {rival}, which makes nothing of order, does as well: this data does not need order."
        return "order not needed", f"{lost}, {told}"
    return None


def _cut_off(evidence: Evidence) -> str | None:
    """The gradient is cut off before it reaches what there is to use."""
    window = evidence.settings.get("window")
    reach = evidence.settings.get("reach") or window
    found = evidence.need
    lag = None if not reach or found is None else found.beyond(reach)
    if found is None or lag is None:
        return None
    gain = found.gain_at(lag)
    name = "window" if evidence.settings.get("reach") is None else "reach"
    return (
        f"The {name} of {reach} steps cuts the gradient off before it reaches what there is to use: what "
        f"stood {steps(lag)} back would lower the loss of {found.loss:.4g} by {gain:.3g}."
    )
