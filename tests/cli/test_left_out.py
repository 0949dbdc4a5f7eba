"""Columns that a task does not read are named, whatever the task."""

import pandas as pd
import pytest

COLUMNS = {
    "classify": {"text": ["a fine film", "so dull"] * 10, "label": ["good", "bad"] * 10},
    "tag": {"tokens": ["the cat", "a dog"] * 10, "tags": ["D N", "D N"] * 10},
    "generate": {"text": ["deep in the sea", "on the shore"] * 10},
    "forecast": {"date": pd.date_range("2024-01-01", periods=20).astype(str), "y": range(20)},
    "translate": {"source": ["one two", "two"] * 10, "target": ["zwei eins", "zwei"] * 10},
    "caption": {"kind": ["cat", "dog"] * 10, "name": ["Tom", "Rex"] * 10},
}
ASKED = {"caption": ("--text-column", "name", "--condition-columns", "kind")}


@pytest.mark.parametrize("task", list(COLUMNS))
def test_columns_left_out_are_said(task, unrolled, tmp_path):
    frame = pd.DataFrame(COLUMNS[task] | {"remark": ["r", "s"] * 10, "author": ["Ada", "Bob"] * 10})
    frame.to_csv(tmp_path / "data.csv", index=False)
    done = unrolled("train", task, "data.csv", "--dry-run", *ASKED.get(task, ()))
    assert done.code == 0, done.err
    said = done.err + done.out
    assert "remark, author" in said
    assert "left out" in said.lower() or "not read" in said
