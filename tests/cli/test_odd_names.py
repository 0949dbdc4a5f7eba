"""Names of files, labels and streams that nobody would choose."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from unrolled.cli.output import answer

ESCAPES, MARKUP, HTML = "\x1b[2Jred", "[/bold]", "<b onclick=x>"
LABELS = (ESCAPES, MARKUP, HTML, "a|b", "\ud800")


@pytest.fixture(scope="module")
def odd_model(tmp_path_factory):
    from unrolled import Classifier

    folder = tmp_path_factory.mktemp("odd")
    data = [
        (f"{word} film {number}", label)
        for number in range(4)
        for word, label in zip("abcde", LABELS, strict=True)
    ]
    Classifier(hidden_size=3, embedding_size=3, epochs=1).fit(data, dev=data).save(folder / "model")
    (folder / "data.jsonl").write_text(
        "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in data)
    )
    return folder


def test_labels_are_shown_as_they_are_and_obeyed_nowhere(odd_model, unrolled, written_figures):
    done = unrolled("evaluate", odd_model / "model", odd_model / "data.jsonl")
    assert done.code == 0, done.err
    assert "\x1b" not in done.out + done.err
    card = (odd_model / "model" / "README.md").read_text()
    assert "\x1b" not in card
    assert "<b" not in card
    report = next((odd_model / "model").glob("report-*.html")).read_text()
    assert "\x1b" not in report
    assert HTML not in report
    predicted = unrolled("predict", odd_model / "model", odd_model / "data.jsonl", "--json").json
    assert set(predicted["predictions"]) <= set(LABELS)


@pytest.mark.parametrize("task", ["classify", "tag", "generate", "translate", "caption"])
def test_half_a_character_is_a_character_like_others(task, models, unrolled, tmp_path):
    column = {"tag": "tokens", "generate": "text", "translate": "question", "caption": "kind"}.get(
        task, "text"
    )
    (tmp_path / "odd.jsonl").write_text(json.dumps({column: "fine \ud800 film"}) + "\n")
    done = unrolled("predict", models[task], "odd.jsonl")
    assert done.code in (0, 2), done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("name", ["x" * 300, "loop", "x/" * 3000])
def test_names_that_no_file_has_are_a_sentence(name, models, unrolled, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for arguments in (
        ("predict", models["classify"], name),
        ("evaluate", name, "data.csv"),
        ("inspect", name, "data.csv"),
        ("train", "classify", name),
    ):
        done = unrolled(*arguments)
        assert done.code == 2, arguments
        assert done.err.count("Error: ") == 1


def test_a_name_with_a_zero_byte_is_a_sentence(models, unrolled, odd_model):
    for arguments in (
        ("predict", models["classify"], "a\0b"),
        ("evaluate", "a\0b", odd_model / "data.jsonl"),
        ("inspect", "a\0b", odd_model / "data.jsonl"),
        ("train", "classify", "a\0b"),
        ("train", "classify", odd_model / "data.jsonl", "-o", "a\0b"),
    ):
        done = unrolled(*arguments)
        assert done.code == 2, (arguments, done.err)
        assert done.err.count("Error: ") == 1, (arguments, done.err)
        assert "\0" not in done.err


@pytest.mark.parametrize("name", ["n" * 255, "a b\n", "[red]", "-"])
def test_any_name_that_the_file_system_takes_works(name, models, files, unrolled, tmp_path):
    data = tmp_path / "in" / (name[:251] + ".tsv")
    data.parent.mkdir()
    data.write_bytes(files["classify"].read_bytes())
    done = unrolled("train", "classify", data, "-o", f"./{name}", "--hidden-size", "3", "--epochs", "1")
    assert done.code == 0, done.err
    assert unrolled("evaluate", f"./{name}", data).code == 0


def test_the_home_folder_is_found(models, files, unrolled, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "reviews.tsv").write_bytes(files["classify"].read_bytes())
    done = unrolled(
        "train", "classify", "~/reviews.tsv", "-o", "~/model", "--hidden-size", "3", "--epochs", "1"
    )
    assert done.code == 0, done.err
    assert (tmp_path / "model" / "manifest.json").is_file()
    assert unrolled("predict", "~/model", "~/reviews.tsv", "-o", "~/out.txt").code == 0
    assert (tmp_path / "out.txt").is_file()
    assert not (tmp_path / "~").exists()


def _run(*arguments, **options):
    command = [sys.executable, "-m", "unrolled", *map(str, arguments)]
    return subprocess.run(command, capture_output="stdout" not in options, text=True, timeout=120, **options)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_standard_output_is_a_sentence():
    with Path("/dev/full").open("w") as full:
        done = _run("data", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == "Error: standard output could not be written: No space left on device.\n"


@pytest.mark.parametrize("words", [["data"], ["data", "--json"], ["--help"], ["--version"]])
def test_a_reader_that_has_gone_ends_it_quietly(words):
    reading, writing = os.pipe()
    os.close(reading)
    done = _run(*words, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_closed_standard_output_is_none():
    command = f'"{sys.executable}" -m unrolled data >&-'
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_a_model_writes_is_not_obeyed_by_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for stdout, shown in ((Terminal(), r"\x1b[2J\u202e" + "\n"), (io.StringIO(), "\x1b[2J\u202e\n")):
        monkeypatch.setattr(sys, "stdout", stdout)
        answer("\x1b[2J\u202e")
        assert stdout.getvalue() == shown
