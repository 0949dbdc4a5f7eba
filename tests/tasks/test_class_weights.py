"""Errors on rare classes may weigh more in training."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from unrolled.data.batches import Batch
from unrolled.errors import ConfigError
from unrolled.tasks.class_weights import balanced_weights
from unrolled.tasks.classify import Classifier
from unrolled.tasks.tag import Tagger
from unrolled.training.loss import CrossEntropy

TINY = {"hidden_size": 8, "epochs": 6, "learning_rate": 0.01}


def _overlapping(rare):
    """Numbers of two classes that overlap, one of them rare."""
    random = np.random.default_rng(0)
    labels = ["rare"] * rare + ["common"] * (200 - rare)
    return [(random.normal(1.0 if label == "rare" else 0.0, 1.0, (4, 1)), label) for label in labels]


def test_weighted_cross_entropy_is_torchs():
    torch.manual_seed(0)
    logits, targets = torch.randn(5, 3, requires_grad=True), torch.tensor([0, 2, 1, 1, 0])
    batch = Batch({"values": torch.zeros(5, 1, 1)}, torch.ones(5, dtype=torch.int64), targets, False)
    weights = [0.5, 1.0, 2.0]
    loss = CrossEntropy(weights=weights)(logits, batch)
    right = functional.cross_entropy(logits, targets, torch.tensor(weights), reduction="sum")
    torch.testing.assert_close(loss.total, right)
    assert loss.count == 5


def test_all_classes_weigh_the_same_together():
    from unrolled.data.vocabulary import Vocabulary

    labels = ["a"] * 7 + ["b"] * 2 + ["c"]
    classes = Vocabulary.of_labels(labels)
    weights = dict(zip(classes.symbols, balanced_weights(labels, classes), strict=True))
    assert {round(weights[label] * labels.count(label), 9) for label in "abc"} == {round(10 / 3, 9)}
    assert sum(weights[label] for label in labels) == pytest.approx(10)


def test_a_rare_class_is_found_more_often(tmp_path):
    data = _overlapping(rare=20)
    plain, balanced = (
        Classifier(**TINY, filters=0, class_weight=weight).fit(data, dev=data)
        for weight in (None, "balanced")
    )
    found = [model.predict([each for each, _ in data]).count("rare") for model in (plain, balanced)]
    assert found[1] > 2 * found[0] + 5
    balanced.save(tmp_path / "model")
    again = Classifier.load(tmp_path / "model")
    assert again.criterion().weights.tolist() == pytest.approx([200 / 2 / 180, 200 / 2 / 20])


def test_rare_tags_too():
    random = np.random.default_rng(1)
    signals = [random.random(12) < 0.1 for _ in range(60)]
    data = [
        (random.normal(where * 1.0, 1.0), ["rare" if each else "common" for each in where])
        for where in signals
    ]
    plain, balanced = (
        Tagger(**TINY, class_weight=weight).fit(data, dev=data) for weight in (None, "balanced")
    )
    found = [
        sum(tags.count("rare") for tags in model.predict([each for each, _ in data]))
        for model in (plain, balanced)
    ]
    assert found[1] > 2 * found[0] + 5
    spans = [(["a", "b"], ["B-X", "O"]), (["b", "a"], ["O", "B-X"])] * 8
    tagger = Tagger(hidden_size=4, epochs=1, class_weight="balanced").fit(spans)
    assert not tagger.effective.crf
    with pytest.raises(ConfigError, match="class_weight: expected crf=False with it"):
        Tagger(crf=True, class_weight="balanced")


def test_numbers_have_no_classes():
    data = [(each, float(at) + 0.5) for at, (each, _) in enumerate(_overlapping(rare=3)[:20])]
    with pytest.raises(ConfigError, match="class_weight: expected classes, got numbers"):
        Classifier(**TINY, class_weight="balanced").fit(data)
