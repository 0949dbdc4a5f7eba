"""The examples run, and say what their texts promise."""

import re
import runpy
from pathlib import Path

import pytest
import torch

from unrolled.tasks.registry import task_names

EXAMPLES = Path(__file__).parents[1] / "examples"
SAYS = {
    "auto_complete.py": ["read d", "next e", "next p", "next ."],
    "caption_vectors.py": ["frequent target", "a large point on the left above"],
    "classify_reviews.py": ["bag-of-words logistic regression", "dull but not empty: good"],
    "forecast_table.py": ["seasonal naive", "corner", "market", "y_0.9"],
    "generate_names.py": ["Witten-Bell n-gram"],
    "recurrent_policy.py": ["one call with resets is the loop over steps"],
    "regress_sums.py": ["summary-statistics ridge regression", "asked for 1.19, got 1."],
    "tag_dates.py": ["most frequent tag", "3/B-DATE may/I-DATE", "may/O march/O"],
    "translate_numbers.py": ["nearest source", "two hundred twenty four: 224"],
}


def test_every_example_is_tested_and_every_task_has_one():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SAYS)
    assert {name.partition("_")[0] for name in SAYS} >= set(task_names())


@pytest.mark.parametrize("name", SAYS)
def test_it_runs(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with torch.random.fork_rng():
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    said = capsys.readouterr().out
    for words in SAYS[name]:
        assert words in said
    if name == "recurrent_policy.py":
        with_memory, without = map(float, re.findall(r"(\d\.\d+) of the answers", said))
        assert with_memory > 0.9
        assert without < 0.65
