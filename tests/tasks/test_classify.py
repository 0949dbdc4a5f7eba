"""The classifier, end to end on tiny data."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from unrolled.errors import ConfigError, DataError, ModelFolderError
from unrolled.tasks.classify import Classifier
from unrolled.tasks.registry import load

WORDS = ("red", "green", "blue", "grey")


def first_word(count, seed):
    """Texts whose label is their first word."""
    generator = np.random.default_rng(seed)
    rows = [generator.choice(WORDS, size=generator.integers(1, 6)).tolist() for _ in range(count)]
    return [(" ".join(row), f"says {row[0]}") for row in rows]


def rising(count, seed, labels=("down", "up")):
    """Numbers that rise or fall about the same mean: only their order tells."""
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        steps = np.sort(generator.normal(size=generator.integers(4, 9)))
        up = int(generator.integers(2))
        rows.append((steps if up else steps[::-1].copy(), labels[up]))
    return rows


@pytest.fixture(scope="module")
def colours():
    options = {"hidden_size": 16, "embedding_size": 16, "epochs": 12, "input_dropout": 0.1}
    return Classifier(**options, learning_rate=0.02).fit(first_word(300, seed=0), dev=first_word(60, seed=1))


@pytest.fixture(scope="module")
def small():
    """Fitted for a moment only: for what does not depend on how good it is."""
    return Classifier(hidden_size=4, embedding_size=4, epochs=1).fit(first_word(40, seed=0))


def test_learns_a_rule_that_counting_words_cannot_tell(colours):
    evaluation = colours.evaluate(first_word(200, seed=2))
    assert evaluation.scores["accuracy"] > 0.95
    assert evaluation.scores["macro F1"] > 0.95
    assert evaluation.baselines["bag-of-words logistic regression"]["accuracy"] < 0.8
    assert evaluation.baselines["majority class"]["accuracy"] < 0.5
    assert evaluation.count == 200
    assert evaluation.examples[0].keys() == {"input", "expected", "predicted"}


def test_learns_order_in_numbers():
    classifier = Classifier(hidden_size=8, epochs=15, learning_rate=0.02, pooling="last", skip=False)
    classifier.fit(rising(200, seed=0))
    assert classifier.evaluate(rising(100, seed=1)).scores["accuracy"] > 0.95


def test_learns_numbers_as_targets():
    def last(count, seed):
        generator = np.random.default_rng(seed)
        rows = [generator.normal(5, 2, size=(generator.integers(2, 6), 2)) for _ in range(count)]
        return [(row, float(100 + 10 * row[-1, 1])) for row in rows]

    classifier = Classifier(hidden_size=8, epochs=15, learning_rate=0.02, dropout=0, pooling="last")
    classifier.fit(last(300, seed=0))
    evaluation = classifier.evaluate(last(100, seed=1))
    assert evaluation.scores["R2"] > 0.9
    assert evaluation.scores.keys() == {"RMSE", "MAE", "R2"}
    assert abs(evaluation.baselines["mean"]["R2"]) < 0.1
    assert evaluation.baselines["summary-statistics ridge regression"]["R2"] > 0.99
    assert classifier.monitored == ("RMSE", "min")
    assert all(isinstance(number, float) for number in classifier.predict([np.zeros((3, 2))]))
    with pytest.raises(ConfigError, match="predicts numbers and has no classes"):
        classifier.predict_proba([np.zeros((3, 2))])


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_predictions_do_not_depend_on_company(colours, pooling):
    data = first_word(30, seed=3)
    classifier = Classifier(hidden_size=6, embedding_size=6, epochs=1, pooling=pooling).fit(data)
    texts = [text for text, _ in data]
    together = classifier.predict_proba(texts)
    alone = np.concatenate([classifier.predict_proba([text]) for text in texts])
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)


def test_saved_and_loaded_predicts_the_same_to_the_bit(colours, tmp_path):
    data = first_word(50, seed=4)
    texts = [text for text, _ in data]
    colours.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert isinstance(loaded, Classifier)
    assert np.array_equal(loaded.predict_proba(texts), colours.predict_proba(texts))
    assert loaded.predict(texts) == colours.predict(texts)
    again, before = loaded.evaluate(data), colours.evaluate(data)
    assert (again.scores, again.baselines) == (before.scores, before.baselines)
    assert loaded.history == colours.history
    assert loaded.notices == colours.notices
    assert loaded.effective == colours.effective
    assert loaded.dev_evaluation == colours.dev_evaluation


@pytest.mark.parametrize("labels", [("down", "up"), (1.5, 2.5)])
def test_saved_numbers_predict_the_same_to_the_bit(tmp_path, labels):
    data = rising(30, seed=0, labels=labels)
    classifier = Classifier(hidden_size=4, epochs=1).fit(data)
    classifier.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    inputs = [numbers for numbers, _ in data]
    assert loaded.predict(inputs) == classifier.predict(inputs)
    assert loaded.evaluate(data).baselines == classifier.evaluate(data).baselines


def test_same_seed_same_weights():
    data = first_word(40, seed=0)
    fitted = [Classifier(hidden_size=4, embedding_size=4, epochs=2, seed=7).fit(data) for _ in range(2)]
    for one, other in zip(*(each.model.state_dict().values() for each in fitted), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_reads_texts_from_every_kind_of_table(small, tmp_path, suffix):
    frame = pd.DataFrame(first_word(20, seed=0), columns=["text", "label"])
    path = tmp_path / f"data{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    elif suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    expected = small.evaluate(first_word(20, seed=0)).scores
    assert small.evaluate(path).scores == expected
    assert small.evaluate(frame).scores == expected
    assert small.predict(path) == small.predict(frame["text"].tolist())


def test_reads_ts_and_lists_of_numbers(tmp_path):
    data = rising(40, seed=0)
    ts = tmp_path / "data.ts"
    cases = [",".join(map(str, numbers)) + f":{label}" for numbers, label in data]
    ts.write_text("\n".join(["@classLabel true down up", "@data", *cases]))
    lines = tmp_path / "data.jsonl"
    lines.write_text("\n".join(json.dumps({"values": n.tolist(), "label": y}) for n, y in data))
    classifier = Classifier(hidden_size=4, epochs=1).fit(ts)
    assert classifier.evaluate(ts).scores == classifier.evaluate(lines).scores
    assert classifier.predict(lines) == classifier.predict([numbers for numbers, _ in data])


def test_columns_may_be_named(tmp_path):
    path = tmp_path / "data.csv"
    rows = [f"{text},{text},{label},x{row}" for row, (text, label) in enumerate(first_word(20, seed=0))]
    path.write_text("\n".join(["title,body,kind,id", *rows]))
    options = {"text_column": "body", "label_column": "kind", "hidden_size": 4, "epochs": 1}
    assert set(Classifier(**options).fit(path).labels) <= {f"says {word}" for word in WORDS}
    with pytest.raises(DataError, match=r"data\.csv.*expected a column 'sort'.*title, body, kind, id"):
        Classifier(label_column="sort").fit(path)


def test_the_guess_of_the_target_is_stated():
    data = [(text, row % 3) for row, (text, _) in enumerate(first_word(30, seed=0))]
    guessed = Classifier(hidden_size=4, epochs=1).fit(data)
    assert guessed.effective.target == "classes"
    assert guessed.config.target == "auto"
    assert guessed.labels == ("0", "1", "2")
    assert any("taken as 3 classes (0, 1, 2)" in notice for notice in guessed.notices)
    told = Classifier(hidden_size=4, epochs=1, target="numbers").fit(data)
    assert told.monitored == ("RMSE", "min")
    assert not any("taken as" in notice for notice in told.notices)


def test_characters_as_units():
    data = [(text, "fruit" if "q" in text else "stone") for text in ("aq", "qb", "ab", "ba", "bqa", "bb")]
    classifier = Classifier(
        unit="characters", hidden_size=8, epochs=30, learning_rate=0.02, unknown_dropout=0, patience=None
    )
    assert classifier.fit(data, dev=data).predict(["aqa", "aba"]) == ["fruit", "stone"]


def test_probabilities_follow_the_labels(colours):
    texts = [text for text, _ in first_word(20, seed=5)]
    probabilities = colours.predict_proba(texts)
    assert probabilities.shape == (20, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert [colours.labels[column] for column in probabilities.argmax(1)] == colours.predict(texts)


def test_nothing_to_predict(small):
    assert small.predict([]) == []
    assert small.predict_proba([]).shape == (0, 4)


def test_a_text_without_words_is_still_classified(small):
    assert small.predict(["", "   ", "unheard of"])[0] in small.labels


def test_a_stream_is_predicted_as_it_comes(small):
    taken = []

    def texts():
        for text in ("red", "green blue", "grey"):
            taken.append(text)
            yield text

    stream = small.predict_stream(texts())
    assert next(stream) == small.predict(["red"])[0]
    assert taken == ["red"]
    assert len(list(stream)) == 2


def test_one_class_alone_is_refused():
    with pytest.raises(DataError, match="expected sequences of two classes or more, got 'only' alone"):
        Classifier(epochs=1, hidden_size=4).fit([("red", "only"), ("blue", "only"), ("grey", "only")])


def test_a_label_that_training_lacks_counts_as_an_error_and_is_said():
    train = [("a fine film", "good"), ("so fine", "good"), ("a dull film", "bad"), ("so dull", "bad")]
    classifier = Classifier(epochs=1, hidden_size=4).fit(train, dev=[*train, ("middling", "fair")])
    assert any(
        "1 of 5 sequences have a label that training has not seen (fair)" in note
        for note in classifier.notices
    )
    assert classifier.evaluate([("middling", "fair")]).scores["accuracy"] == 0


def test_scripts_without_spaces_are_read_by_characters():
    train = [("这部电影很好", "good"), ("很好看", "good"), ("这部电影不好", "bad"), ("不好看", "bad")]
    classifier = Classifier(epochs=1, hidden_size=4).fit(train, dev=train)
    assert "The texts are in a script without spaces and are read by characters." in classifier.notices
    assert "好" in classifier._inputs.vocabulary


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "expected examples to learn from or to score, got none"),
        (["red"], "row 1: expected a pair of input and target, got 'red'"),
        ([("red", None)], "row 1: expected a label, got an empty cell"),
        (
            [("red", "a"), (np.zeros(3), "b"), ("blue", "a")],
            "row 2: expected text as in the first",
        ),
        (
            [(np.zeros(3), "a"), (np.zeros((3, 2)), "b"), (np.zeros(3), "a")],
            "row 2: expected 1 numbers a step",
        ),
        ([(np.array([1.0, -np.inf]), "a")] * 3, "row 1: expected finite numbers, got -inf at step 2"),
        ([(np.zeros(0), "a")] * 3, "row 1: expected a sequence of one step at least, got none"),
        ([("", "a"), (" ", "b")] * 4, "row .*: expected texts, got 7 without a word in them"),
        ([("red", "a"), ("blue", "b")], "expected examples enough to hold some out, got 2"),
    ],
)
def test_bad_data(data, message):
    with pytest.raises(DataError, match=message):
        Classifier(hidden_size=4, epochs=1).fit(data)


def test_numbers_where_training_had_text(small):
    with pytest.raises(DataError, match="row 1: expected text as in training"):
        small.predict([np.zeros(3)])


def test_a_folder_of_another_task_is_refused(small, tmp_path):
    from unrolled.tasks.tag import Tagger

    small.save(tmp_path / "model")
    with pytest.raises(ModelFolderError, match="expected a model of the task 'tag', got 'classify'"):
        Tagger.load(tmp_path / "model")


def test_whole_groups_are_held_out(tmp_path):
    rows = [f"{text},{label},speaker {row % 6}" for row, (text, label) in enumerate(first_word(60, seed=0))]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["text,label,speaker", *rows]))
    classifier = Classifier(hidden_size=4, epochs=1, group_column="speaker", holdout=0.2)
    examples = classifier._read(path, labelled=True)
    shares = classifier._hold_out(examples, keep_apart=True)
    kept, held_out, sentence = shares.train, shares.held_out, shares.sentence
    speakers = [{example.group for example in share} for share in (kept, held_out)]
    assert not speakers[0] & speakers[1]
    assert (len(speakers[1]), len(held_out)) == (2, 20)
    assert "20 of 60 training examples, whole groups of them, drawn with seed 0" in sentence
    assert classifier.fit(path).predict([text for text, _ in first_word(3, seed=1)])


def test_few_sequences_of_numbers_are_given_noise_and_epochs_unless_asked_otherwise():
    tiny = {"hidden_size": 4, "epochs": 1}
    found = Classifier(**tiny).fit(rising(30, seed=0))
    assert (found.effective.cell, found.effective.pooling, found.effective.input_noise) == ("gru", "max", 0.1)
    assert any("filters 32" in notice for notice in found.notices)
    two = [(np.stack([values, values], 1), label) for values, label in rising(30, seed=0)]
    several = Classifier(**tiny).fit(two).effective
    assert (several.cell, several.pooling, several.input_noise, several.filters) == ("gru", "max", 0.5, 0)
    asked = Classifier(**tiny, input_noise=0.1, peepholes=True).fit(rising(30, seed=0)).effective
    assert (asked.cell, asked.input_noise, asked.epochs) == ("lstm", 0.1, 1)
    numbers = Classifier(**tiny, target="numbers").fit(rising(30, seed=0, labels=(1.5, 2.5))).effective
    assert (numbers.cell, numbers.input_noise) == ("lstm", 0)


def test_later_files_are_read_as_the_training_data(tmp_path):
    rows = "a fine film;good\nso dull, so slow;bad\nfine;good\ndull;bad\n"
    (tmp_path / "named.csv").write_text(f"review;mood\n{rows * 2}")
    (tmp_path / "nameless.csv").write_text(rows)
    (tmp_path / "texts.csv").write_text("fine, so fine\ndull, so dull\n")
    Classifier(epochs=1, hidden_size=4).fit(tmp_path / "named.csv").save(tmp_path / "model")
    classifier = Classifier.load(tmp_path / "model")
    assert classifier.evaluate(tmp_path / "nameless.csv").count == 4
    assert len(classifier.predict(tmp_path / "texts.csv")) == 2
    other = Classifier(epochs=1, hidden_size=4).fit(tmp_path / "nameless.csv", dev=tmp_path / "nameless.csv")
    assert other.dev_evaluation.count == 4
    assert len(other.predict(tmp_path / "texts.csv")) == 2
