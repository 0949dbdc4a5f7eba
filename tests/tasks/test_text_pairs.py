"""Two texts that are read together."""

import importlib.util
import json

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

import unrolled
from unrolled.cli.main import app
from unrolled.data.example import Example
from unrolled.data.text_pairs import TextPair
from unrolled.errors import ConfigError, DataError
from unrolled.models.config import NetworkConfig
from unrolled.models.inputs import MarkedInput, TokenInput
from unrolled.models.pair_to_one import PairToOne
from unrolled.tasks.classify import Classifier

TINY = {"hidden_size": 4, "epochs": 1}
WORDS = [f"w{number}" for number in range(40)]


def questions(count, seed):
    """Pairs that share all words, or three of five: no word by itself tells which."""
    random, rows = np.random.default_rng(seed), []
    for _ in range(count):
        first, same = list(random.choice(WORDS, 5, replace=False)), random.random() < 0.5
        others = [word for word in WORDS if word not in first]
        kept = first if same else [*random.choice(first, 3, replace=False), *random.choice(others, 2)]
        rows.append((" ".join(first), " ".join(random.permutation(kept)), "same" if same else "other"))
    return pd.DataFrame(rows, columns=["question1", "question2", "label"])


@pytest.fixture(scope="module")
def classifier():
    return Classifier(hidden_size=8, epochs=6, learning_rate=0.01).fit(questions(300, seed=0))


def test_texts_are_compared(classifier, tmp_path):
    test = questions(100, seed=1)
    assert classifier.evaluate(test).scores["accuracy"] > 0.9
    assert "pairs of texts in columns 'question1' and 'question2' to 2 classes" in classifier.understood
    alone = Classifier(**TINY, text_column="question2").fit(questions(40, seed=0))
    assert any("question1" in note for note in alone.notices)  # what is left out is said
    pairs = list(zip(test["question1"], test["question2"], strict=True))
    expected = classifier.predict(test)
    assert classifier.predict(pairs) == expected
    assert classifier.predict([{"a": one, "b": other} for one, other in pairs]) == expected
    classifier.save(tmp_path / "model")
    assert unrolled.load(tmp_path / "model").predict(pairs) == expected
    fitted = Classifier(**TINY).fit(pairs, test["label"])
    again = Classifier(**TINY).fit(test[["question1", "question2"]], test["label"])
    np.testing.assert_allclose(fitted.predict_proba(pairs), again.predict_proba(pairs))


def test_the_command_line_reads_them(classifier, tmp_path):
    test = questions(20, seed=2)
    classifier.save(tmp_path / "model")
    test.to_csv(tmp_path / "test.csv", index=False)
    expected = classifier.predict(test)

    def run(*words, given=None):
        done = CliRunner().invoke(app, list(map(str, words)), input=given)
        return done.exit_code, done.output.splitlines()

    assert run("predict", tmp_path / "model", tmp_path / "test.csv") == (0, expected)
    assert run("predict", tmp_path / "model", given=(tmp_path / "test.csv").read_text()) == (0, expected)
    pairs = test[["question1", "question2"]].to_numpy().tolist()
    assert run("predict", tmp_path / "model", given="\n".join(map(json.dumps, pairs))) == (0, expected)
    assert run("predict", tmp_path / "model", given="\n".join(map("\t".join, pairs))) == (0, expected)
    code, said = run("predict", tmp_path / "model", given="one text\n")
    assert code == 2
    assert "expected two texts, got ['one text']" in " ".join(said)
    other = test.rename(columns={"question1": "a", "question2": "b"})
    other.to_csv(tmp_path / "other.csv", index=False)
    assert Classifier(**TINY, text_column="a", pair_column="b").fit(tmp_path / "other.csv").labels == (
        "other",
        "same",
    )


