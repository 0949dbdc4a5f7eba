"""Many inputs at once: batched by length, put back in order, within their limits."""

import logging

import numpy as np
import pytest
import torch

from unrolled.data.buckets import Encoded
from unrolled.tasks.translation.config import TranslateConfig
from unrolled.tasks.translation.network import build_network
from unrolled.tasks.writing.decoding import decode

CONFIG = TranslateConfig(hidden_size=8, embedding_size=4)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return build_network(CONFIG, sources=9, targets=7)


def items(lengths):
    generator = np.random.default_rng(0)
    return [Encoded({"tokens": generator.integers(1, 9, size=n)}, np.zeros(1, dtype=int)) for n in lengths]


def test_results_come_in_the_order_of_the_items(model, monkeypatch):
    monkeypatch.setattr("unrolled.tasks.writing.decoding._BATCH", 3)
    given = items([5, 1, 7, 2, 2, 9, 3, 4])
    limits = [6, 3, 8, 1, 2, 9, 5, 4]
    together = decode(model, given, limits, beam_size=2)
    for item, limit, found in zip(given, limits, together, strict=True):
        (alone,) = decode(model, [item], [limit], beam_size=2)
        assert [hypothesis.symbols for hypothesis in found] == [hypothesis.symbols for hypothesis in alone]
        assert all(len(hypothesis.symbols) <= limit for hypothesis in found)
    assert decode(model, [], []) == []


def test_a_symbol_may_be_ruled_out(model):
    with torch.no_grad():
        model.decoder.output.bias[3] = 50
    assert all(3 in each[0].symbols for each in decode(model, items([3, 4]), [5, 5]))
    assert not any(3 in each[0].symbols for each in decode(model, items([3, 4]), [5, 5], never=3))


@pytest.mark.parametrize("training", [True, False])
def test_the_model_keeps_its_mode(model, training):
    model.train(training)
    decode(model, items([2]), [3])
    assert model.training is training


def test_long_work_says_how_far_it_has_come(model, monkeypatch, caplog):
    monkeypatch.setattr("unrolled.tasks.writing.decoding._BATCH", 1)
    monkeypatch.setattr("unrolled.tasks.writing.decoding._SILENCE", 0.0)
    with caplog.at_level(logging.INFO, logger="unrolled"):
        decode(model, items([2, 3]), [3, 3])
    assert [record.message.split(",")[0] for record in caplog.records] == [
        "Written 1 of 2 sequences",
        "Written 2 of 2 sequences",
    ]
