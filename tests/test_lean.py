"""Layers and diagnosis need little; what needs more says which extra brings it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from unrolled.errors import PACKAGES_OF_TASKS

ROOT = Path(__file__).parents[1]
IMPORTED_AS = {"huggingface-hub": "huggingface_hub", "pillow": "PIL", "scikit-learn": "sklearn"}
WITHOUT = f"""
import sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in {set(PACKAGES_OF_TASKS)!r}:
            return None
        return PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""
LAYERS = """
import torch, unrolled
from unrolled import diagnosis
from unrolled.errors import MissingDependencyError

layer = unrolled.LSTM(3, 8)
with diagnosis.watch(layer) as watched:
    layer(torch.randn(12, 4, 3))[0][-1].square().sum().backward()
assert watched.verdict().sentence
output, state = unrolled.Recurrent("janet", 3, 8)(torch.randn(5, 2, 3))
for wanted in (lambda: unrolled.Classifier, watched.figure, lambda: watched.report("page.html")):
    try:
        wanted()
    except MissingDependencyError as error:
        assert "pip install 'unrolled[tasks]'" in str(error), error
    else:
        raise AssertionError("expected an error")
assert "unrolled[tasks]" in watched._repr_html_()
"""
COMMANDS = r"""
import io, pathlib
from contextlib import redirect_stderr, redirect_stdout
from unrolled.cli.main import main

pathlib.Path("data.tsv").write_text("text\tlabel\na\tb\nc\td\n" * 20)
for words, right in (
    (["train", "classify", "data.tsv", "-o", "model"], 2),
    (["tune", "classify", "data.tsv"], 2),
    (["--help"], 0),
    (["train", "forecast", "--help"], 0),
    (["doctor"], 0),
    (["data"], 0),
):
    sys.argv[1:] = words
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            main()
        code = 0
    except SystemExit as done:
        code = done.code
    assert code == right, (words, said.getvalue())
    if right:
        assert "pip install 'unrolled[tasks]'" in said.getvalue(), (words, said.getvalue())
"""


def run(program, folder):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT + program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_layers_and_diagnosis_do_without_the_packages_of_tasks(tmp_path):
    run(LAYERS, tmp_path)


def test_a_command_says_which_extra_it_lacks(tmp_path):
    run(COMMANDS, tmp_path)


def test_what_the_extra_brings_is_known():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    names = [re.match(r"[\w-]+", each)[0] for each in extras["tasks"]]
    assert {IMPORTED_AS.get(name, name) for name in names} == PACKAGES_OF_TASKS
