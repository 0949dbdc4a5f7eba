"""An examination made by hand: small, complete, and with what a page has to survive in it."""

import math
from dataclasses import replace

from unrolled.diagnosis import (
    ClippingUse,
    ContextCurve,
    Diagnosis,
    Gates,
    GateUse,
    GradientFlow,
    Jacobians,
    OrderTest,
    RecurrentMatrix,
    Remedy,
    Triangle,
    Verdict,
    WeightParts,
)
from unrolled.inspection.examination import Examination

STEPS = 12
HOSTILE = "<script>alert(1)</script>"


def strip(value):
    return tuple((value, 1 - value, value / 2) for _ in range(STEPS))


def of_layer(layer, rate):
    """All results of one layer whose error changes by ``rate`` at every step."""
    norms = tuple(rate**step for step in range(STEPS))
    matrix = RecurrentMatrix({"candidate": rate}, {"candidate": 0.9 * rate}, 1.0)
    return {
        "flows": GradientFlow(
            layer, 3, (9,) * STEPS, norms, tuple(norm / 3 for norm in norms), (rate,) * (STEPS - 1)
        ),
        "triangles": Triangle(
            layer,
            tuple(range(STEPS)),
            tuple(
                tuple(rate ** (row - step) if step <= row else 0.0 for step in range(STEPS))
                for row in range(STEPS)
            ),
            False,
        ),
        "jacobians": Jacobians(
            layer, 3, (0, 5, 11), (rate,) * 3, (rate / 2,) * 3, (1, 4, 11), (rate, rate**4, rate**11),
            (0.0, 0.0, 0.0), (math.log(rate), -1.0), matrix,
        ),
        "weights": WeightParts(layer, (STEPS - 1,), norms, norms),
        "gates": Gates(
            layer,
            "lstm",
            {
                "input_gate": GateUse(0.3, 0.1, 0.2, strip(0.3)),
                "forget_gate": GateUse(0.9, 0.6, 0.0, strip(0.9)),
                "candidate": GateUse(0.0, 0.1, 0.1, strip(-0.5)),
                "output_gate": GateUse(0.5, 0.0, 0.0, strip(0.5)),
            },
            (0.4, 3.0, math.inf),
            0.25,
            None,
        ),
    }  # fmt: skip


def examination(rates=None, labels=None, **changes):
    """An examination of a layer for each of ``rates``, by name."""
    layers = [of_layer(layer, rate) for layer, rate in (rates or {"recurrent.l0": 0.5}).items()]
    verdict = Verdict(
        "vanishing",
        f"The error vanishes: 4.9e-04 of it is left {HOSTILE}.",
        {"left at that lag": 4.9e-4, "factor per step": 0.5},
        (Remedy("LSTM with chrono initialisation", {"cell": "lstm", "chrono": 12}, "It keeps & carries."),),
    )
    diagnosis = Diagnosis(
        **{name: tuple(layer[name] for layer in layers) for name in layers[0]},
        context=ContextCurve((1, 4, 12), (1.0, 0.5, 0.4)),
        order=OrderTest(0.4, (0.8, 0.9), 1.0),
        clipping=ClippingUse(4, 0.5, 2.0, (0.5, 0.6, 1.0, 2.0, 3.0, 3.9, 4.0), (1.0, 20.0)),
        verdict=verdict,
    )
    made = Examination(
        name=f"model {HOSTILE}",
        task="tag",
        network="LSTM, 1 layer of 3 units, one direction",
        data="words.tsv",
        labels=tuple(labels or [HOSTILE, "costs $5", *["word"] * (STEPS - 2)]),
        norms=(0.5, 1.0, 2.5, 4.0),
        threshold=1.0,
        diagnosis=diagnosis,
    )
    parts = {name: value for name, value in changes.items() if name in Diagnosis.__dataclass_fields__}
    return replace(made, diagnosis=replace(diagnosis, **parts))
