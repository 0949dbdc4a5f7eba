"""Files with labels, in every way in which folders of them come."""

import json

import numpy as np
import pytest
import soundfile

from unrolled.data.labelled import read_labelled
from unrolled.errors import ConfigError, DataError


def tone(path, seconds=0.1, rate=8000):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.sin(np.arange(int(seconds * rate)) / 5), rate)


def names_and_labels(path, **options):
    return [(example.inputs.name, example.target) for example in read_labelled(path, **options)]


def walks(folder, rows):
    """Sequences of two channels, one file each, and a table of labels beside them."""
    for number, (length, _) in enumerate(rows, start=1):
        steps = "\n".join(f"{step},{-step}" for step in range(length))
        (folder / f"walk_{number}.csv").write_text(f"#left, right\n{steps}\n")
    table = "\n".join(f"{number},{label}" for number, (_, label) in enumerate(rows, start=1))
    (folder / "walk_target.csv").write_text(f"#walk, kind\n{table}\n")


def test_a_folder_for_every_class(tmp_path):
    for name in ("no/2.wav", "no/1.wav", "yes/1.flac"):
        tone(tmp_path / name)
    assert names_and_labels(tmp_path) == [("1.wav", "no"), ("2.wav", "no"), ("1.flac", "yes")]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_metadata_beside_recordings(tmp_path, kind):
    tone(tmp_path / "a.wav")
    tone(tmp_path / "deep" / "b.wav")
    rows = [{"file_name": "deep/b.wav", "label": "low"}, {"file_name": "a.wav", "label": "high"}]
    lines = [json.dumps(row) for row in rows] if kind == "jsonl" else ["file_name,label"]
    lines += [",".join(row.values()) for row in rows] if kind == "csv" else []
    (tmp_path / f"metadata.{kind}").write_text("\n".join(lines))
    assert names_and_labels(tmp_path) == [("b.wav", "low"), ("a.wav", "high")]


def test_labels_in_the_names_of_files(tmp_path):
    for name in ("7_ada_0.wav", "3_bob_1.wav"):
        tone(tmp_path / name)
    assert names_and_labels(tmp_path, label_pattern=r"^(\d)_") == [("3_bob_1.wav", "3"), ("7_ada_0.wav", "7")]
    with pytest.raises(DataError, match=r"3_bob_1\.wav: expected a label in the file's name"):
        read_labelled(tmp_path, label_pattern="(x)")
    with pytest.raises(ConfigError, match="label_pattern: expected a regular expression, got '\\('"):
        read_labelled(tmp_path, label_pattern="(")


def test_files_alone_are_enough_to_predict_for(tmp_path):
    tone(tmp_path / "a.wav")
    assert names_and_labels(tmp_path, labelled=False) == [("a.wav", None)]
    assert names_and_labels(tmp_path / "a.wav", labelled=False) == [("a.wav", None)]
    with pytest.raises(DataError, match="expected a folder of"):
        read_labelled(tmp_path)


def test_sequences_in_files_beside_a_table_of_labels(tmp_path):
    walks(tmp_path, [(3, "straight"), (2, "bent"), (4, "bent")])
    examples = read_labelled(tmp_path)
    assert [example.inputs.shape for example in examples] == [(3, 2), (2, 2), (4, 2)]
    assert [example.target for example in examples] == ["straight", "bent", "bent"]
    assert examples[2].inputs[3].tolist() == [3, -3]
    assert (examples[1].source.path.name, examples[1].source.row) == ("walk_target.csv", 3)


def test_sequences_in_a_folder_for_every_class(tmp_path):
    for name, length in (("up", 2), ("down", 3)):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "1.npy", np.arange(length))
    assert [(example.inputs.shape, example.target) for example in read_labelled(tmp_path)] == [
        ((3, 1), "down"),
        ((2, 1), "up"),
    ]


def test_one_sequence_alone(tmp_path):
    walks(tmp_path, [(3, "straight")])
    (example,) = read_labelled(tmp_path / "walk_1.csv", labelled=False)
    assert example.inputs.tolist() == [[0, 0], [1, -1], [2, -2]]


def test_a_column_of_texts_that_are_numbers_stays_text(tmp_path):
    path = tmp_path / "numbers.csv"
    path.write_text("text\n12\n34\n")
    assert [example.inputs for example in read_labelled(path, labelled=False)] == ["12", "34"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "walk_2.csv",
            "left,right\n1,2\n3,x\n",
            r"walk_2\.csv, row 3, column 'right': expected a number, got 'x'",
        ),
        ("walk_2.csv", "1,2,3\n4,5,6\n", "row 3.*expected 2 numbers a step as in the first sequence, got 3"),
        ("walk_target.csv", "walk,kind\n1,a\n9,b\n", r"walk_target\.csv, row 3, column 'walk': .*got '9'"),
        (
            "walk_target.csv",
            "walk,kind\n1,a\n2,\n",
            r"walk_target\.csv, row 3.*expected a label, got an empty",
        ),
    ],
)
def test_a_broken_file_is_named(tmp_path, name, content, message):
    walks(tmp_path, [(3, "straight"), (2, "bent")])
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        read_labelled(tmp_path)


def test_a_recording_that_metadata_names_must_be_there(tmp_path):
    (tmp_path / "metadata.csv").write_text("file_name,label\na.wav,x\n")
    with pytest.raises(DataError, match=r"metadata\.csv, row 2.*expected the file .*a\.wav, found none"):
        read_labelled(tmp_path)
