"""Tables with a row a step and a tag for each, whose steps may be uneven."""

import numpy as np
import pandas as pd
import pytest

import unrolled
from unrolled.data.loading import load_tagged
from unrolled.errors import DataError
from unrolled.tasks.tag import Tagger

TINY = {"hidden_size": 8, "epochs": 40, "learning_rate": 0.02, "dropout": 0.0, "input_dropout": 0.0}


def walks(count, seed, *, even=False, dated=False):
    """The tag is told by the time since the step before, and by nothing else."""
    random, parts = np.random.default_rng(seed), []
    for number in range(count):
        steps = random.integers(6, 10)
        slow = random.integers(0, 2, steps)
        gaps = np.ones(steps) if even else random.uniform(0.5, 1.0, steps) * np.where(slow, 5, 1)
        times = gaps.cumsum().round(3)
        parts.append(pd.DataFrame({
            "id": f"w{number}", "ay": random.normal(size=steps),
            "t": pd.Timestamp("2024-01-01") + pd.to_timedelta(times, unit="s") if dated else times,
            "tag": np.where(slow, "slow", "quick"), "ax": random.normal(size=steps),
        })[1:])  # fmt: skip
    return pd.concat(parts, ignore_index=True).sample(frac=1, random_state=seed)


@pytest.mark.parametrize("dated", [False, True])
def test_rows_become_sequences_in_the_order_of_their_times(dated):
    table = walks(9, seed=0, dated=dated)
    examples = load_tagged(table)
    assert len(examples) == 9
    for example, name in zip(examples, table["id"].drop_duplicates(), strict=True):
        part = table[table["id"] == name].sort_values("t")
        seconds = (part["t"] - part["t"].iloc[0]).dt.total_seconds() if dated else part["t"]
        right = np.column_stack([part[["ay", "ax"]], np.diff(seconds, prepend=seconds.iloc[0])])
        np.testing.assert_allclose(example.inputs, right, atol=1e-6)
        assert example.target == tuple(part["tag"])
    assert load_tagged(walks(6, seed=0, even=True))[0].inputs.shape[1] == 2


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_uneven_times_are_an_input_in_every_way(ending, tmp_path):
    test, path = walks(20, seed=2), tmp_path / f"test.{ending}"
    write = {"csv": test.to_csv, "tsv": test.to_csv, "parquet": test.to_parquet}[ending]
    write(path, index=False, **({"sep": "\t"} if ending == "tsv" else {}))
    model = Tagger(**TINY | ({"epochs": 1} if ending != "csv" else {})).fit(walks(40, seed=1))
    if ending == "csv":
        assert model.evaluate(path).scores["accuracy"] > 0.9
    expected = model.predict(test)
    assert [len(tags) for tags in expected] == test.groupby("id", sort=False).size().tolist()
    assert model.predict(path) == expected
    model.save(tmp_path / "model")
    again = unrolled.load(tmp_path / "model")
    assert again.predict(path) == expected
    without = test.drop(columns="tag").assign(id=test["id"].str[1:].astype(int))
    without.to_csv(tmp_path / "without.csv", index=False)
    assert again.predict(tmp_path / "without.csv") == expected
    assert len(again.predict(walks(4, seed=3, even=True))) == 4


def test_columns_under_other_names_are_said(tmp_path):
    table = walks(12, seed=0).rename(columns={"id": "patient", "t": "hours", "tag": "phase"})
    options = {"sequence_column": "patient", "time_column": "hours", "tag_column": "phase"}
    model = Tagger(**TINY | {"epochs": 1}, **options).fit(table)
    assert len(model.predict(table.drop(columns="phase"))) == 12
    table.to_csv(tmp_path / "a.csv", index=False)
    assert model.predict(tmp_path / "a.csv") == model.predict(table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.assign(t=1.0), "expected one row for each time of a sequence, got"),
        (
            lambda frame: frame.assign(tag=frame["tag"].where(frame.index > 0)),
            "expected a tag, got an empty cell",
        ),
        (lambda frame: frame.drop(columns="tag"), "expected a column of tags"),
    ],
)
def test_bad_tables(change, message):
    with pytest.raises(DataError, match=message):
        Tagger(**TINY, sequence_column="id", time_column="t").fit(change(walks(8, seed=0)))
