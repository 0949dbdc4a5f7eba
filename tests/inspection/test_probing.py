"""The probes of forecasts and of what writes find what is there, and nothing where there is nothing."""

import numpy as np
import pandas as pd
import pytest
import torch

from tests.inspection.test_examination import blank
from unrolled import Captioner, Forecaster, Translator
from unrolled.inspection.chains import chained
from unrolled.inspection.examination import examine
from unrolled.inspection.measuring import Measured
from unrolled.inspection.probing import probe
from unrolled.inspection.probing.arrays import told_by

SMALL = {"hidden_size": 4, "embedding_size": 4}


def series(lag, length=1200, seed=0):
    """Numbers of which each is mostly the one so many steps before; without a lag noise."""
    draw = np.random.default_rng(seed)
    values = draw.standard_normal(length)
    for at in range(lag or length, length):
        values[at] = 0.9 * values[at - lag] + 0.4 * values[at]
    return pd.DataFrame({"ds": np.arange(length), "y": values})


def forecaster(data):
    options = {
        "hidden_size": 4,
        "context": 40,
        "lags": 3,
        "quantiles": (),
        "scaling": "standard",
        "season": 1,
    }
    return Measured(Forecaster(**options).untrained(data), data)


@pytest.mark.parametrize("lag", [7, 25])
def test_a_forecaster_misses_what_stands_beyond_its_direct_connection(lag):
    found = probe(forecaster(series(lag)))
    assert found.lag == lag - 1  # the last number read is a step nearer than what it is followed by
    assert found.gain_at(lag - 1) > 0.3 * found.loss
    assert min(found.lags) == 3  # what the direct connection sees is no matter of the recurrence


def test_noise_has_nothing_to_be_used():
    assert probe(forecaster(series(0))).lag is None


def pairs(count, kind, seed=0):
    draw = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        letters = [str(draw.choice(list("abcdef"))) for _ in range(5)]
        written = {
            "copied": letters,
            "reversed": letters[::-1],
            "noise": [str(draw.choice(list("xyz"))) for _ in "12345"],
        }
        made.append((" ".join(letters), " ".join(written[kind])))
    return made


@pytest.mark.parametrize("kind", ["copied", "reversed", "noise"])
def test_a_translator_misses_what_it_makes_nothing_of(kind):
    data = pairs(400, kind)
    found = probe(blank(Measured(Translator(**SMALL).untrained(data), data)))
    if kind == "noise":
        assert found.lag is None
        return
    # The end is read as well: a copied symbol six steps before, those of a reversed text two to ten.
    assert found.lag == 6
    assert found.gain_at(found.lag) > 0.3 * found.loss


@pytest.mark.parametrize("told", [True, False])
def test_a_caption_misses_what_its_numbers_say(told):
    draw = np.random.default_rng(0)
    numbers = draw.random((400, 2))
    texts = [
        f"{'high' if a > 0.5 else 'low'} then {'high' if b > 0.5 else 'low'}"
        for a, b in (numbers if told else draw.random((400, 2)))
    ]
    data = [([float(a), float(b)], text) for (a, b), text in zip(numbers, texts, strict=True)]
    found = probe(blank(Measured(Captioner(**SMALL, attention="none").untrained(data), data)))
    if not told:
        assert found.lag is None
        return
    # The first word meets the input a step back, the third two steps further.
    assert found.gain_at(1) > found.least
    assert found.gain_at(3) > found.least
    assert found.gain_at(2) <= found.least


def test_the_chances_of_targets_are_those_of_the_outputs():
    data = pairs(70, "copied")
    measured = Measured(Translator(**SMALL).untrained(data), data)
    batch = measured.batch
    with torch.no_grad():
        whole = measured.run(batch).double().log_softmax(-1)
    found = told_by(measured, batch)
    for row, length in enumerate(batch.output_lengths.tolist()):
        for step in range(length):
            assert found[row, step] == pytest.approx(
                float(whole[row, step, batch.targets[row, step]]), abs=1e-5
            )


def test_an_error_of_what_is_written_goes_through_what_was_read():
    decays = {"encoder.l0": (1.0, 0.5), "encoder.l0_reverse": (1.0, 0.1), "decoder.recurrent.l0": (1.0, 0.2)}
    whole = chained(decays)
    assert list(whole) == ["decoder.recurrent.l0, encoder.l0", "decoder.recurrent.l0, encoder.l0_reverse"]
    assert whole["decoder.recurrent.l0, encoder.l0"] == pytest.approx((1.0, 0.2, 0.2, 0.1))
    assert chained({"recurrent.l0": (1.0, 0.5)}) == {"recurrent.l0": (1.0, 0.5)}


def test_what_decided_an_output_is_measured_for_the_input():
    data = pairs(40, "reversed")
    made = examine(Translator(**SMALL).untrained(data), data, "model")
    first = made.diagnosis.inputs[0]
    assert first.layer == "encoder"
    assert len(first.norm) == len(made.labels) == 6
    assert sum(first.share) == pytest.approx(1.0)
