"""``unrolled diagnose`` and ``unrolled compare``: every task, what is written, and what is refused."""

import json
import shutil

import pytest

from tests.cli.test_bad_input import refused

TINY = ["--hidden-size", "4", "--epochs", "1"]
RNN = ["--cell", "rnn", "--no-bidirectional", "--pooling", "last", "--no-skip"]
TASKS = ["classify", "tag", "generate", "forecast", "translate"]


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_verdict_and_a_report(task, models, files, unrolled, tmp_path, written_figures):
    done = unrolled("diagnose", models[task], files[task], "-o", "out", "--no-plots", "--json")
    assert done.code == 0, done.err
    assert done.json["verdict"]["kind"]
    assert done.json["verdict"]["grounds"]
    assert done.json["flows"][0]["norm"]
    assert done.json["context"] is not None or task == "tag"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"report.html", "diagnosis.json"}
    assert json.loads((tmp_path / "out" / "diagnosis.json").read_text())["verdict"] == done.json["verdict"]


def test_the_plots_stand_beside_the_report(models, files, unrolled, tmp_path):
    done = unrolled("diagnose", models["generate"], files["generate"], "-o", "out")
    assert done.code == 0, done.err
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"gradient", "decay-0", "triangle-0", "gates-0", "context", "clipping"} <= {
        name.removesuffix(".png") for name in written if name.endswith(".png")
    }
    assert {name.removesuffix(".png") for name in written if name.endswith(".png")} == {
        name.removesuffix(".svg") for name in written if name.endswith(".svg")
    }


def test_the_verdict_its_numbers_and_flags_are_printed(unrolled):
    made = unrolled(
        "train", "classify", "adding:60", "-o", "model", *TINY, *RNN, "--recurrent-init", "uniform"
    )
    assert made.code == 0, made.err
    done = unrolled("diagnose", "model", "adding:60@1", "--no-plots", env={"COLUMNS": "200"})
    assert done.code == 0, done.err
    for words in ("Vanishing.", "left at that lag", "--cell lstm --chrono 60"):
        assert words in done.out
    assert "unrolled train classify adding:60 --config model/config.json --cell lstm --chrono 60" in done.err
    assert "model/diagnosis-adding-60-1/report.html" in done.err


def test_the_flags_of_a_remedy_apply_to_the_options_of_the_model(unrolled, tmp_path):
    unrolled("train", "classify", "adding:20", "-o", "model", *TINY, *RNN)
    again = ["--config", "model/config.json", "--cell", "lstm", "--chrono", "20", "-o", "again"]
    done = unrolled("train", "classify", "adding:20", *again, "--json")
    assert done.code == 0, done.err
    saved = json.loads((tmp_path / "again" / "config.json").read_text())["options"]
    assert (saved["cell"], saved["chrono"], saved["pooling"]) == ("lstm", 20, "last")


def test_a_report_that_cannot_be_written_does_not_cost_the_verdict(models, files, unrolled, tmp_path):
    (tmp_path / "taken").write_text("a file")
    done = unrolled("diagnose", models["tag"], files["tag"], "-o", "taken", "--json")
    assert done.code == 0
    assert done.json["report"] is None
    assert "not saved" in done.err


def test_data_without_a_row_is_refused(models, unrolled, tmp_path):
    (tmp_path / "empty.tsv").write_text("text\tlabel\n")
    refused(unrolled("diagnose", models["classify"], "empty.tsv"), "empty.tsv")


def test_data_of_another_task_is_refused(models, unrolled):
    refused(unrolled("diagnose", models["tag"], "adding:20"), "adding:20", "classify")


def test_a_folder_that_is_no_model_is_refused(unrolled, tmp_path):
    (tmp_path / "nothing").mkdir()
    refused(unrolled("diagnose", "nothing", "adding:20"), "nothing")


def test_saved_models_are_compared(models, files, unrolled, tmp_path):
    shutil.copytree(models["tag"], tmp_path / "other")
    done = unrolled("compare", models["tag"], "other", files["tag"], "-o", "out", "--json")
    assert done.code == 0, done.err
    assert [model["name"] for model in done.json["models"]] == ["tag", "other"]
    first, second = done.json["models"]
    assert first["evaluation"]["scores"] == second["evaluation"]["scores"]
    assert first["decay"] == second["decay"]
    assert {"comparison.html", "comparison.json", "decay.png", "decay.svg"} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }


def test_cells_are_trained_alike_and_compared(unrolled, files, tmp_path):
    options = [*TINY, "--recurrent-init", "uniform", "--chrono", "20"]
    done = unrolled(
        "compare", "--cells", "rnn,gru,lstm", "classify", files["classify"], *options, "-o", "out"
    )
    assert done.code == 0, done.err
    assert "RNN without --chrono" in done.err
    for cell in ("RNN", "GRU", "LSTM"):
        assert cell in done.out
        saved = json.loads((tmp_path / "out" / cell.lower() / "config.json").read_text())["options"]
        assert (saved["cell"], saved["recurrent_init"]) == (cell.lower(), "uniform")
    made = json.loads((tmp_path / "out" / "comparison.json").read_text())["models"]
    assert made[0]["weights"] < made[1]["weights"] < made[2]["weights"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--cells", "rnn,gru", "classify"], ["task", "data"]),
        (["--cells", "rnn", "classify", "adding:20"], ["two cells"]),
        (["--cells", "rnn,tree", "classify", "adding:20"], ["cell", "tree"]),
        (["--cells", "rnn,gru", "sing", "adding:20"], ["sing"]),
        (["--cells", "rnn,gru", "classify", "adding:20", "--cell", "rnn"], ["--cell", "--cells"]),
        (["--cells", "rnn,gru", "classify", "adding:20", "--epochs", "0"], ["epochs"]),
        (["nowhere", "adding:20"], ["two"]),
        (["nowhere", "neither", "adding:20"], ["nowhere"]),
        (["nowhere", "./nowhere", "adding:20"], ["two", "each once"]),
        (["one", "two", "adding:20", "--epochs", "3"], ["--epochs", "--cells"]),
    ],
)
def test_a_comparison_that_cannot_be_made(arguments, words, unrolled, tmp_path):
    refused(unrolled("compare", *arguments), *words)
    assert list(tmp_path.iterdir()) == []


def test_models_of_different_tasks_are_not_compared(models, files, unrolled):
    refused(
        unrolled("compare", models["tag"], models["classify"], files["tag"]), "tag", "classify", "one task"
    )
