"""Every kind of bad input: one sentence with the place in it, exit code 2, and nothing half-written."""

import json
import shutil

import pytest

TINY = ["--hidden-size", "4", "--epochs", "1"]


def refused(done, *words):
    """One sentence on standard error with all of the words, no longer than it must be."""
    assert done.code == 2
    errors = [line for line in done.err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert len(errors[0]) < 1000
    assert done.err.splitlines()[-1] == errors[0]
    for word in words:
        assert word in errors[0]
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("task", "name", "content", "words"),
    [
        ("classify", "empty.tsv", "", ["empty.tsv", "empty"]),
        ("tag", "empty.conllu", "", ["empty.conllu", "empty"]),
        ("generate", "empty.txt", "", ["empty.txt", "empty"]),
        ("forecast", "empty.csv", "", ["empty.csv", "empty"]),
        (
            "classify",
            "latin.tsv",
            b"text\tlabel\na fine film\tgood\n\x81\x8d\x8f vu\tbad\n",
            ["latin.tsv", "--encoding"],
        ),
        ("generate", "latin.txt", b"good\nd\xe9j\xe0 vu\n", ["latin.txt", "row 2", "utf-8"]),
        (
            "tag",
            "unequal.jsonl",
            '{"tokens": ["a", "b"], "tags": ["X"]}\n',
            ["unequal.jsonl", "row 1", "2", "1"],
        ),
        ("tag", "none.jsonl", '{"tokens": [], "tags": []}\n', ["none.jsonl", "row 1", "words"]),
        ("tag", "long.txt", "x" * 5000, ["long.txt", "row 1", "x" * 40]),
        (
            "forecast",
            "semicolons.csv",
            "ds;y\n2024-01-01;1\n",
            ["semicolons.csv", "series of at least", "got 1"],
        ),
        ("forecast", "gap.csv", "ds,y\n2024-01-01,1\n2024-01-02,oops\n", ["gap.csv", "row 3", "'y'", "oops"]),
        (
            "classify",
            "infinite.jsonl",
            '{"values": [1.0, 2.0], "label": "a"}\n{"values": [Infinity, 2.0], "label": "b"}\n',
            ["infinite.jsonl", "row 2"],
        ),
        ("forecast", "short.csv", "ds,y\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n", ["short.csv"]),
    ],
)
def test_a_file_that_cannot_be_used(task, name, content, words, unrolled, tmp_path):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(unrolled("train", task, name, *TINY), *words)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("task", ["classify", "tag", "generate", "forecast"])
def test_a_missing_file(task, unrolled, tmp_path):
    refused(unrolled("train", task, "nowhere.tsv"), "nowhere.tsv", "seattle-weather")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_column(files, unrolled, tmp_path):
    done = unrolled("train", "classify", files["classify"], "--label-column", "stars")
    refused(done, "reviews.tsv", "stars", "label")
    assert list(tmp_path.iterdir()) == []


def test_a_label_unseen_in_training(models, unrolled, tmp_path):
    (tmp_path / "new.tsv").write_text("text\tlabel\na fine film\tgood\na fine film\tmeh\n")
    done = unrolled("evaluate", models["classify"], "new.tsv", "--json")
    assert done.code == 0
    assert "meh" in done.err
    assert done.json["scores"]["accuracy"] <= 0.5


def test_a_missing_test_file_is_noticed_before_training(files, unrolled, tmp_path):
    done = unrolled("train", "classify", files["classify"], "--test", "nowhere.tsv", *TINY)
    refused(done, "nowhere.tsv")
    assert "epoch" not in done.err
    assert list(tmp_path.iterdir()) == []


def test_test_data_that_cannot_be_scored_does_not_cost_the_model(files, unrolled, tmp_path):
    (tmp_path / "new.tsv").write_text("text\tlabel\na fine film\t\n")
    done = unrolled("train", "classify", files["classify"], "--test", "new.tsv", "-o", "m", *TINY)
    refused(done, "new.tsv", "row 2", "label")
    assert "saved in m" in done.err
    assert not (tmp_path / "m" / "checkpoint").exists()
    assert unrolled("evaluate", "m", files["classify"]).code == 0


def test_a_series_without_numbers_to_compare_with(models, unrolled, tmp_path):
    rows = "".join(f"2024-01-{day:02},\n" for day in range(1, 31))
    (tmp_path / "none.csv").write_text(f"ds,y\n{rows}")
    refused(unrolled("evaluate", models["forecast"], "none.csv"), "none.csv", "numbers")


def test_a_table_on_standard_input_is_named_so(models, unrolled):
    done = unrolled("predict", models["forecast"], input="ds,y\n2024-01-01,1\n2024-01-01,2\n")
    refused(done, "standard input", "row 3", "'ds'")


def test_a_byte_order_mark_on_standard_input_is_no_text(models, unrolled):
    prompt = ["predict", models["generate"], "--temperature", "0", "--length", "5"]
    assert unrolled(*prompt, input="\ufeffdeep\n").out == unrolled(*prompt, input="deep\n").out


def test_a_value_that_is_not_a_number_anywhere(models, files, unrolled, tmp_path):
    text = files["forecast"].read_text().splitlines()
    text[5] = text[5].split(",")[0] + ",inf"
    (tmp_path / "inf.csv").write_text("\n".join(text) + "\n")
    refused(unrolled("evaluate", models["forecast"], "inf.csv"), "inf.csv", "row 6", "'y'")


@pytest.fixture
def broken(models, tmp_path):
    """A model's copy, to be spoilt."""
    return shutil.copytree(models["classify"], tmp_path / "broken")


