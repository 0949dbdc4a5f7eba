"""Does it learn?"""

from __future__ import annotations

from unrolled.diagnosis.evidence import Evidence
from unrolled.diagnosis.finding import Finding


def learning(evidence: Evidence) -> Finding:
    """Against its own start, the best constant answer and the best simple method; decides nothing alone."""
    found = evidence.learning
    numbers: dict[str, float] = {}
    if found is None:
        return _by_order(evidence)
    numbers["loss"] = found.loss
    beside = []
    if found.chance is not None:
        numbers["loss of the best constant answer"] = found.chance
        beside.append(f"{found.chance:.4g} of the best constant answer")
    if found.start is not None:
        numbers["loss before training"] = found.start
        beside.append(f"{found.start:.4g} before training")
    said = "It has learned" if found.learned else "It has not learned"
    ground = f"{said}: its loss is {found.loss:.4g}" + (f" against {' and '.join(beside)}" if beside else "")
    if found.score is not None:
        numbers[found.monitor] = found.score
        ground += f"; its {found.monitor} is {found.score:.4g}"
    if found.score is not None and found.rival is not None:
        other = found.baselines[found.rival]
        numbers[f"{found.monitor} of {found.rival}"] = other
        ground += f" against {other:.4g} of {found.rival}"
    return Finding(f"{ground}.", numbers)


def _by_order(evidence: Evidence) -> Finding:
    """Of an order test alone."""
    order = evidence.order
    if order is None or order.chance is None:
        return Finding()
    said = "It has learned" if order.learned else "It has not learned"
    return Finding(
        f"{said}: its loss is {order.ordered:.4g} against {order.chance:.4g} of the best constant answer.",
        {"loss": order.ordered, "loss of the best constant answer": order.chance},
    )
