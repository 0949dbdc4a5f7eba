"""``train TASK DATA --dry-run``: what the data is taken for, and nothing else."""

import pytest

from unrolled.tasks.registry import task_names

TOLD = {
    "classify": ["text in column 'text' to 2 classes (bad, good)", "'label'"],
    "regress": ["text in column 'text' to numbers"],
    "tag": ["words to tags", "3 tags"],
    "generate": ["character"],
    "forecast": ["'y'", "2024-01-01", "horizon"],
    "translate": ["sources by", "targets by"],
    "caption": ["to train on"],
}


@pytest.mark.parametrize("task", task_names())
def test_what_data_is_taken_for_is_said_and_nothing_written(task, files, unrolled, tmp_path):
    done = unrolled("train", task, files[task], "--dry-run")
    assert done.code == 0, done.err
    assert done.out.startswith("Understood: ")
    for words in TOLD[task]:
        assert words in done.out
    assert list(tmp_path.iterdir()) == []
    as_json = unrolled("train", task, files[task], "--dry-run", "--json").json
    assert as_json == {"task": task, "data": str(files[task]), "understood": done.out.strip()}
    trained = unrolled("train", task, files[task], "--hidden-size", "4", "--epochs", "1", "--json").json
    assert trained["understood"] == done.out.strip()


@pytest.mark.parametrize("task", task_names())
def test_data_that_cannot_be_used_is_refused_before_training(task, unrolled, tmp_path):
    (tmp_path / "empty.csv").write_text("")
    done = unrolled("train", task, "empty.csv", "--dry-run")
    assert done.code == 2
    assert "empty.csv" in done.err
