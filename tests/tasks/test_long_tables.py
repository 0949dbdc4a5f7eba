"""Tables with a row a step, of sequences that a column names, whose steps may be uneven."""

import numpy as np
import pandas as pd
import pytest

import unrolled
from unrolled.data.loading import load_labelled
from unrolled.errors import DataError
from unrolled.tasks.classify import Classifier

TINY = {"hidden_size": 8, "epochs": 30, "learning_rate": 0.02}


def walks(count, seed, *, even=False, shuffled=True):
    """The label is told by how fast the steps follow each other, and by nothing else."""
    random, parts = np.random.default_rng(seed), []
    for number in range(count):
        quick = number % 2
        steps = random.integers(5, 9)
        gaps = np.ones(steps) if even else random.uniform(0.5, 1.0, steps) * (1 if quick else 5)
        parts.append(pd.DataFrame({
            "id": f"w{number}", "t": gaps.cumsum().round(3), "ax": random.normal(size=steps),
            "ay": random.normal(size=steps), "label": "quick" if quick else "slow",
        }))  # fmt: skip
    made = pd.concat(parts, ignore_index=True)
    return made.sample(frac=1, random_state=seed) if shuffled else made


def test_rows_become_sequences_in_the_order_of_their_times():
    table = walks(12, seed=0)
    examples = load_labelled(table)
    assert len(examples) == 12
    for example, name in zip(examples, table["id"].drop_duplicates(), strict=True):
        part = table[table["id"] == name].sort_values("t")
        right = np.column_stack([part[["ax", "ay"]], np.diff(part["t"], prepend=part["t"].iloc[0])])
        np.testing.assert_allclose(example.inputs, right)
        assert example.target == part["label"].iloc[0]
    assert any("12 sequences, by column 'id'" in note and "uneven" in note for note in examples.notes)
    assert load_labelled(walks(6, seed=0, even=True))[0].inputs.shape[1] == 2
    dated = table.assign(t=pd.Timestamp("2024-01-01") + pd.to_timedelta(table["t"], unit="s"))
    np.testing.assert_allclose(load_labelled(dated)[3].inputs, examples[3].inputs, atol=1e-6)


def test_uneven_times_are_an_input(tmp_path):
    model = Classifier(**TINY).fit(walks(60, seed=1))
    test = walks(30, seed=2)
    assert model.evaluate(test).scores["accuracy"] > 0.9
    expected = model.predict(test)
    test.to_csv(tmp_path / "test.csv", index=False)
    assert model.predict(tmp_path / "test.csv") == expected
    model.save(tmp_path / "model")
    again = unrolled.load(tmp_path / "model")
    assert again.predict(test.drop(columns="label")) == expected
    # What is even later is read with its times all the same.
    assert len(again.predict(walks(4, seed=3, even=True))) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.assign(t=1.0), "expected one row for each time of a sequence, got"),
        (
            lambda frame: frame.assign(label=np.where(frame.index % 2 == 0, "a", "b")),
            "as in the other rows of the sequence, got 'b'; tag is the task",
        ),
        (
            lambda frame: frame.assign(id=frame["id"].where(frame.index > 0)),
            "expected the name of a sequence",
        ),
    ],
)
def test_bad_tables(change, message):
    table = change(walks(8, seed=0, shuffled=False))
    with pytest.raises(DataError, match=message):
        Classifier(**TINY, sequence_column="id", time_column="t").fit(table)
