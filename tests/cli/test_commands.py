"""What each command does when all is well."""

import json
import shutil

import pytest

from unrolled.tasks.registry import estimator_class

TASKS = ("classify", "tag", "generate", "forecast", "translate", "caption")
TINY = ["--hidden-size", "4", "--epochs", "1"]


@pytest.mark.parametrize("task", TASKS)
def test_train_prints_the_scores_beside_the_baselines(task, models, files, unrolled):
    model = models[task]
    assert {"config.json", "model.safetensors", "history.json", "README.md", "report.html"} <= {
        path.name for path in model.iterdir()
    }
    assert not (model / "checkpoint").exists()
    done = unrolled("evaluate", model, files[task])
    saved = json.loads((model / f"evaluation-{files[task].name}.json").read_text())
    assert done.code == 0
    assert "model" in done.out
    for baseline, scores in saved["baselines"].items():
        assert baseline.split()[0] in done.out
        assert all(f"{value:.4f}" in done.out for value in scores.values())


@pytest.mark.parametrize("task", TASKS)
def test_train_prints_one_json_object(task, files, unrolled, tmp_path):
    done = unrolled("train", task, files[task], *TINY, "--json")
    made = done.json
    assert done.code == 0
    assert made["task"] == task
    assert made["seconds"] > 0
    assert made["baselines"]
    assert set(made["scores"]) >= set(next(iter(made["baselines"].values())))
    # Without -o the folder is named after the task and the data.
    assert made["model"] == f"{task}-{files[task].stem}"
    assert (tmp_path / made["model"] / "config.json").is_file()
    assert (tmp_path / made["report"]).is_file()


@pytest.mark.parametrize("task", TASKS)
def test_every_option_of_the_configuration_is_a_flag(task, unrolled):
    shown = unrolled("train", task, "--help", env={"COLUMNS": "200"}).out
    for name, field in estimator_class(task).Config.model_fields.items():
        assert f"--{name.replace('_', '-')}" in shown
        assert field.description


@pytest.mark.parametrize(
    "arguments",
    [["train"], ["train", "classfy", "x"], ["train", "classify", "x", "--bogus", "1"], ["evaluate"]],
)
def test_wrong_usage_exits_with_2(arguments, unrolled):
    assert unrolled(*arguments).code == 2


@pytest.mark.parametrize("task", TASKS)
def test_evaluate_prints_one_json_object(task, models, files, unrolled):
    made = unrolled("evaluate", models[task], files[task], "--json").json
    assert made["task"] == task
    assert made["model"] == str(models[task])
    assert made["scores"]
    assert made["baselines"]


def test_evaluate_prints_the_scores_of_a_model_on_a_read_only_disk(models, files, unrolled, monkeypatch):
    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    before = sorted(models["classify"].iterdir())
    monkeypatch.setattr("pathlib.Path.write_bytes", refuse)
    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    done = unrolled("evaluate", models["classify"], files["classify"])
    assert done.code == 0
    assert "majority class" in done.out
    assert done.err.count("not saved") == 1
    assert "Read-only file system" in done.err
    assert sorted(models["classify"].iterdir()) == before
    as_json = unrolled("evaluate", models["classify"], files["classify"], "--json").json
    assert as_json["scores"]
    assert (as_json["report"], as_json["saved"]) == (None, None)


def test_the_default_name_is_never_taken(files, unrolled):
    first = unrolled("train", "classify", files["classify"], *TINY, "--json").json["model"]
    second = unrolled("train", "classify", files["classify"], *TINY, "--json").json["model"]
    assert (first, second) == ("classify-reviews", "classify-reviews-2")


def test_train_says_what_it_held_out_and_decided(files, unrolled):
    done = unrolled("train", "classify", files["classify"], *TINY)
    assert "held out" in done.err
    assert "2 classes" in done.err


def test_train_scores_on_the_test_data(files, unrolled):
    made = unrolled("train", "classify", files["classify"], "--test", files["classify"], *TINY, "--json").json
    assert made["data"] == str(files["classify"])
    assert made["count"] == 20


def test_train_takes_dev_data(files, unrolled):
    made = unrolled("train", "classify", files["classify"], "--dev", files["classify"], *TINY, "--json").json
    assert made["count"] == 20
    assert not any("held out" in notice for notice in made["notices"])


def test_flags_go_before_the_config_file_and_it_before_the_defaults(files, unrolled, tmp_path):
    (tmp_path / "options.toml").write_text('cell = "gru"\nhidden_size = 7\nepochs = 1\n')
    done = unrolled(
        "train", "classify", files["classify"], "--config", "options.toml", "--hidden-size", "5", "-o", "m"
    )
    assert done.code == 0
    used = json.loads((tmp_path / "m" / "config.json").read_text())["options"]
    assert (used["cell"], used["hidden_size"], used["epochs"], used["optimizer"]) == ("gru", 5, 1, "adamw")


def test_a_models_own_configuration_repeats_its_run(models, files, unrolled, tmp_path):
    settings = models["tag"] / "config.json"
    assert unrolled("train", "tag", files["tag"], "--config", settings, "-o", "again").code == 0
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (
        models["tag"] / "model.safetensors"
    ).read_bytes()


