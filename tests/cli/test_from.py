"""``unrolled train TASK NEW --from MODEL``: a model that goes on."""

import pytest


def test_training_goes_on(unrolled, files, models):
    done = unrolled(
        "train",
        "classify",
        files["classify"],
        "--from",
        models["classify"],
        "-o",
        "on",
        "--epochs",
        1,
        "--json",
    )
    assert done.code == 0, done.err
    assert any("Trained on from a model of" in notice for notice in done.json["notices"])
    assert done.json["model"] == "on"
    again = unrolled("train", "classify", files["classify"], "--from", "on", "-o", "on", "--overwrite")
    assert again.code == 0, again.err


def test_new_labels_need_a_flag(unrolled, files, models, tmp_path):
    (tmp_path / "new.tsv").write_text("text\tlabel\n" + "a so so film\tmiddling\na fine film\tgood\n" * 8)
    command = ["train", "classify", "new.tsv", "--from", models["classify"], "-o", "on", "--epochs", 1]
    done = unrolled(*command)
    assert done.code == 2
    assert "'middling'" in done.err
    assert "--new-labels add" in done.err
    assert not (tmp_path / "on").exists()
    assert unrolled(*command, "--new-labels", "add").code == 0
    assert unrolled("predict", "on", input="a so so film\n").out.strip() in ("good", "bad", "middling")


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--hidden-size", 99], "hidden_size"),
        (["--folds", 3], "--folds"),
        (["--dry-run"], "--dry-run"),
        (["--cell", "rnn"], "cell"),
    ],
)
def test_what_a_model_keeps_is_not_changed(flags, word, unrolled, files, models):
    done = unrolled("train", "classify", files["classify"], "--from", models["classify"], *flags)
    assert done.code == 2
    assert word in done.err


def test_a_model_of_another_task_is_refused(unrolled, files, models):
    done = unrolled("train", "tag", files["tag"], "--from", models["classify"], "-o", "on")
    assert done.code == 2
    assert "expected a model of the task 'tag', got 'classify'" in done.err
