"""What is in the repository belongs to everybody: no machine's paths, no stray files."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


def tracked():
    shown = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if shown.returncode == 0 and shown.stdout:
        return [ROOT / name for name in shown.stdout.split("\0") if name]
    return [path for folder in ("src", "tests", "docs", "scripts") for path in (ROOT / folder).rglob("*.*")]


def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def workflow(name):
    return yaml.safe_load((ROOT / ".github/workflows" / name).read_text())


def test_no_file_names_a_place_on_somebodys_machine():
    places = [f"/{first}/" for first in ("home", "root", "work", "Users", "opt/dev")]
    for path in tracked():
        if not path.is_file() or b"\0" in path.read_bytes():
            continue
        text = path.read_text(encoding="utf-8")
        assert not [place for place in places if place in text], path


def test_torch_stays_within_the_range_that_is_tested():
    project = pyproject()["project"]
    assert "torch>=2.9,<2.14" in project["dependencies"]


@pytest.mark.parametrize("name", ["tests.yml", "wheels.yml"])
def test_workflows_run_what_is_there(name):
    jobs = workflow(name)["jobs"]
    assert jobs
    for job in jobs.values():
        steps = job["steps"]
        assert all(("run" in step) != ("uses" in step) for step in steps)
        for script in re.findall(
            r"scripts/[\w-]+|\.ci/\w+", "\n".join(step.get("run", "") for step in steps)
        ):
            assert (ROOT / script).is_file(), script
            assert script == ".ci/run" or os.access(ROOT / script, os.X_OK), script


def test_every_python_and_torch_that_may_be_installed_is_tested():
    project = pyproject()["project"]
    matrix = workflow("tests.yml")["jobs"]["versions"]["strategy"]["matrix"]
    said = [
        re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each) for each in project["classifiers"]
    ]
    assert matrix["python"] == [each[1] for each in said if each]
    assert project["requires-python"] == f">={matrix['python'][0]}"
    wheels = pyproject()["tool"]["cibuildwheel"]["build"]
    assert wheels == f"cp3{{{','.join(each.removeprefix('3.') for each in matrix['python'])}}}-*"
    lowest, beyond = re.search(r"torch>=2\.(\d+),<2\.(\d+)", " ".join(project["dependencies"])).groups()
    assert matrix["torch"] == [f"2.{minor}" for minor in range(int(lowest), int(beyond))]


def test_wheels_are_tested_by_tests_that_are_there():
    options = pyproject()["tool"]["cibuildwheel"]
    files = [word for word in options["test-command"].split() if "/" in word]
    assert files
    for path in (*files, *options["test-sources"]):
        assert (ROOT / path).exists(), path


def test_the_citation_is_of_this_version():
    project, citation = pyproject()["project"], yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert [citation[key] for key in ("title", "version", "license")] == [
        project[key] for key in ("name", "version", "license")
    ]


def test_issue_forms_have_what_a_form_needs():
    forms = [path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"]
    assert forms
    for path in forms:
        form = yaml.safe_load(path.read_text())
        assert {"name", "description", "body"} <= form.keys(), path
        names = [field["id"] for field in form["body"]]
        assert len(set(names)) == len(names), path