def test_a_truncated_model(broken, files, unrolled):
    file = broken / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-10])
    refused(unrolled("evaluate", broken, files["classify"]), "model.safetensors", "truncated")


def test_a_model_with_a_missing_file(broken, unrolled):
    (broken / "vocabulary.json").unlink()
    refused(unrolled("predict", broken, input="fine\n"), "vocabulary.json", "missing")


def test_a_model_of_a_newer_release(broken, files, unrolled):
    manifest = json.loads((broken / "manifest.json").read_text())
    manifest["format_version"] += 1
    (broken / "manifest.json").write_text(json.dumps(manifest))
    refused(unrolled("evaluate", broken, files["classify"]), "format version", "newer")


def test_no_model_at_all(unrolled, files):
    refused(unrolled("evaluate", "nothing", files["classify"]), "nothing", "model folder")
    refused(unrolled("inspect", "nothing", files["classify"]), "nothing", "model folder")


def test_an_option_with_a_wrong_value(files, unrolled, tmp_path):
    refused(unrolled("train", "classify", files["classify"], "--dropout", "2"), "dropout", "'2'")
    refused(
        unrolled("train", "classify", files["classify"], "--cell", "transformer"),
        "cell",
        "lstm",
        "transformer",
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("options.json", '{"hiden_size": 3}', ["hiden_size", "hidden_size"]),
        ("options.json", "{", ["options.json", "JSON"]),
        ("options.json", "[1]", ["options.json", "table"]),
        ("options.json", '{"task": "classify", "options": [1]}', ["options.json", "table"]),
        ("options.json", '{"task": "tag", "options": {}}', ["options.json", "'classify'", "'tag'"]),
        ("options.yaml", "a: 1", ["options.yaml", ".toml"]),
        ("options.toml", "= 3", ["options.toml", "TOML"]),
    ],
)
def test_a_config_file_that_cannot_be_used(name, content, words, files, unrolled, tmp_path):
    (tmp_path / name).write_text(content)
    refused(unrolled("train", "classify", files["classify"], "--config", name), *words)


def test_a_config_file_with_a_byte_order_mark(files, unrolled, tmp_path):
    (tmp_path / "options.json").write_text('{"hidden_size": 4, "epochs": 1}', encoding="utf-8-sig")
    assert unrolled("train", "classify", files["classify"], "--config", "options.json").code == 0


def test_a_missing_config_file(files, unrolled):
    refused(
        unrolled("train", "classify", files["classify"], "--config", "no.toml"), "no.toml", "no such file"
    )


def test_a_folder_that_is_no_model_is_not_written_into(files, unrolled, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("one")
    refused(unrolled("train", "classify", files["classify"], "-o", "thesis"), "thesis")
    (tmp_path / "file").write_text("")
    refused(unrolled("train", "classify", files["classify"], "-o", "file"), "file")
    refused(unrolled("train", "classify", files["classify"], "-o", "file/model"), "file")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["chapter.txt", "file", "thesis"]


def test_nothing_to_resume(files, unrolled, tmp_path):
    refused(unrolled("train", "classify", files["classify"], "--resume"), "--resume", "checkpoint")
    refused(unrolled("train", "classify", files["classify"], "--resume", "-o", "m"), "--resume", "m")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_while_saving_keeps_the_old_model(models, files, unrolled, tmp_path, monkeypatch):
    shutil.copytree(models["classify"], tmp_path / "m")
    before = {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("unrolled.saving.folder._write_file", full)
    done = unrolled("train", "classify", files["classify"], "-o", "m", "--overwrite", *TINY)
    refused(done, "No space left on device")
    assert {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_loss_that_diverges_names_step_and_remedy(files, unrolled, tmp_path):
    done = unrolled(
        *("train", "forecast", files["forecast"], "-o", "m", "--optimizer", "sgd", "--learning-rate", "1e30"),
        *("--clip", "none", "--epochs", "5", "--schedule", "constant", "--quantiles", ""),
    )
    refused(done, "update", "learning_rate")
    # The best until then is kept.
    assert unrolled("evaluate", "m", files["forecast"]).code == 0


def test_flags_of_another_task(models, unrolled):
    refused(unrolled("predict", models["classify"], "--length", "3", input="x\n"), "--length", "classify")
    refused(unrolled("predict", models["classify"], "--prompt", "x"), "--prompt", "classify")
    refused(unrolled("predict", models["generate"], "file.txt", "--prompt", "x"), "--prompt", "file.txt")


def test_standard_input_in_another_encoding(models, unrolled):
    done = unrolled("predict", models["classify"], input=b"d\xe9j\xe0 vu\n")
    refused(done, "standard input", "UTF-8")


def test_a_drawing_in_an_unknown_format(models, files, unrolled):
    done = unrolled("inspect", models["classify"], files["classify"], "--drawing", "network.gif")
    refused(done, "network.gif", ".svg")


def test_errors_are_json_too(unrolled):
    done = unrolled("train", "classify", "nowhere.tsv", "--json")
    assert done.code == 2
    assert done.json["kind"] == "DataError"
    assert done.json["error"] in done.err


def test_more_than_there_is_memory_for_is_a_sentence(unrolled, tmp_path, monkeypatch):
    def read(*_, **__):
        raise MemoryError

    (tmp_path / "large.csv").write_text("text,label\na,b\n")
    monkeypatch.setattr("pathlib.Path.open", read)
    monkeypatch.setattr("pathlib.Path.read_bytes", read)
    refused(unrolled("train", "classify", "large.csv", *TINY), "memory")
