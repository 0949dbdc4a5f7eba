"""Several labels of each input: any of them, or none."""

import importlib.util
import json

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

import unrolled
from unrolled.cli.main import app
from unrolled.data.batches import Batch
from unrolled.data.labelled import read_labelled
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.baselines.linear import WordGramLogistic
from unrolled.tasks.classify import Classifier
from unrolled.tasks.regress import Regressor
from unrolled.tasks.scores import label_scores
from unrolled.training.constant import constant_loss
from unrolled.training.loss import BinaryCrossEntropy

TINY = {"hidden_size": 4, "epochs": 1}
WORDS = {"art": ["paint", "song"], "money": ["bank", "stock"], "sport": ["goal", "match"]}


def articles(count, seed):
    """Texts with a word of each of their topics."""
    random = np.random.default_rng(seed)
    texts, topics = [], []
    for _ in range(count):
        own = [topic for topic in WORDS if random.random() < 0.4]
        words = [random.choice(WORDS[each]) for each in own]
        texts.append(" ".join(random.permutation([*words, "the", "of"])))
        topics.append(own)
    return texts, topics


@pytest.fixture(scope="module")
def classifier():
    return Classifier(hidden_size=8, epochs=10, learning_rate=0.02).fit(*articles(300, seed=0))


def test_labels_are_learned_each_by_itself(classifier, tmp_path):
    texts, topics = articles(80, seed=1)
    found = classifier.evaluate(texts, topics)
    assert found.scores["micro F1"] > 0.95
    assert found.baselines["majority class"]["micro F1"] < 0.5
    assert found.baselines["bag-of-words logistic regression"]["micro F1"] > 0.95
    assert classifier.score(texts, topics) == found.scores["subset accuracy"]
    assert classifier.labels == ("art", "money", "sport")
    assert "any of 3 labels (art, money, sport)" in classifier.understood
    chances = classifier.predict_proba(texts)
    assert [[*np.array(classifier.labels)[row > 0.5]] for row in chances] == classifier.predict(texts)
    np.testing.assert_allclose(chances, 1 / (1 + np.exp(-classifier.decision_function(texts))), rtol=1e-6)
    classifier.save(tmp_path / "model")
    again = unrolled.load(tmp_path / "model")
    assert again.predict(texts) == classifier.predict(texts)
    assert again.evaluate(texts, topics).baselines == found.baselines


def test_they_come_back_as_they_came():
    texts, topics = articles(40, seed=2)
    there = np.array([[topic in own for topic in WORDS] for own in topics])
    numbered = [[10 * list(WORDS).index(each) for each in own] for own in topics]
    forms = (there.astype(int), np.int64), (there, np.bool_), (sparse.csr_matrix(there * 1.0), np.float64)
    for y, kind in forms:
        made = Classifier(**TINY).fit(texts, y)
        found = made.predict(texts[:5])
        assert (found.shape, found.dtype) == ((5, 3), kind)
        assert made.classes_.tolist() == [0, 1, 2]
        assert made.predict_proba([]).shape == (0, 3)
    frame = pd.DataFrame(there * 1, columns=["sport", "money", "art"])
    assert Classifier(**TINY).fit(texts, frame).classes_.tolist() == ["sport", "money", "art"]
    for kind in (list, tuple, set, frozenset):
        (found,) = Classifier(**TINY).fit(texts, [kind(own) for own in topics]).predict(texts[:1])
        assert type(found) is kind
    (found,) = Classifier(**TINY).fit(list(zip(texts, numbered, strict=True))).predict(["paint"])
    assert all(type(each) is int for each in found)


def written(folder):
    """The same articles in all the ways in which several labels are written."""
    texts, topics = articles(60, seed=3)
    there = {topic: [int(topic in own) for own in topics] for topic in WORDS}
    frames = {
        "joined.csv": pd.DataFrame({"text": texts, "labels": [" | ".join(own) for own in topics]}),
        "lists.csv": pd.DataFrame({"text": texts, "labels": list(map(str, topics))}),
        "lists.jsonl": pd.DataFrame({"text": texts, "labels": topics}),
        "lists.parquet": pd.DataFrame({"text": texts, "labels": topics}),
        "columns.csv": pd.DataFrame({"text": texts, **there}),
    }
    for name, frame in frames.items():
        if name.endswith(".csv"):
            frame.to_csv(folder / name, index=False)
        elif name.endswith(".jsonl"):
            frame.to_json(folder / name, orient="records", lines=True)
        else:
            frame.to_parquet(folder / name)
    marks = [" ".join(f"__label__{each}" for each in own or ["none"]) for own in topics]
    marked = [f"{mark} {text}" for mark, text in zip(marks, texts, strict=True)]
    (folder / "marked.txt").write_text("\n".join(marked))
    return texts, topics


