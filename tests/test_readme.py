"""The README is true: its Python runs, its commands exist, its rooms are the ones there are."""

import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests import forked
from unrolled.cli.main import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_the_python_runs(number, tmp_path):
    file = tmp_path / "readme.py"
    file.write_text(f"import warnings; warnings.simplefilter('error')\n{blocks('python')[number]}")
    done = forked.start(tmp_path / "said", str(file), cwd=tmp_path)
    assert done.wait() == 0, done.err


def test_there_is_python_to_run():
    assert len(blocks("python")) == 6


def test_ci_runs_the_two_commands_as_they_stand():
    commands = blocks("sh")
    assert len(commands) == 2
    for number, command in enumerate(commands, start=1):
        shown = subprocess.run(
            [ROOT / "scripts" / "readme-command", str(number)], capture_output=True, text=True, check=True
        ).stdout
        assert shown == command
        assert command.count("\n") == 1


@pytest.mark.parametrize("line", [line for line in blocks("bash")[0].splitlines() if "unrolled" in line])
def test_every_command_has_its_help(line):
    words = line.split("#")[0].partition("unrolled ")[2].split()
    verb = words[: 2 if words[0] in ("train", "tune") else 1]
    shown = CliRunner().invoke(app, [*verb, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert all(word in shown.stdout for word in words if word.startswith("--"))


def test_every_room_is_named_and_every_name_is_a_room():
    listed = set(re.findall(r"^  ([a-z]+/|[a-z]+\.py) ", README, flags=re.MULTILINE))
    package = ROOT / "src" / "unrolled"
    rooms = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    assert listed == rooms | {"errors.py"}


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link
