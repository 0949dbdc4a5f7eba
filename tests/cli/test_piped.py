"""What comes through a pipe is read as the file that it is."""

import gzip
import io
import json

import pandas as pd
import pytest

REVIEWS = pd.DataFrame(
    {"text": ["a fine film", "a dull film, and long", "fine"], "label": ["good", "bad", "good"]}
)


def _parquet(frame):
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("task", "name", "content"),
    [
        ("classify", "t.csv", REVIEWS.to_csv(index=False)),
        ("classify", "t.csv", REVIEWS[["text"]].to_csv(index=False)),
        ("classify", "t.tsv", REVIEWS.to_csv(index=False, sep="\t")),
        ("classify", "t.tsv", REVIEWS.to_csv(index=False, sep="\t", header=False)),
        ("classify", "t.jsonl", REVIEWS.to_json(orient="records", lines=True)),
        ("classify", "t.json", REVIEWS.to_json(orient="records")),
        ("classify", "t.parquet", _parquet(REVIEWS)),
        ("classify", "t.csv.gz", gzip.compress(REVIEWS.to_csv(index=False).encode(), mtime=0)),
        ("classify", "t.csv", REVIEWS.to_csv(index=False).encode("utf-16")),
        ("classify", "t.txt", "a fine film\n\na dull film, and long\n"),
        ("tag", "t.conll", "the\tD\ncat\tN\n\na\tD\ndog\tN\n"),
        ("tag", "t.conll", "the\ncat\n\na\ndog\n"),
        ("tag", "t.conll", "the D\ncat N\n\na D\ndog N\n"),
        ("tag", "t.txt", "the cat runs\na dog\n"),
        ("translate", "t.tsv", "question\tanswer\none two\tzwei eins\ntwo\tzwei\n"),
        ("translate", "t.jsonl", '{"question": "one two"}\n{"question": "two"}\n'),
        ("translate", "t.txt", "one two\n\n two \n"),
        ("forecast", "t.tsv", "ds\ty\n" + "".join(f"2024-05-{day:02}\t{day}\n" for day in range(1, 32))),
        (
            "forecast",
            "t.jsonl",
            "".join(json.dumps({"ds": f"2024-05-{day:02}", "y": day}) + "\n" for day in range(1, 32)),
        ),
        ("caption", "t.csv", "kind,name\ncat,Tom\ndog,Rex\n"),
    ],
)
@pytest.mark.parametrize("dash", [(), ("-",)])
def test_a_piped_file_is_read_as_the_file(models, unrolled, tmp_path, task, name, content, dash):
    content = content if isinstance(content, bytes) else content.encode()
    (tmp_path / name).write_bytes(content)
    from_file = unrolled("predict", models[task], name)
    assert from_file.code == 0, from_file.err
    piped = unrolled("predict", models[task], *dash, input=content)
    assert piped.code == 0, piped.err
    assert piped.out == from_file.out != ""


def test_a_bad_cell_of_a_pipe_is_named(models, unrolled):
    done = unrolled("predict", models["classify"], input='{"text": "fine"}\n{"text": 3}\n')
    assert done.code == 2
    assert "standard input, row 2, column 'text': expected text, got 3" in done.err


@pytest.mark.parametrize("task", ["caption", "classify", "tag", "generate", "forecast", "translate"])
def test_labelled_data_that_is_piped_is_evaluated_as_its_file(models, files, unrolled, task):
    from_file = unrolled("evaluate", models[task], files[task], "--json")
    piped = unrolled("evaluate", models[task], "-", "--json", input=files[task].read_bytes())
    assert piped.code == 0, piped.err
    assert piped.json["data"] == "standard input"
    assert piped.json["saved"].endswith("evaluation-standard-input.json")
    for told in ("scores", "baselines", "count"):
        assert piped.json[told] == from_file.json[told]


def test_what_is_piped_and_no_labelled_data_is_refused(models, unrolled):
    done = unrolled("evaluate", models["classify"], "-", input="")
    assert done.code == 2
    assert "standard input" in done.err
