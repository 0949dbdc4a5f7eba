"""The captioner, end to end on tiny data."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from unrolled.data.loading import load_captions, load_labelled
from unrolled.errors import ConfigError, DataError, ModelFolderError
from unrolled.tasks.caption import Captioner
from unrolled.tasks.registry import load

TINY = {"hidden_size": 8, "input_size": 8, "embedding_size": 8, "epochs": 2}
NAMES = {"cat": ("Tom", "Tim"), "dog": ("Rex", "Max")}


def halves(count, seed):
    """Images whose brighter half is named in words."""
    generator = np.random.default_rng(seed)
    pairs = []
    for _ in range(count):
        image = generator.integers(0, 60, size=(8, 8, 1)).astype(np.uint8)
        left = bool(generator.integers(2))
        image[:, : 4 if left else None][:, 0 if left else 4 :] += 150
        pairs.append((image, f"light on the {'left' if left else 'right'}"))
    return pairs


def named(count, seed):
    """Classes with one of two names each."""
    generator = np.random.default_rng(seed)
    kinds = generator.choice(list(NAMES), size=count).tolist()
    return [(kind, str(generator.choice(NAMES[kind]))) for kind in kinds]


def signs(count, seed):
    """Vectors whose first number's sign is written."""
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return [(vector, "plus" if vector[0] > 0 else "minus") for vector in vectors]


DATA = {"images": halves, "classes": named, "vectors": signs}


@pytest.fixture(scope="module", params=DATA)
def small(request):
    """A captioner of each kind fitted for a moment only, and its data."""
    data = DATA[request.param](40, seed=0)
    return Captioner(**TINY).fit(data), data


@pytest.fixture(scope="module")
def names():
    return Captioner(hidden_size=32, epochs=10, learning_rate=0.02).fit(named(300, seed=0))


def test_learns_to_say_which_half_is_light():
    captioner = Captioner(hidden_size=32, epochs=15, learning_rate=0.01, batch_size=16)
    evaluation = captioner.fit(halves(150, seed=0)).evaluate(halves(60, seed=1))
    assert evaluation.scores["exact match"] > 0.95
    assert {"BLEU", "chrF", "WER"} <= evaluation.scores.keys()
    assert evaluation.baselines["nearest input's text"]["exact match"] > 0.9
    assert evaluation.count == 60
    assert evaluation.examples[0]["input"].startswith("data:image/png;base64,")
    assert captioner.monitored == ("WER", "min")


def test_learns_from_vectors():
    captioner = Captioner(hidden_size=32, epochs=25, learning_rate=0.01, batch_size=16).fit(
        signs(200, seed=0)
    )
    assert captioner.evaluate(signs(60, seed=1)).scores["exact match"] > 0.9


def test_writes_what_suits_a_class(names):
    evaluation = names.evaluate(named(100, seed=1))
    nats = {name: scores["nats per symbol"] for name, scores in evaluation.baselines.items()}
    assert nats["Witten-Bell n-gram of the class"] < nats["Witten-Bell n-gram"]
    assert evaluation.scores["nats per symbol"] < nats["Witten-Bell n-gram"]
    assert names.predict(["cat"])[0] in NAMES["cat"]
    found = names.predict(["dog"], n_best=2)
    assert {each["text"] for each in found} == set(NAMES["dog"])
    assert [each["rank"] for each in found] == [1, 2]
    assert found[0]["log_probability"] > found[1]["log_probability"]


def test_draws_differ_by_seed_and_fit_the_class(names):
    drawn = names.predict(["cat"] * 20, temperature=1.0)
    assert drawn == names.predict(["cat"] * 20, temperature=1.0)
    assert drawn != names.predict(["cat"] * 20, temperature=1.0, seed=1)
    assert set(NAMES["cat"]) <= set(drawn)
    several = names.predict(["cat", "dog"], temperature=0.5, n_best=3)
    assert [each["input"] for each in several] == [1, 1, 1, 2, 2, 2]
    assert names.predict([], temperature=1.0) == []


def test_saved_and_loaded_writes_the_same(small, tmp_path):
    captioner, data = small
    captioner.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    inputs = [given for given, _ in data[:10]]
    assert isinstance(loaded, Captioner)
    assert loaded.predict(inputs, beam_size=3) == captioner.predict(inputs, beam_size=3)
    again, before = loaded.evaluate(data), captioner.evaluate(data)
    assert (again.scores, again.baselines) == (before.scores, before.baselines)
    assert loaded.effective == captioner.effective


def test_what_is_written_does_not_depend_on_company(small):
    captioner, data = small
    inputs = [given for given, _ in data[:10]]
    together = captioner.predict(inputs, beam_size=2)
    assert [captioner.predict([given], beam_size=2)[0] for given in inputs] == together


@pytest.mark.parametrize("attention", ["none", "additive", "multiplicative"])
def test_every_attention_trains(attention):
    Captioner(**TINY, attention=attention, input_feeding=attention != "none").fit(halves(20, seed=0))