def test_an_exported_model_gives_the_same(classifier, tmp_path):
    test = questions(20, seed=3)
    unrolled.export.onnx(classifier, tmp_path)
    spec = importlib.util.spec_from_file_location("exported_run", tmp_path / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pairs = test[["question1", "question2"]].to_numpy().tolist()
    pairs += [["", "a b"], ["", ""], ["A w1", "w1 w1 unseen"]]
    assert module.Model(tmp_path).predict(pairs) == classifier.predict(pairs)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_each_text_is_pooled_by_itself(pooling, bidirectional):
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    config = NetworkConfig(hidden_size=5, cell="gru", bidirectional=bidirectional)
    network = PairToOne(MarkedInput(TokenInput(9, 4), 4, 3), config, 2, pooling, skip=True).eval()
    firsts, seconds = random.integers(1, 6, 4), random.integers(1, 6, 4)
    tokens, marks = torch.zeros(4, 10, dtype=torch.int64), torch.zeros(4, 10, dtype=torch.int64)
    for row, (first, second) in enumerate(zip(firsts, seconds, strict=True)):
        tokens[row, : first + second] = torch.from_numpy(random.integers(1, 9, first + second))
        marks[row, first : first + second] = 1
        marks[row, : first + second] += 2 * torch.from_numpy(random.integers(0, 2, first + second))
        marks[row, first + second :] = 3  # what lies beyond is never read
    lengths = torch.from_numpy(firsts + seconds)
    with torch.no_grad():
        found, _ = network({"tokens": tokens, "marks": marks}, lengths)
        for row, (first, second) in enumerate(zip(firsts, seconds, strict=True)):
            both = slice(0, first + second)
            one = {"tokens": tokens[row : row + 1, both], "marks": marks[row : row + 1, both]}
            vectors = network.inputs(one)
            hidden, _ = network.recurrent(vectors)
            parts = [
                network._pool(hidden[:, part], vectors[:, part], torch.tensor([int(size)]))
                for part, size in ((slice(0, first), first), (slice(first, None), second))
            ]
            u, v = parts
            right = network.output(torch.cat([u, v, (u - v).abs(), u * v], 1))[0]
            torch.testing.assert_close(found[row], right)


def test_words_of_both_are_marked(classifier):
    (arrays,) = classifier.encode([("w1 w2 w2", "w3 w2")])
    assert arrays["marks"].tolist() == [0, 2, 2, 1, 3]
    kind = classifier._inputs
    (words,) = kind.summaries([Example(TextPair("w1 w2", "w3 w2"))])
    assert words == ["first:w1", "both:w2", "second:w3", *(f"shared:{tenth}" for tenth in range(4))]


def test_vectors_and_columns_may_be_beside_them(tmp_path):
    frame = questions(30, seed=4).assign(price=np.arange(30.0))
    (tmp_path / "vectors.txt").write_text(
        "".join(f"{word} 0.5 {place}\n" for place, word in enumerate(WORDS))
    )
    made = Classifier(**TINY, vectors=str(tmp_path / "vectors.txt"), feature_columns=("price",)).fit(frame)
    given = {"question1": "w1 w2", "question2": "w1", "price": 3}
    made.save(tmp_path / "model")
    assert unrolled.load(tmp_path / "model").predict([given]) == made.predict([given])


@pytest.mark.parametrize("given", ["one text", ("a", "b", "c"), ["a"], 3, {"a": "b"}])
def test_what_are_no_two_texts_is_refused(classifier, given):
    with pytest.raises(DataError, match="expected"):
        classifier.predict([given])


def test_bad_tables_and_options(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("premise,hypothesis,label\nit rains,it is wet,yes\nit snows,,no\n")
    with pytest.raises(DataError, match=r"expected a column 'hypotheses'.*did you mean 'hypothesis'"):
        Classifier(**TINY, pair_column="hypotheses").fit(path)
    with pytest.raises(ConfigError, match=r"unit: expected words for pairs of texts, got characters"):
        Classifier(**TINY, unit="characters").fit(questions(20, seed=0))
