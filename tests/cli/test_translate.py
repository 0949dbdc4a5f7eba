"""What only translators do from the shell: talking, drawing attention, several targets, parallel files."""

import csv
import io

import pytest


def test_chat_answers_a_line_at_a_time(models, unrolled):
    done = unrolled("chat", models["translate"], "--beam-size", "2", input="one two\n\ntwo one\n")
    assert done.code == 0
    assert len(done.out.splitlines()) == 2
    alone = unrolled("predict", models["translate"], "--beam-size", "2", input="one two\n").out
    assert done.out.splitlines()[0] == alone.removesuffix("\n")


def test_chat_needs_a_model_of_pairs(models, unrolled):
    done = unrolled("chat", models["tag"], input="hello\n")
    assert done.code == 2
    assert "a model of the task 'tag' cannot hold a conversation" in done.err


def test_predict_draws_what_was_attended_to(models, unrolled, tmp_path):
    (tmp_path / "sources.txt").write_text("one two\ntwo $one\n")
    drawn = unrolled("predict", models["translate"], "sources.txt", "--attention", "pictures")
    assert drawn.code == 0
    assert drawn.out == unrolled("predict", models["translate"], "sources.txt").out
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["1.png", "2.png"]
    assert (tmp_path / "pictures" / "1.png").read_bytes().startswith(b"\x89PNG")
    piped = unrolled("predict", models["translate"], "--attention", "more", input="one\n")
    assert (piped.code, [path.name for path in (tmp_path / "more").iterdir()]) == (0, ["1.png"])


def test_attention_belongs_to_translators(models, unrolled):
    done = unrolled("predict", models["tag"], "--attention", "pictures", input="the cat\n")
    assert done.code == 2
    assert "writes nothing to align" in done.err


def test_several_targets_are_rows_of_a_table(models, unrolled):
    done = unrolled("predict", models["translate"], "--n-best", "2", input="one two\ntwo\n")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(row["source"], row["rank"]) for row in rows] == [
        ("one two", "1"),
        ("one two", "2"),
        ("two", "1"),
        ("two", "2"),
    ]


def test_two_parallel_files_train_a_model(unrolled, tmp_path):
    (tmp_path / "x.en").write_text("one two\ntwo one\n" * 5)
    (tmp_path / "x.de").write_text("eins zwei\nzwei eins\n" * 5)
    made = unrolled("train", "translate", "x.en,x.de", "--hidden-size", "4", "--epochs", "1", "--json").json
    assert made["model"] == "translate-x"
    assert set(made["groups"]) == {"exact match by source length"}
    shown = unrolled("evaluate", "translate-x", "x.en,x.de").out
    assert "exact match by source length" in shown
    assert "a second" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.en,x.de"], "x.en, row 2: expected as many lines as in x.de, which ends after 1"),
        (["x.en,none.de"], "none.de: expected a file, found none"),
        (["x.tsv", "--source-column", "sauce"], "x.tsv: expected a column 'sauce'"),
        (
            ["x.tsv", "--max-source-length", "1"],
            "x.tsv, row 2: expected a source of at most 1 symbols",
        ),
    ],
)
def test_bad_input_is_one_sentence(arguments, message, unrolled, tmp_path):
    (tmp_path / "x.en").write_text("one\ntwo\n")
    (tmp_path / "x.de").write_text("eins\n")
    (tmp_path / "x.tsv").write_text("source\ttarget\n" + "one two\teins zwei\n" * 9)
    done = unrolled("train", "translate", *arguments)
    assert done.code == 2
    assert message in done.err
