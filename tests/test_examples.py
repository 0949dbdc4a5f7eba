"""The examples run, and say what their texts promise."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
SAYS = {
    "auto_complete.py": ["read d", "next e", "next p", "next ."],
    "forecast_table.py": ["seasonal naive", "corner", "market", "y_0.9"],
    "recurrent_policy.py": ["one call with resets is the loop over steps"],
}


def test_every_example_is_tested():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_it_runs(name, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for words in SAYS[name]:
        assert words in done.stdout
    if name == "recurrent_policy.py":
        with_memory, without = map(float, re.findall(r"(\d\.\d+) of the answers", done.stdout))
        assert with_memory > 0.9
        assert without < 0.65
