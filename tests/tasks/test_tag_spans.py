"""Entities by the places of their characters: in training, in scores, and in every way of predicting."""

import json

import pandas as pd
import pytest

import unrolled
from tests.export.test_models import runner
from unrolled.data.loading import load_tagged
from unrolled.errors import DataError
from unrolled.tasks.tag import Tagger

TEXTS = [
    {"text": "Mira lives in Oslo.", "label": [[0, 4, "PER"], [14, 18, "LOC"]]},
    {"text": "In Oslo, Mira sings!", "label": [[9, 13, "PER"], [3, 7, "LOC"]]},
    {"text": "She sings.", "label": []},
] * 6
SMALL = {"hidden_size": 16, "epochs": 25, "learning_rate": 0.02, "min_count": 1, "patience": None}
SAID = ["B-LOC", "O", "B-PER", "O"]


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_texts_are_cut_alike_in_every_way(tmp_path):
    train = written(tmp_path / "train.jsonl", TEXTS)
    model = Tagger(**SMALL).fit(train, dev=train)
    assert model.effective.marks
    assert model.evaluate(train).scores["span F1"] == 1.0
    assert model.evaluate(written(tmp_path / "none.jsonl", TEXTS[2:3] * 2)).count == 6
    model.save(tmp_path / "model")
    text, loaded = "Oslo, Mira!", unrolled.load(tmp_path / "model")
    for each in (model, loaded):
        assert each.predict([text, ("Oslo,", "Mira!")])[0] == SAID
        assert len(each.predict([("Oslo,", "Mira!")])[0]) == 2  # words are left as they are
        assert each.predict([each.input_schema().from_line(text)]) == [SAID]
        assert each.predict([each.input_schema().from_json(text)]) == [SAID]
        assert each.predict(pd.DataFrame({"text": [text]})) == [SAID]
        (tmp_path / "later.txt").write_text(f"{text}\nShe sings in Oslo now.\n")
        assert each.predict(tmp_path / "later.txt")[0] == SAID
        assert each.predict(written(tmp_path / "later.jsonl", [{"text": text}])) == [SAID]
        assert each.predict(written(tmp_path / "l.jsonl", [{"text": text, "label": []}])) == [SAID]
    unrolled.export.onnx(model, tmp_path / "onnx")
    assert runner(tmp_path / "onnx").predict([text]) == [SAID]


def test_what_does_not_fit_words_is_said():
    texts = ["Oslofjord and Rome", "New York City"]
    frame = pd.DataFrame({"text": texts, "spans": [[[0, 4, "LOC"]], [[0, 8, "A"], [4, 13, "B"]]]})
    examples = load_tagged(frame)
    assert [each.target for each in examples] == [("B-LOC", "O", "O"), ("B-A", "I-A", "O")]
    said = " ".join(examples.notes)
    assert "widened to the whole of it: 1 ('Oslo' (LOC) to 'Oslofjord')." in said
    assert "left out: 1 ('York City' (B))." in said


def test_spacy_objects_are_read():
    cells = [{"entities": [(0, 4, "PER")]}, {"entities": []}]
    examples = load_tagged(pd.DataFrame({"text": ["Mira ran", "yes"], "annotations": cells}))
    assert [each.target for each in examples] == [("B-PER", "O"), ("O",)]


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([[0, 40, "LOC"]], "expected a span within the 5 characters of its text, got 0 to 40"),
        ([[3, 3, "LOC"]], "expected a span within the 5 characters of its text, got 3 to 3"),
        ([[0, 3]], r"expected spans such as \[0, 4, 'PER'\], got \[0, 3\]"),
    ],
)
def test_spans_that_are_none(spans, message):
    frame = pd.DataFrame({"text": ["Oslo.", "Rome."], "label": [[[0, 4, "LOC"]], spans]})
    with pytest.raises(DataError, match=message):
        load_tagged(frame)


@pytest.mark.parametrize("form", ["pairs", "lists", "objects", "json", "jsonl"])
def test_spacys_training_data_is_read(form, tmp_path):
    pairs = [(row["text"], {"entities": list(map(tuple, row["label"]))}) for row in TEXTS]
    lists = json.loads(json.dumps(pairs))
    objects = [{"text": text, **said} for text, said in pairs]
    (tmp_path / "a.json").write_text(json.dumps(lists))
    data = {
        "pairs": pairs,
        "lists": lists,
        "objects": objects,
        "json": tmp_path / "a.json",
        "jsonl": written(tmp_path / "a.jsonl", lists),
    }[form]
    model = Tagger(**SMALL | {"epochs": 1})
    assert "3 tags that mark spans" not in model.understand([(("a", "b"), ("B-X", "I-X"))] * 3, None)
    assert model.understand(data, data).startswith(
        "Understood: words to tags; 3 tags that mark spans (B-LOC, "
    )
    read = model._read(data, labelled=True)
    assert [(each.inputs, each.target) for each in read][1] == (
        ("In", "Oslo", ",", "Mira", "sings", "!"),
        ("O", "B-LOC", "O", "B-PER", "O", "O"),
    )


def test_a_wrong_span_of_spacys_is_named():
    wrong = [("She sings.", {"entities": []}), ("Mira", {"entities": [(0, 9, "PER")]})]
    with pytest.raises(DataError, match=r"row 2.*within the 4 characters of its text, got 0 to 9"):
        Tagger().fit(wrong, dev=wrong)
