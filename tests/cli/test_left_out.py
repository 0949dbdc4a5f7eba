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
    remarks = {"remark": [f"r {number}" for number in range(20)], "author": ["Ada"] * 20}
    frame = pd.DataFrame(COLUMNS[task] | remarks)
    frame.to_csv(tmp_path / "data.csv", index=False)
    done = unrolled("train", task, "data.csv", "--dry-run", *ASKED.get(task, ()))
    assert done.code == 0, done.err
    said = done.err + done.out
    assert "remark, author" in said
    assert "left out" in said.lower() or "not read" in said
