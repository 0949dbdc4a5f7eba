"""A training that is watched: what is told on the way, what it comes to, and what the history keeps."""

import json
import math
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import unrolled
from tests.training.tiny import TinyLoader, make_batch, make_model
from unrolled.diagnosis import Verdict
from unrolled.training import CrossEntropy, TrainingConfig
from unrolled.training.constant import answers_in, constant_loss
from unrolled.training.history import History, LayerRecord
from unrolled.training.live import LiveDiagnosis, over_time, told
from unrolled.training.loss import BinaryCrossEntropy, NegativeLogLikelihood, SquaredError
from unrolled.training.trainer import Trainer

SMALL = {"hidden_size": 6, "embedding_size": 6, "dropout": 0.0, "input_dropout": 0.0, "device": "cpu"}
WORDS = [
    ("fine it was so", "good"),
    ("dull it was so", "bad"),
    ("fine was it", "good"),
    ("dull was it", "bad"),
] * 40


@settings(deadline=None, max_examples=15)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["classes", "weighted", "likelihood", "keys", "numbers"]),
    st.booleans(),
)
def test_no_constant_answer_is_better_than_the_best(seed, kind, summed):
    draw = torch.Generator().manual_seed(seed)
    reduction = "sum" if summed else "mean"
    rows, steps, wide = 5, 6, 3
    lengths = torch.randint(1, steps + 1, (rows,), generator=draw).tolist()
    base = make_batch(size=rows, time=steps, lengths=lengths)
    if kind in ("keys", "numbers"):
        targets = torch.rand(rows, steps, wide, generator=draw, dtype=torch.float64)
        targets = (targets > 0.6).double() if kind == "keys" else targets
        loss = BinaryCrossEntropy(reduction) if kind == "keys" else SquaredError(reduction)
    else:
        targets = torch.randint(wide, (rows, steps), generator=draw)
        loss = NegativeLogLikelihood(reduction) if kind == "likelihood" else CrossEntropy(
            reduction, weights=[0.5, 1.0, 2.0] if kind == "weighted" else None
        )  # fmt: skip
    batch = type(base)(base.inputs, base.lengths, targets, True)
    best = constant_loss(loss, answers_in(batch), batch.size)
    assert best is not None
    answer = torch.zeros(wide, dtype=torch.float64, requires_grad=True)
    shape = (rows, steps, wide)

    def value():
        said = answer.log_softmax(-1) if kind == "likelihood" else answer
        part = loss(said.expand(shape), batch)
        return part.total / part.count

    optimizer = torch.optim.LBFGS([answer], max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-10)

    def closure():
        optimizer.zero_grad()
        found = value()
        found.backward()
        return found

    optimizer.step(closure)
    assert value().item() == pytest.approx(best, rel=1e-4, abs=1e-3)


def test_what_has_no_frequency_has_no_best_constant():
    assert constant_loss(CrossEntropy(label_smoothing=0.1), torch.tensor([0, 1]), 2) is None


def test_the_end_of_a_watched_training_says_what_the_judges_say():
    fitted = unrolled.Classifier(
        cell="gru", diagnose=True, epochs=12, learning_rate=3e-2, bidirectional=False, pooling="last", **SMALL
    ).fit(WORDS, dev=WORDS[:20])
    verdict = fitted.verdict
    assert verdict.kind == "healthy"
    assert verdict.numbers["accuracy"] == fitted.dev_evaluation.scores["accuracy"]
    # Each judge has its say, with the numbers of this run.
    assert [ground.split()[0] for ground in verdict.grounds] == ["All", "It", "Training", "After"]
    assert f"{verdict.numbers['training loss at the end']:.4g}" in verdict.grounds[2]
    assert fitted.history.epochs[-1].loss == verdict.numbers["training loss at the end"]
    assert unrolled.Classifier(epochs=1, **SMALL).fit(WORDS, dev=WORDS[:20]).verdict is None


def test_a_network_that_learned_nothing_is_not_called_healthy_for_a_score_as_good_as_a_simple_one():
    data = [
        (" ".join("ab"[(number >> bit) & 1] for bit in range(5)), "xy"[number % 2]) for number in range(32)
    ]
    fitted = unrolled.Classifier(
        cell="rnn", diagnose=True, epochs=2, learning_rate=1e-7, pooling="last", bidirectional=False, **SMALL
    ).fit(data, dev=data)
    assert fitted.verdict.kind != "healthy"
    assert "It has not learned" in fitted.verdict.grounds[1]