OPTIONS = {"joined.csv": {"label_separator": "|"}, "columns.csv": {"label_columns": tuple(WORDS)}}


def test_every_way_to_write_them_is_read(tmp_path):
    texts, topics = written(tmp_path)
    expected = Classifier(**TINY, target="labels").fit(texts, topics).predict(texts)
    for name in ("joined.csv", "lists.csv", "lists.jsonl", "lists.parquet", "columns.csv"):
        made = Classifier(**TINY, **OPTIONS.get(name, {})).fit(tmp_path / name)
        assert made.predict(texts) == expected, name
        assert made.evaluate(tmp_path / name).count == 60
    assert [each.target for each in read_labelled(tmp_path / "marked.txt")] == [
        tuple(own) or ("none",) for own in topics
    ]
    y = np.array([[1, 0], [1, 1], [0, 0], [0, 1]])
    arrays = {"X": np.random.default_rng(0).normal(size=(4, 5)), "y": y}
    np.savez(tmp_path / "a.npz", **arrays)
    assert [each.target for each in read_labelled(tmp_path / "a.npz")] == [("0",), ("0", "1"), (), ("1",)]
    np.savez(tmp_path / "b.npz", **arrays | {"y": np.eye(4)})
    assert [each.target for each in read_labelled(tmp_path / "b.npz")] == list("0123")


def test_the_command_line_writes_them(tmp_path):
    texts, _ = written(tmp_path)
    model = str(tmp_path / "model")

    def run(*words, given=None):
        done = CliRunner().invoke(app, list(map(str, words)), input=given)
        assert done.exit_code == 0, done.output
        return done.stdout

    options = ["--label-separator", "|", "--hidden-size", "4", "--epochs", "2"]
    run("train", "classify", tmp_path / "joined.csv", "-o", model, *options)
    made = unrolled.load(model)
    expected = made.predict(texts)
    asked = run("predict", model, given="\n".join(texts[:3]))
    assert asked.splitlines() == ["|".join(own) for own in expected[:3]]
    assert json.loads(run("predict", model, tmp_path / "joined.csv", "--json"))["predictions"] == expected
    run("predict", model, tmp_path / "joined.csv", "-o", tmp_path / "out.csv", "--probabilities")
    rows = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert rows["prediction"].tolist() == ["|".join(own) for own in expected]
    chances = made.predict_proba(texts)
    np.testing.assert_allclose(rows[[f"probability of {each}" for each in made.labels]], chances)
    np.testing.assert_allclose(rows["probability"], np.maximum(chances, 1 - chances).prod(1))
    run("predict", model, tmp_path / "joined.csv", "-o", tmp_path / "out.parquet")
    assert list(map(list, pd.read_parquet(tmp_path / "out.parquet")["prediction"])) == expected
    run("evaluate", model, tmp_path / "joined.csv")  # and a report


