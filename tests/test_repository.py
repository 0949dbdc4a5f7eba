"""What is in the repository belongs to everybody: no machine's paths, no stray files."""

import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def tracked():
    shown = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if shown.returncode == 0 and shown.stdout:
        return [ROOT / name for name in shown.stdout.split("\0") if name]
    return [path for folder in ("src", "tests", "docs", "scripts") for path in (ROOT / folder).rglob("*.*")]


def test_no_file_names_a_place_on_somebodys_machine():
    places = [f"/{first}/" for first in ("home", "root", "work", "Users", "opt/dev")]
    for path in tracked():
        if not path.is_file() or b"\0" in path.read_bytes():
            continue
        text = path.read_text(encoding="utf-8")
        assert not [place for place in places if place in text], path


def test_torch_stays_within_the_range_that_is_tested():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "torch>=2.9,<2.14" in project["dependencies"]