def told_over(kinds, updates):
    """What is told over so many updates, where each verdict of 128 is of the next of these kinds."""
    live = LiveDiagnosis(make_model(), CrossEntropy(), TrainingConfig(device="cpu"))
    live._look = lambda: None
    found = (Verdict(kind, "Because.", {}) for kind in kinds)
    with mock.patch("unrolled.training.live.judged", side_effect=found):
        said = [live.after(update, 1.0, History()) for update in range(1, updates + 1)]
    live.close()
    return [(at, each.kind) for at, each in enumerate(said, start=1) if each is not None]


def test_a_verdict_is_told_when_it_stays_and_changes():
    kinds = ["vanishing", "vanishing", "vanishing", "healthy", "vanishing", "healthy", "healthy", "undecided"]
    assert told_over([*kinds, "undecided"], 128 * 9) == [(256, "vanishing"), (896, "healthy")]


def test_before_updates_that_are_not_looked_at_stands_nothing():
    before = nn.LSTMCell.forward
    model, loss = make_model(), CrossEntropy()
    batch = make_batch()
    live = LiveDiagnosis(model, loss, TrainingConfig(device="cpu"))
    attended = []
    for update in range(1, 257 + 24):  # the last few are looked at after the end
        attended.append(nn.LSTMCell.forward is not before)
        if attended[-1]:
            part = loss(model(batch.inputs)[0], batch)
            (part.total / part.count).backward()
        live.after(update, 1.0, History())
    blocks = [sum(attended[start : start + 32]) for start in range(0, 256, 32)]
    # The first pass is looked at again until an error has been followed.
    assert blocks[4:] == [1] * 4
    assert sum(blocks[:4]) <= 5
    assert attended[0]
    assert attended[128]
    live.close()
    assert list(live.seen().decays) == ["cell"]
    assert nn.LSTMCell.forward is before


def test_the_history_keeps_what_was_measured_in_a_bounded_number():
    model = make_model(dtype=torch.float32)
    config = TrainingConfig(epochs=40, learning_rate=0.01, device="cpu", diagnose=True)
    trainer = Trainer(model, CrossEntropy(), config)
    history = trainer.fit(TinyLoader(batches=3))
    assert history.measured
    assert {record.layer for record in history.measured} == {"cell"}
    # Where epochs are short, several are waited for.
    epochs = [record.epoch for record in history.measured]
    assert len(epochs) <= 120 / 16 + 1
    for record in history.measured:
        assert len(record.lags) == len(record.left)
        assert all(math.isfinite(left) and left >= 0 for left in record.left)
    assert History.from_json(json.loads(json.dumps(history.to_json(), allow_nan=False))) == history
    assert (
        not Trainer(make_model(dtype=torch.float32), CrossEntropy(), TrainingConfig(epochs=2, device="cpu"))
        .fit(TinyLoader(batches=3))
        .measured
    )


@given(st.integers(1, 2000), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_measurements_are_thinned_evenly(count, layers):
    history = History()
    for epoch in range(1, count + 1):
        history.measure(
            [LayerRecord(epoch=epoch, layer=f"l{layer}", lags=[1], left=[0.5]) for layer in range(layers)]
        )
    kept = sorted({record.epoch for record in history.measured})
    assert len(kept) <= 64
    assert len(history.measured) == layers * len(kept)
    assert kept == list(range(1, count + 1, history.measured_stride))


def test_a_verdict_is_a_line_and_its_remedies_are_flags():
    lines = told(Verdict("healthy", "It works.", {}), "Verdict").splitlines()
    assert lines == ["Verdict: healthy. It works."]


def test_the_characters_of_a_word_are_no_time():
    class Of:
        def __init__(self, layer):
            self.layer = layer

    results = [Of("inputs.characters.l0"), Of("recurrent.l0")]
    assert [each.layer for each in over_time(results)] == ["recurrent.l0"]


def test_an_error_that_cannot_come_back_at_first_is_seen_later():
    wave = pd.DataFrame({"ds": range(160), "y": np.sin(np.arange(160) * 0.3)})
    fitted = unrolled.Forecaster(
        hidden_size=4, epochs=4, context=20, diagnose=True, device="cpu", refit=False
    ).fit(wave)
    assert fitted.verdict.kind != "cannot be measured"
    assert fitted.verdict.grounds[0].startswith("All weights")


def test_watching_does_not_change_what_is_learned():
    runs = [
        unrolled.Classifier(epochs=2, diagnose=diagnose, **SMALL).fit(WORDS, dev=WORDS[:20])
        for diagnose in (False, True)
    ]
    for one, other in zip(*(run.model.parameters() for run in runs), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-3)
    assert isinstance(runs[1].verdict, Verdict)
