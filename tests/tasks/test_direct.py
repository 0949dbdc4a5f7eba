"""A linear model of words in a row, or of characters, inside a classifier's network."""

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

import unrolled
from unrolled.data.example import Example, Examples
from unrolled.errors import ConfigError
from unrolled.inspection.examination import examine
from unrolled.models.direct import SHARES
from unrolled.models.ensemble import networks_of
from unrolled.tasks import classification
from unrolled.tasks.classification.config import ClassifyConfig
from unrolled.tasks.classification.direct import fitted_direct, table_size
from unrolled.tasks.classification.targets import fit_targets
from unrolled.tasks.classify import Classifier
from unrolled.tasks.inputs.symbols import SymbolKind
from unrolled.tasks.inputs.text import TextKind

TINY = {"hidden_size": 4, "embedding_size": 4, "epochs": 1}
WORDS = ["fine", "dull", "so", "a", "film", "not", "and", "bright", "long"]


def texts(count, seed=0, repeated=True):
    """Texts of a few words, which are good where more of them are good words."""
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        words = generator.choice(WORDS, generator.integers(3, 7), replace=repeated).tolist()
        good = words.count("fine") + words.count("bright") - words.count("dull") - words.count("long")
        rows.append((" ".join(words), "good" if good > 0 else "bad"))
    return rows


def connections(classifier):
    return [network.direct for network in networks_of(classifier.model)]


@pytest.mark.parametrize(("kind", "longest"), [(TextKind, 2), (SymbolKind, 4)])
def test_it_is_a_logistic_regression_on_tf_idf(kind, longest, monkeypatch):
    monkeypatch.setattr(classification.direct, "table_size", lambda *_: 2**16)  # room for all
    # Each word, or letter, stands once in a text: repeated ones are counted a little differently.
    rows = texts(80, repeated=False)
    if kind is SymbolKind:
        rows = [("".join(dict.fromkeys(text.replace(" ", ""))), label) for text, label in rows]
    train = Examples(tuple(Example(text, label) for text, label in rows))
    inputs, targets = kind.fit(train, ClassifyConfig()), fit_targets(train)
    direct = fitted_direct(inputs, targets, train, None)
    said = []
    for item in inputs.encode(train):
        tokens = torch.from_numpy(item["tokens"]).unsqueeze(0)
        said.append(direct({"tokens": tokens}, torch.tensor([tokens.shape[1]]))[0][0])

    def grams(text):
        row = ["^", *(text.split() if kind is TextKind else text), "$"]
        found = [tuple(row[at : at + n]) for n in range(1, longest + 1) for at in range(len(row) - n + 1)]
        return [each for each in found if each not in {("^",), ("$",)}]

    features = TfidfVectorizer(analyzer=grams).fit_transform([text for text, _ in rows])
    model = LogisticRegression(C=10, max_iter=1000).fit(features, [label for _, label in rows])
    found = torch.stack(said).double().softmax(1).numpy()
    np.testing.assert_allclose(found, model.predict_proba(features), atol=2e-3)


def test_a_classifier_of_texts_has_one_and_keeps_it(tmp_path):
    rows = texts(120)
    classifier = Classifier(**TINY).fit(rows, dev=rows[:40])
    assert classifier.effective.direct
    assert classifier.evaluate(texts(60, 1), baselines=False).scores["accuracy"] > 0.85
    probabilities = classifier.predict_proba([text for text, _ in rows])
    classifier.save(tmp_path / "model")
    loaded = unrolled.load(tmp_path / "model")
    assert np.array_equal(loaded.predict_proba([text for text, _ in rows]), probabilities)
    scores = classifier.history.epochs[0].scores
    assert scores.keys() >= {"accuracy", "accuracy of the network alone"}


def test_a_diagnosis_is_of_the_network_alone():
    rows = texts(120)
    classifier = Classifier(**TINY).fit(rows, dev=rows[:40])
    inputs = [text for text, _ in rows]
    whole = classifier.predict_proba(inputs)
    with classifier.network_alone() as left_out:
        alone = classifier.predict_proba(inputs)
    assert left_out == "its direct connection"
    assert not np.allclose(alone, whole)
    found = examine(classifier, rows, "mine")
    assert found.network.endswith("without its direct connection")
    kept = classifier.history.epochs[classifier.history.best_epoch - 1]
    assert found.diagnosis.learning.score == kept.scores["accuracy of the network alone"]
    # After an epoch of a few texts it has learned nothing, whatever the linear model knows.
    assert found.diagnosis.learning.loss > 0.6
    assert np.array_equal(classifier.predict_proba(inputs), whole)
    without = Classifier(**TINY, direct=False).fit(rows, dev=rows[:40])
    assert "without" not in examine(without, rows, "plain").network


