"""Sources are read alike in training, evaluation and prediction, from files, standard input and Python."""

import json

import pytest

from unrolled.data.pairs import read_pairs
from unrolled.tasks.registry import load

SPACED = ["one two", "", "  one two  ", "   ", "\ttwo one", "two\u00a0", ""]
"""With white space around them, and blank ones, wherever these stand."""


def test_predictions_do_not_depend_on_where_sources_come_from(models, unrolled, tmp_path):
    plain = {text: load(models["translate"]).predict([text])[0] for text in ("one two", "two one", "two")}
    expected = [plain.get(source.strip(), "") for source in SPACED]
    assert load(models["translate"]).predict(SPACED) == expected
    text = "".join(f"{source}\n" for source in SPACED)
    (tmp_path / "sources.txt").write_text(text)
    from_file = unrolled("predict", models["translate"], "sources.txt")
    from_input = unrolled("predict", models["translate"], input=text)
    assert from_file.out == from_input.out == "".join(f"{target}\n" for target in expected)
    as_json = unrolled("predict", models["translate"], "--json", input=text).json
    assert as_json["predictions"] == expected
    windows = unrolled("predict", models["translate"], input=text.replace("\n", "\r\n"))
    assert windows.out == from_input.out


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_pairs_are_what_stands_between_white_space_and_blank_lines(ends, models, unrolled, tmp_path):
    rows = [("one two", "zwei eins"), ("two one", "eins zwei"), ("two", "zwei")] * 4
    plain = "".join(f"{source}\t{target}\n" for source, target in rows)
    spaced = "\n".join(f" {source}  \t {target} \n" for source, target in rows) + "\n\n"
    for name, lines in (("plain.tsv", plain), ("spaced.tsv", spaced)):
        (tmp_path / name).write_bytes(f"source\ttarget\n{lines}".replace("\n", ends).encode())
    read = [
        [(each.inputs, each.target) for each in read_pairs(tmp_path / name)]
        for name in ("plain.tsv", "spaced.tsv")
    ]
    assert read[0] == read[1] == rows
    scores = [
        unrolled("evaluate", models["translate"], name, "--json").json["scores"]
        for name in ("plain.tsv", "spaced.tsv")
    ]
    assert scores[0] == scores[1]


def test_parallel_files_keep_their_lines_together(models, unrolled, tmp_path):
    (tmp_path / "a.en").write_text("one two\n  two one \ntwo\n")
    (tmp_path / "a.de").write_text(" zwei eins\neins zwei\nzwei\n")
    (tmp_path / "b.jsonl").write_text(
        "".join(
            json.dumps({"source": source, "target": target}) + "\n"
            for source, target in (("one two", "zwei eins"), ("two one", "eins zwei"), ("two", "zwei"))
        )
    )
    scores = [
        unrolled("evaluate", models["translate"], data, "--json").json["scores"]
        for data in ("a.en,a.de", "b.jsonl")
    ]
    assert scores[0] == scores[1]