def test_an_exported_model_gives_the_same(classifier, tmp_path):
    texts, topics = articles(6, seed=5)
    unrolled.export.onnx(classifier, tmp_path, data=list(zip(texts, topics, strict=True)))
    spec = importlib.util.spec_from_file_location("exported_run", tmp_path / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.Model(tmp_path)
    assert model.predict(texts) == classifier.predict(texts)
    chances = module.classify(model, texts[0], probabilities=True)
    np.testing.assert_allclose(list(chances.values()), classifier.predict_proba(texts)[0], rtol=1e-4)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_scores_are_scikit_learns(data):
    labels = st.frozensets(st.sampled_from("abcd"))
    count = data.draw(st.integers(1, 6))
    wanted, got = ([sorted(data.draw(labels)) for _ in range(count)] for _ in range(2))
    found = label_scores(wanted, got, "abcd")
    there = [[[name in own for name in "abcd"] for own in rows] for rows in (wanted, got)]
    one, other = map(np.array, there)
    if one.any() or other.any():  # scikit-learn takes a single label for two classes, so all four are given
        micro = metrics.f1_score(one, other, average="micro", zero_division=0)
        assert found["micro F1"] == pytest.approx(micro)
        each = metrics.f1_score(one, other, average=None, zero_division=0)
        assert found["macro F1"] == pytest.approx(each[(one | other).any(0)].mean())
    assert found["Hamming loss"] == pytest.approx(metrics.hamming_loss(one, other))
    assert found["subset accuracy"] == pytest.approx(metrics.accuracy_score(one, other))


def test_a_linear_model_of_each_label_is_scikit_learns():
    texts, topics = articles(60, seed=4)
    words = [text.split() for text in texts]
    fitted = WordGramLogistic.fit(words, [tuple(own) for own in topics])
    matrix = fitted.features.matrix(words)
    each = [
        LogisticRegression(C=10, max_iter=1000).fit(matrix, [topic in own for own in topics]).predict(matrix)
        for topic in WORDS
    ]
    rows = zip(*each, strict=True)
    expected = [tuple(topic for topic, there in zip(WORDS, row, strict=True) if there) for row in rows]
    assert fitted.predict(words) == expected


def test_rare_labels_may_weigh_more():
    torch.manual_seed(0)
    outputs, targets = torch.randn(5, 2, requires_grad=True), torch.randint(0, 2, (5, 2)).float()
    batch = Batch({"values": torch.zeros(5, 1, 1)}, torch.ones(5, dtype=torch.int64), targets, False)
    loss = BinaryCrossEntropy(weights=[3.0, 0.5])
    there, missing = outputs.sigmoid().log() * torch.tensor([3.0, 0.5]), (-outputs).sigmoid().log()
    right = -(targets * there + (1 - targets) * missing)
    torch.testing.assert_close(loss(outputs, batch).total, right.sum())
    constant = torch.zeros(2, requires_grad=True)
    optimiser = torch.optim.LBFGS([constant], max_iter=100)

    def closure():
        optimiser.zero_grad()
        made = loss(constant.expand(5, 2), batch)
        (made.total / made.count).backward()
        return made.total / made.count

    optimiser.step(closure)
    assert constant_loss(loss, targets, 5) == pytest.approx(closure().item(), abs=1e-4)
    texts, topics = articles(30, seed=6)
    weights = Classifier(**TINY, class_weight="balanced").fit(texts, topics)._loss().weights
    counts = np.array([[topic in own for topic in WORDS] for own in topics][:30]).sum(0)
    assert weights is not None
    assert len(weights) == len(counts)


def test_a_model_learns_further_labels(classifier):
    texts, topics = articles(40, seed=7)
    grown = [[*own, "war"] if "the" in text else own for text, own in zip(texts, topics, strict=True)]
    with pytest.raises(DataError, match="expected labels that the model knows, got 'war'"):
        classifier.partial_fit(texts, grown)
    one = Classifier(**TINY).fit(texts, topics)
    one.partial_fit(texts, grown, new_labels="add")
    assert one.labels == ("art", "money", "sport", "war")
    unknown = one.evaluate(["paint"], [["weather"]])
    assert unknown.scores["subset accuracy"] == 0


@pytest.mark.parametrize(
    ("options", "y", "error", "message"),
    [
        ({}, np.array([[1, 2], [0, 1]]), DataError, "row 1.*expected zeros and ones, one for each label"),
        ({}, [[], []], DataError, "expected labels, got none in any row"),
        ({"target": "classes"}, [["a", "b"], ["b"]], DataError, "expected one target for each input"),
        ({"target": "classes", "label_separator": ";"}, ["a;b", "b"], ConfigError, "expected several labels"),
        ({}, [["a"], ["b"], ["c"]], DataError, "expected as many targets in y as there are inputs"),
    ],
)  # fmt: skip
def test_what_cannot_be_several_labels_is_refused(options, y, error, message):
    with pytest.raises(error, match=message):
        Classifier(**TINY, **options).fit(["so fine", "so dull"], y)


def test_tables_that_cannot_be_read_name_the_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text,art,war\nfine,0,1\ndull,2,0\n")
    with pytest.raises(DataError, match=r"row 3, column 'art': expected 0 or 1.* got '2'"):
        Classifier(**TINY, label_columns=("art", "war")).fit(path)
    with pytest.raises(ConfigError, match=r"label_columns: expected several labels.*got target 'numbers'"):
        Regressor(**TINY, label_columns=("art", "war")).fit(path)
    with pytest.raises(DataError, match="--label-columns"):
        Classifier(**TINY).fit(path)