def test_switches_and_several_widths(files, unrolled, tmp_path):
    done = unrolled(
        *("train", "classify", files["classify"], "-o", "m", "--epochs", "1"),
        *(
            "--bidirectional",
            "--num-layers",
            "2",
            "--hidden-size",
            "4,3",
            "--patience",
            "none",
            "--layer-norm",
        ),
    )
    assert done.code == 0, done.err
    used = json.loads((tmp_path / "m" / "config.json").read_text())["options"]
    assert (used["bidirectional"], used["layer_norm"], used["hidden_size"], used["patience"]) == (
        True,
        True,
        [4, 3],
        None,
    )


def test_predict_a_file_and_standard_input_agree(models, unrolled, tmp_path):
    (tmp_path / "texts.txt").write_text("a fine film\na dull film\n")
    from_file = unrolled("predict", models["classify"], "texts.txt")
    from_input = unrolled("predict", models["classify"], input="a fine film\na dull film\n")
    assert from_file.code == 0
    assert from_file.out == from_input.out
    assert len(from_file.out.splitlines()) == 2


def test_predict_tags_a_line_at_a_time(models, unrolled):
    lines = unrolled("predict", models["tag"], input="the cat\n\na dog sits\n").out.split("\n")
    assert [len(line.split()) for line in lines] == [2, 0, 3, 0]


def test_predict_forecasts_a_table(models, files, unrolled):
    header, *rows = unrolled(
        "predict", models["forecast"], files["forecast"], "--steps", "3"
    ).out.splitlines()
    assert header.startswith("unique_id,ds,y")
    assert len(rows) == 3
    piped = unrolled("predict", models["forecast"], "--steps", "3", input=files["forecast"].read_text())
    assert piped.out.splitlines()[1].split(",")[1:3] == rows[0].split(",")[1:3]


def test_predict_writes_on_after_a_prompt(models, unrolled):
    done = unrolled("predict", models["generate"], "--prompt", "deep", "--length", "5", "--temperature", "0")
    assert done.out.startswith("deep")
    assert len(done.out) <= len("deep") + 5 + 1
    made = unrolled(
        "predict", models["generate"], "--prompt", "deep", "--length", "5", "--temperature", "0", "--json"
    )
    assert "deep" + made.json["predictions"][0] == done.out.removesuffix("\n")
    beam = unrolled("predict", models["generate"], "--prompt", "d", "--length", "4", "--beam", "2", "--json")
    assert len(beam.json["predictions"]) == 1


@pytest.mark.parametrize(("name", "line"), [("out.jsonl", json.loads), ("out.txt", str)])
def test_predict_saves(name, line, models, unrolled, tmp_path):
    done = unrolled("predict", models["classify"], "-o", name, input="a fine film\n")
    assert done.out == ""
    made = line((tmp_path / name).read_text().rstrip("\n"))
    assert (made["prediction"] if name.endswith("jsonl") else made) in ("good", "bad")


def test_predict_prints_one_json_object(models, unrolled):
    made = unrolled("predict", models["classify"], "--json", input="a fine film\n").json
    assert made["task"] == "classify"
    assert len(made["predictions"]) == 1


@pytest.mark.parametrize("task", TASKS)
def test_inspect_lists_weights_and_activations_and_draws(task, models, files, unrolled, tmp_path):
    done = unrolled("inspect", models[task], files[task], "--drawing", "network.svg", "--json")
    assert done.code == 0
    made = done.json
    assert made["weight_count"] == sum(weight["count"] for weight in made["weights"])
    assert any(weight["symbol"].startswith("W_h") for weight in made["weights"])
    assert any(activation["symbol"].startswith("h_t") for activation in made["activations"])
    assert (tmp_path / "network.svg").read_text().startswith("<?xml")


def test_inspect_a_task_before_training(files, unrolled, tmp_path):
    done = unrolled("inspect", "tag", files["tag"])
    assert "Weights" in done.out
    assert "Activations" in done.out
    assert (tmp_path / "network.svg").is_file()


def test_doctor_says_which_recurrence_runs_and_why(models, unrolled):
    made = unrolled("doctor", "--json").json
    assert [row["layer"] for row in made["recurrences"]] == ["RNN", "GRU", "LSTM"]
    assert all(row["runs"] and row["why"] for row in made["recurrences"])
    assert {"python", "torch", "unrolled"} <= set(made["versions"])
    assert made["threads"]["intra_op"] >= 1
    of_model = unrolled("doctor", models["tag"], "--json").json["recurrences"]
    assert any(row["layer"].startswith("recurrent") for row in of_model)
    assert made["recurrences"][0]["runs"].split()[0] in unrolled("doctor").out
    (of_options,) = unrolled("doctor", "--projection-size", 2, "--json").json["recurrences"]
    assert of_options["layer"] == "LSTM"
    assert of_options["runs"].startswith("reference")
    refused = unrolled("doctor", models["tag"], "--device", "cpu")
    assert refused.code == 2
    assert "a model or the options of a layer" in refused.err


def test_data_lists_what_is_built_in(unrolled):
    names = [each["name"].split("[")[0] for each in unrolled("data", "--json").json["data"]]
    assert {
        "seattle-weather",
        "python-docs",
        "c-headers",
        "sorting",
        "moving-shapes",
        "described-shapes",
        "adding",
        "copy",
        "temporal-order",
        "deep",
    } == set(names)
    assert "seattle-weather" in unrolled("data").out


def test_a_moved_model_still_works(models, files, unrolled, tmp_path):
    shutil.copytree(models["classify"], tmp_path / "elsewhere")
    assert unrolled("evaluate", "elsewhere", files["classify"]).code == 0
