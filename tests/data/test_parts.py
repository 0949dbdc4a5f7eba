"""Data that is divided itself, and folders of texts."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from unrolled.data.builtin import resolve
from unrolled.data.labelled import read_labelled
from unrolled.data.parts import parts_of
from unrolled.data.tables import read_table
from unrolled.errors import DataError
from unrolled.tasks.classify import Classifier

REVIEWS = "text,label\n" + "a fine film,good\nso dull,bad\n" * 4


def found(path):
    parts = parts_of(path)
    return parts and tuple(
        part and str(part.relative_to(path)) for part in (parts.train, parts.dev, parts.test)
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train.csv", "test.csv", "README.md"], ("train.csv", None, "test.csv")),
        (["train.jsonl", "validation.jsonl"], ("train.jsonl", "validation.jsonl", None)),
        (["en-ud-train.conllu", "en-ud-dev.conllu", "en-ud-test.conllu"],
         ("en-ud-train.conllu", "en-ud-dev.conllu", "en-ud-test.conllu")),
        (["atis.train.tsv.gz", "atis.test.tsv.gz"], ("atis.train.tsv.gz", None, "atis.test.tsv.gz")),
        (["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet",
          "data/test-00000-of-00001.parquet", "README.md"],
         ("data/train-*-of-00002.parquet", None, "data/test-*-of-00001.parquet")),
        (["train/pos/1.txt", "train/neg/1.txt", "test/pos/1.txt"], ("train", None, "test")),
        (["train.csv", "notes.csv"], None),
        (["yes/1.wav", "no/1.wav"], None),
        (["films_train.csv", "books_train.csv", "films_test.csv"], None),
        (["training_set.csv", "latest.csv"], None),
    ],
)  # fmt: skip
def test_the_parts_of_a_folder(tmp_path, names, expected):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert found(tmp_path) == expected


def test_pieces_of_a_table_are_one(tmp_path):
    frame = pd.DataFrame({"text": ["a", "b", "c"], "label": [0, 1, 0]})
    frame[:2].to_parquet(tmp_path / "train-00000-of-00002.parquet")
    frame[2:].to_parquet(tmp_path / "train-00001-of-00002.parquet")
    table = read_table(tmp_path / "train-*-of-00002.parquet")
    assert table.columns == {"text": ["a", "b", "c"], "label": [0, 1, 0]}
    assert table.rows.tolist() == [1, 2, 3]
    assert resolve(str(tmp_path / "train-*.parquet")).name == "train-*.parquet"
    frame.rename(columns={"text": "review"}).to_parquet(tmp_path / "train-00002-of-00002.parquet")
    with pytest.raises(
        DataError, match=r"expected the columns text, label as in train-00000-of-00002.parquet"
    ):
        read_table(tmp_path / "train-*.parquet")


def test_what_datasets_saves_has_classes_by_name(tmp_path):
    """`save_to_disk` writes streams of record batches, and the names of classes into the schema."""
    features = {
        "text": {"dtype": "string", "_type": "Value"},
        "label": {"names": ["bad", "good"], "_type": "ClassLabel"},
        "tags": {"feature": {"names": ["O", "B-PER"], "_type": "ClassLabel"}, "_type": "Sequence"},
    }
    table = pa.table({"text": ["fine", "dull"], "label": [1, 0], "tags": [[0, 1], [0]]})
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "state.json").write_text("{}")
    with pa.ipc.new_stream(tmp_path / "train" / "data-00000-of-00001.arrow", table.schema) as out:
        out.write_table(table)
    read = read_table(resolve(tmp_path / "train"))
    assert read.columns == {
        "text": ["fine", "dull"],
        "label": ["good", "bad"],
        "tags": [["O", "B-PER"], ["O"]],
    }
    with pa.ipc.new_file(tmp_path / "f.arrow", table.schema) as out:
        out.write_table(table)
    assert read_table(tmp_path / "f.arrow").columns == read.columns
    (tmp_path / "g.arrow").write_bytes(b"no such thing")
    with pytest.raises(DataError, match="expected an Arrow file, but"):
        read_table(tmp_path / "g.arrow")


def test_a_folder_of_texts(tmp_path):
    for name, content in {
        "pos/1_9.txt": "a fine film",
        "pos/2.txt": "schön".encode("cp1252"),
        "neg/1_1.txt": "so dull",
        "unsup/1_0.txt": "a film",
        "urls_pos.txt": "http",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    examples = read_labelled(tmp_path)
    assert [(item.inputs, item.target) for item in examples] == [
        ("so dull", "neg"),
        ("a fine film", "pos"),
        ("schön", "pos"),
    ]
    assert examples.notes[0] == "The folder 'unsup' holds texts without labels and is left out."
    assert "Windows-1252" in examples.notes[1]
    assert len(read_labelled(tmp_path, labelled=False)) == 4
    assert len(read_labelled(tmp_path / "pos", labelled=False)) == 2
    with pytest.raises(DataError, match="expected a folder of texts for every class, found texts alone"):
        read_labelled(tmp_path / "pos")


def test_a_divided_folder_is_taken_part_by_part(tmp_path):
    (tmp_path / "train.csv").write_text(REVIEWS)
    (tmp_path / "validation.csv").write_text(REVIEWS)
    (tmp_path / "test.csv").write_text("text,label\nfine,good\n")
    classifier = Classifier(hidden_size=4, epochs=1).fit(tmp_path)
    assert classifier.notices[0].startswith("The data is divided itself: ")
    assert classifier.dev_evaluation.data.endswith("validation.csv")
    assert classifier.evaluate(tmp_path).count == 1
    assert len(classifier.predict(tmp_path)) == 1
    np.savez(
        tmp_path / "w.npz",
        X_train=np.zeros((4, 3, 1)),
        y_train=[0, 1, 0, 1],
        X_val=np.ones((2, 3, 1)),
        y_val=[0, 1],
    )
    arrays = Classifier(hidden_size=4, epochs=1).fit(tmp_path / "w.npz")
    assert arrays.dev_evaluation.count == 2