@pytest.mark.parametrize("target", ["classes", "numbers"])
@pytest.mark.parametrize("help_of_it", [0.0, 1.0])
def test_its_share_is_the_one_of_the_least_loss_on_held_out_data(target, help_of_it, monkeypatch):
    fitted = classification.direct.fitted_direct

    def scaled(*args):  # one that says nothing, or the opposite
        direct = fitted(*args)
        direct.weight.mul_(-5 + 6 * help_of_it)
        return direct

    monkeypatch.setattr("unrolled.tasks.classification.one_target.fitted_direct", scaled)
    rows = texts(120)
    if target == "numbers":
        rows = [(text, float(text.count("fine") - text.count("dull"))) for text, _ in rows]
    classifier = Classifier(**TINY, target=target).fit(rows[:80], dev=rows[80:])
    (direct,) = connections(classifier)
    kept, losses = float(direct.share), {}
    for share in SHARES:
        direct.share.fill_(share)
        if target == "numbers":
            losses[share] = classifier.evaluate(rows[80:], baselines=False).scores["RMSE"]
        else:
            likely = classifier.predict_proba([text for text, _ in rows[80:]])
            at = [classifier.labels.index(label) for _, label in rows[80:]]
            losses[share] = -np.log(likely[np.arange(len(at)), at]).mean()
    assert losses[kept] == pytest.approx(min(losses.values()), rel=1e-4)
    assert (kept == 0.0) == (help_of_it == 0.0)
    assert any("of the outputs are the direct connection's" in note for note in classifier.notices)


@pytest.mark.parametrize(
    "targets",
    [
        [["good", "short"], ["short"], [], ["good"]],
        [1.5, -2.0, 0.5, 1e6],
    ],
)
def test_several_labels_and_numbers_have_one_too(targets):
    data = [(text, targets[place % 4]) for place, (text, _) in enumerate(texts(60))]
    classifier = Classifier(**TINY).fit(data, dev=data)
    (direct,) = connections(classifier)
    assert float(direct.weight.abs().sum()) > 0
    assert len(classifier.predict(["so fine"])) == 1


def test_networks_together_have_one_each():
    rows = texts(60)
    classifier = Classifier(**TINY, ensemble=2).fit(rows, dev=rows)
    first, second = connections(classifier)
    assert torch.equal(first.weight, second.weight)
    assert first.weight.data_ptr() != second.weight.data_ptr()


def test_rare_classes_weigh_more_where_that_is_asked_for():
    rows = [(text, label) for text, label in texts(200) if label == "good"][:8]
    rows += [(text, label) for text, label in texts(200) if label == "bad"][:80]
    made = [Classifier(**TINY, class_weight=weight).fit(rows, dev=rows) for weight in (None, "balanced")]
    plain, balanced = (connections(each)[0] for each in made)
    assert balanced.bias[1] > plain.bias[1]


def test_a_label_that_is_added_has_room_in_it():
    rows = texts(60)
    classifier = Classifier(**TINY).fit(rows, dev=rows)
    before = connections(classifier)[0].weight.clone()
    further = [("an opera", "neither"), ("so fine", "good")] * 10
    classifier.partial_fit(further, dev=further, new_labels="add")
    after = connections(classifier)[0].weight
    assert torch.equal(after[:, :2], before)
    assert after.shape[1] == 3


def test_what_has_no_symbols_has_none():
    numbers = [(np.arange(5.0) + place % 2, "ab"[place % 2]) for place in range(40)]
    assert not Classifier(**TINY).fit(numbers, dev=numbers).effective.direct
    with pytest.raises(ConfigError, match="direct: expected texts, or strings that differ"):
        Classifier(**TINY, direct=True).fit(numbers, dev=numbers)
    pairs = [((text, "so"), label) for text, label in texts(40)]
    assert connections(Classifier(**TINY).fit(pairs, dev=pairs)) == [None]
    rows = texts(40)
    one_way = {"bidirectional": False, "pooling": "last", "skip": False}
    for asked in ({"direct": False}, one_way):
        assert connections(Classifier(**TINY, **asked).fit(rows, dev=rows)) == [None]


def test_many_classes_of_few_texts_are_no_numbers():
    rows = [(f"w{place} v{place % 7}", f"c{place % 30}") for place in range(50)]
    classifier = Classifier(**TINY).fit(rows, dev=rows[:5])
    assert connections(classifier)[0].weight.shape[1] == 30


def test_it_is_streamed_where_that_is_asked_for():
    rows = texts(60)
    one_way = {"bidirectional": False, "pooling": "last", "skip": False, "direct": True}
    classifier = Classifier(**TINY, **one_way).fit(rows, dev=rows)
    stream, state = classifier.stream(), None
    for word in ("so", "bright", "and", "fine"):
        said = stream.step(word, state)
        state = unrolled.tasks.stream_state.StreamState.from_json(said.state.to_json())
    whole = classifier.predict_proba(["so bright and fine"])[0]
    np.testing.assert_allclose(said.prediction.probabilities, whole, atol=1e-6)


def test_a_table_has_room_for_twice_the_stretches():
    for stretches in (1, 2, 3, 1000):
        assert 2 * stretches <= table_size(stretches, 2) <= 4 * stretches
