"""NumPy's files as tables of sequences."""

import numpy as np
import pytest

from unrolled.data.conll import read_tagged
from unrolled.data.labelled import read_labelled
from unrolled.data.series import read_series
from unrolled.data.tables import read_table
from unrolled.errors import DataError

WALKS = np.arange(24, dtype=np.float32).reshape(4, 3, 2)


@pytest.mark.parametrize(
    ("inputs", "targets"), [("X", "y"), ("x_train", "y_train"), ("data", "labels"), ("arr_0", "arr_1")]
)
@pytest.mark.parametrize("kind", ["numbers", "strings", "bytes", "column", "one-hot"])
def test_sequences_and_labels_under_their_usual_names(tmp_path, inputs, targets, kind):
    labels = {
        "numbers": np.array([0, 1, 1, 0]),
        "strings": np.array(["0", "1", "1", "0"]),
        "bytes": np.array([b"0", b"1", b"1", b"0"]),
        "column": np.array([[0.0], [1.0], [1.0], [0.0]]),
        "one-hot": np.eye(2)[[0, 1, 1, 0]],
    }[kind]
    np.savez(tmp_path / "w.npz", **{targets: labels, inputs: WALKS})
    examples = read_labelled(tmp_path / "w.npz")
    assert [item.inputs.tolist() for item in examples] == WALKS.tolist()
    assert [item.target for item in examples] == ["0", "1", "1", "0"]


def test_one_channel_needs_no_axis_and_other_arrays_are_said(tmp_path):
    np.savez(
        tmp_path / "w.npz", x=WALKS[..., 0], y=np.arange(4) / 3, names=np.array(["a", "b"]), sd=np.array(1.0)
    )
    examples = read_labelled(tmp_path / "w.npz")
    assert examples[0].inputs.shape == (3, 1)
    assert examples[1].target == pytest.approx(1 / 3)
    assert "Arrays of another length are left out: names, sd." in examples.notes


def test_parts_of_a_file(tmp_path):
    np.savez(tmp_path / "w.npz", X_train=WALKS[:3], y_train=[0, 1, 0], X_test=WALKS[3:], y_test=[1])
    assert len(read_labelled(tmp_path / "w.npz")) == 3
    (only,) = read_labelled(f"{tmp_path / 'w.npz'}:test")
    assert (only.inputs.tolist(), only.target) == (WALKS[3].tolist(), "1")
    with pytest.raises(DataError, match="expected arrays of the part 'dev', found X_train"):
        read_table(f"{tmp_path / 'w.npz'}:dev")


def test_images_and_texts_in_arrays(tmp_path):
    np.savez(tmp_path / "i.npz", x=np.zeros((2, 4, 5, 3), dtype=np.uint8), y=["a", "b"])
    assert read_labelled(tmp_path / "i.npz")[1].inputs.dtype == np.uint8
    np.savez(tmp_path / "t.npz", text=["a fine film", "dull"], label=["good", "bad"])
    assert read_labelled(tmp_path / "t.npz")[1].inputs == "dull"


def test_an_array_alone_is_of_sequences_or_one(tmp_path):
    np.save(tmp_path / "many.npy", WALKS)
    np.save(tmp_path / "one.npy", WALKS[0])
    assert len(read_labelled(tmp_path / "many.npy", labelled=False)) == 4
    (one,) = read_labelled(tmp_path / "one.npy", labelled=False)
    assert one.inputs.tolist() == WALKS[0].tolist()


def test_tags_for_every_step(tmp_path):
    np.savez(tmp_path / "w.npz", X=WALKS, y=np.zeros((4, 3)))
    examples = read_tagged(tmp_path / "w.npz")
    assert examples[3].inputs.tolist() == WALKS[3].tolist()
    assert examples[3].target == ("0", "0", "0")


def test_a_series_in_an_array(tmp_path):
    np.save(tmp_path / "s.npy", np.arange(5.0))
    (series,) = read_series(tmp_path / "s.npy")
    assert series.values.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"X": WALKS, "y": np.array([{}, 1, 2, 3], dtype=object)},
            "got Python objects, whose loading may run code",
        ),
        ({"X": WALKS}, "expected a column of labels, the columns are X; .*--label-column"),
        (
            {"X": WALKS + np.inf, "y": np.arange(4)},
            "row 1, column 'X': expected finite numbers, got inf at step 1",
        ),
        ({"X": WALKS, "y": np.full((4, 2), 0.5)}, "row 1, column .y.: expected 2 numbers of 0 or 1"),
        (
            {"X": WALKS.astype(complex), "y": np.arange(4)},
            "column 'X': expected numbers or strings, got complex",
        ),
        ({"X": np.array(1), "y": np.array(2)}, "expected arrays with an entry a row, found X"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(tmp_path, arrays, message):
    np.savez(tmp_path / "w.npz", **arrays)
    with pytest.raises(DataError, match=message):
        read_labelled(tmp_path / "w.npz")


def test_what_is_no_array_is_refused(tmp_path):
    (tmp_path / "w.npz").write_bytes(b"PK no archive")
    with pytest.raises(DataError, match="expected NumPy arrays, which this file does not hold"):
        read_table(tmp_path / "w.npz")