def test_regions_of_unequal_number():
    generator = np.random.default_rng(0)
    data = [(generator.normal(size=(1 + row % 3, 4)), f"word{row % 2}") for row in range(30)]
    captioner = Captioner(**TINY).fit(data)
    inputs = [given for given, _ in data[:6]]
    assert [captioner.predict([given])[0] for given in inputs] == captioner.predict(inputs)


def test_a_table_of_classes_and_numbers(tmp_path):
    rows = [
        {"kind": kind, "age": age, "note": "x", "name": name} for age, (kind, name) in enumerate(named(40, 0))
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "train.csv", index=False)
    options = {"text_column": "name", "condition_columns": ("kind", "age")}
    captioner = Captioner(**TINY, **options).fit(tmp_path / "train.csv")
    given = [{"kind": row["kind"], "age": row["age"]} for row in rows]
    assert captioner.predict(given) == captioner.predict(tmp_path / "train.csv")
    with pytest.raises(DataError, match="expected a value of 'age' as in training, got those of kind"):
        captioner.predict([{"kind": "cat"}])
    with pytest.raises(
        DataError, match=r"train\.csv: expected a column of texts and one of what they are wr"
    ):
        Captioner(text_column="note").fit(tmp_path / "train.csv")


def test_a_table_of_a_class_and_a_text_needs_no_option(tmp_path):
    pd.DataFrame(named(40, seed=0), columns=["language", "name"]).to_csv(tmp_path / "t.csv", index=False)
    captioner = Captioner(**TINY).fit(tmp_path / "t.csv")
    assert captioner.effective.condition_columns == ("language",)
    assert "Texts are those of column 'name', written for column 'language'." in captioner.notices
    (tmp_path / "only.txt").write_text("cat\ndog\n")
    assert captioner.predict(tmp_path / "only.txt") == captioner.predict(["cat", "dog"])


def test_images_with_metadata(tmp_path):
    rows = []
    for number, (image, text) in enumerate(halves(20, seed=0)):
        Image.fromarray(image[:, :, 0]).save(tmp_path / f"{number}.png")
        rows.append({"file_name": f"{number}.png", "text": text})
    pd.DataFrame(rows).to_json(tmp_path / "metadata.jsonl", orient="records", lines=True)
    captioner = Captioner(**TINY).fit(tmp_path)
    assert captioner.evaluate(tmp_path).count == 20
    first = tmp_path / "0.png"
    assert captioner.predict(first) == captioner.predict([str(first)]) == captioner.predict([first])
    assert captioner.predict(tmp_path)[:1] == captioner.predict(first)
    with pytest.raises(DataError, match=r"gone\.png: expected a file, found none"):
        captioner.predict(["gone.png"])


def test_folders_are_texts_where_there_are_no_others(tmp_path):
    for label in ("seven", "one"):
        (tmp_path / label).mkdir()
        Image.new("L", (8, 8)).save(tmp_path / label / "1.png")
    assert [example.target for example in load_captions(tmp_path)] == ["one", "seven"]


def test_built_in_images_are_described():
    first = load_captions("described-shapes")[0]
    assert first.inputs.shape == (24, 24, 1)
    assert load_captions("described-shapes", captioned=False)[0].target is None
    with pytest.raises(ConfigError, match="which is for `caption`"):
        load_labelled("described-shapes")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([("cat", "")], "row 1: expected a text, got ''"),
        ([("cat", None)], "row 1: expected a text, got None"),
        ([(None, "Tom")], "row 1, column 'class': expected a class or a number, got nothing"),
        ([({"a": object()}, "Tom")], "row 1, column 'a': expected a class or a number, got <object"),
        ([([1.0, float("nan")], "Tom")], "row 1: expected finite numbers, got NaN at step 1"),
        ([(np.zeros((4, 4, 2), np.uint8), "Tom")], "row 1: expected an image"),
    ],
)
def test_bad_data(data, message):
    with pytest.raises(DataError, match=message):
        Captioner(**TINY).fit(data * 3)


def test_inputs_of_another_kind_are_refused(small):
    captioner, data = small
    other = {"x": "y", "z": "a"} if not isinstance(data[0][0], str) else np.zeros(3)
    with pytest.raises(DataError, match=r"row 1: expected .* as in training"):
        captioner.predict([other])


def test_a_class_unseen_in_training(names):
    with pytest.raises(
        DataError, match=r"row 1: expected a class seen in training \('cat', 'dog'\), got 'cow'"
    ):
        names.predict(["cow"])


def test_clips_are_refused(tmp_path):
    (tmp_path / "a" / "clip").mkdir(parents=True)
    Image.new("L", (8, 8)).save(tmp_path / "a" / "clip" / "1.png")
    with pytest.raises(DataError, match="expected images to write texts for, found frames"):
        Captioner(**TINY).fit(tmp_path)


def test_a_folder_of_another_task_is_refused(names, tmp_path):
    from unrolled.tasks.classify import Classifier

    names.save(tmp_path / "model")
    with pytest.raises(ModelFolderError, match="expected a model of the task 'classify', got 'caption'"):
        Classifier.load(tmp_path / "model")


def test_a_bidirectional_decoder_is_refused():
    with pytest.raises(ConfigError, match="bidirectional"):
        Captioner(**TINY, bidirectional=True).fit(named(20, seed=0))
