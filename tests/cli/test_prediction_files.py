"""``unrolled predict``: rows of id, input, prediction and probability, to files and to the terminal."""

import csv
import io
import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.cli.prediction_rows import flat_lines

LINES = "a fine film\nso dull\n"


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_rows_are_written_in_the_form_of_the_file(suffix, models, unrolled, tmp_path):
    done = unrolled("predict", models["classify"], "-o", f"out.{suffix}", "--top", 2, input=LINES)
    assert (done.code, done.out) == (0, "")
    path = tmp_path / f"out.{suffix}"
    if suffix == "jsonl":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        best = [row.pop("top") for row in rows]
        assert [one[0]["prediction"] for one in best] == [row["prediction"] for row in rows]
        assert [sum(each["probability"] for each in one) for one in best] == pytest.approx([1, 1])
    elif suffix == "parquet":
        rows = pd.read_parquet(path).to_dict("records")
        assert rows[0]["prediction 1"] == rows[0]["prediction"]
    else:
        rows = list(csv.DictReader(io.StringIO(path.read_text()), delimiter="\t" if suffix == "tsv" else ","))
    assert [row["input"] for row in rows] == ["a fine film", "so dull"]
    assert [int(row["id"]) for row in rows] == [1, 2]
    assert all(row["prediction"] in ("good", "bad") and 0.5 <= float(row["probability"]) <= 1 for row in rows)


def test_probabilities_are_shown_in_rows(models, unrolled):
    done = unrolled("predict", models["classify"], "--probabilities", input=LINES)
    (first, _) = csv.DictReader(io.StringIO(done.out))
    chances = {label: float(first[f"probability of {label}"]) for label in ("good", "bad")}
    assert sum(chances.values()) == pytest.approx(1)
    assert max(chances, key=chances.get) == first["prediction"]
    made = unrolled("predict", models["classify"], "--probabilities", "--json", input=LINES).json
    assert made["predictions"][0]["probabilities"] == pytest.approx(chances)


def test_tags_are_written_as_conllu_that_can_be_read_again(models, files, unrolled, tmp_path):
    assert unrolled("predict", models["tag"], files["tag"], "-o", "out.conllu").code == 0
    made = (tmp_path / "out.conllu").read_text()
    assert made.startswith("# sent_id = 1\n# text = ")
    assert all(line.count("\t") == 9 for line in made.splitlines() if line and line[0] != "#")
    assert unrolled("train", "tag", "out.conllu", "--dry-run").code == 0
    assert unrolled("predict", models["tag"], files["tag"], "-o", "out.conll").code == 0
    assert "\t" in (tmp_path / "out.conll").read_text().splitlines()[0]


def test_what_a_model_cannot_give_is_refused(models, files, unrolled):
    for words in (["--top", "2"], ["--probabilities"]):
        done = unrolled("predict", models["regress"], *words, input=LINES)
        assert done.code == 2
        assert f"{words[0]}: expected a model that gives probabilities" in done.err
    done = unrolled("predict", models["classify"], "-o", "out.conllu", input=LINES)
    assert done.code == 2
    assert "expected a model that tags words for a .conllu file" in done.err


def test_a_forecast_is_rows_of_its_own(models, unrolled, tmp_path):
    assert unrolled("predict", models["forecast"], "-o", "out.parquet", "--steps", "3").code == 0
    frame = pd.read_parquet(tmp_path / "out.parquet")
    assert list(frame.columns[:3]) == ["unique_id", "ds", "y"]
    assert len(frame) == 3


@given(st.lists(st.text(alphabet=st.sampled_from('a,";\t\n\r |\u2028é'), min_size=1), min_size=2, max_size=4))
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_lines_of_separated_values_are_read_back(delimiter, cells):
    lines = flat_lines([{f"n{place}": cell for place, cell in enumerate(cells)}], " ", delimiter)
    text = "".join(f"{line}\n" for line in lines)
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[1:] == [cells]
