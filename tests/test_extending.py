"""The page on extending is true: its files and changes, in a copy of the package, do what it says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCK = re.compile(r'^```(python|diff) title="([^"]+)"\n(.*?)^```$', flags=re.MULTILINE | re.DOTALL)
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
ALONE = """
import sys
# An installation that leads back to the sources would come before any folder.
sys.meta_path = [finder for finder in sys.meta_path if "ScikitBuild" not in type(finder).__name__]
sys.path.insert(0, "src")
import unrolled
assert unrolled.__file__.startswith({root!r}), unrolled.__file__
"""


def changed(text, difference):
    """The text with a difference made that fits in one place."""
    lines = difference.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] in " -")
    assert text.count(old) == 1, f"{text.count(old)} places for\n{old}"
    return text.replace(old, "".join(line[1:] for line in lines if line[0] in " +"))


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    root = tmp_path_factory.mktemp("extended")
    (root / "tests").mkdir()
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "cells", root / "tests" / "cells")
    for name in ("__init__.py", "tolerances.py"):
        shutil.copy(ROOT / "tests" / name, root / "tests")
    shutil.copy(ROOT / "pyproject.toml", root)
    for language, title, content in BLOCK.findall(PAGE):
        path = root / title
        if language == "diff":
            path.write_text(changed(path.read_text(encoding="utf-8"), content), encoding="utf-8")
        elif title != "try":
            assert not path.exists(), title
            path.write_text(content, encoding="utf-8")
    return root


def run(root, program):
    done = subprocess.run(
        [sys.executable, "-c", ALONE.format(root=str(root)) + program],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("section", list(SECTIONS))
def test_what_is_added_can_be_tried(section, extended):
    (program,) = (content for _, title, content in BLOCK.findall(SECTIONS[section]) if title == "try")
    run(extended, program)


def test_the_cell_passes_the_librarys_tests(extended):
    run(
        extended,
        "import pytest\n"
        "chosen = '-k', 'chaos_free or every_cell_is_tested', '-p', 'no:xdist', '-p', 'no:cacheprovider'\n"
        "sys.exit(pytest.main(['-q', 'tests/cells/test_library.py', *chosen]))",
    )


def test_every_block_is_a_file_a_change_or_a_trial():
    assert len(BLOCK.findall(PAGE)) == PAGE.count("\n```") // 2
