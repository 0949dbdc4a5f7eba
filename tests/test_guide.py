"""The guide is whole: every page is in the navigation, and every block runs when it is built.

The blocks themselves run when `scripts/docs` builds the site; here are the quick ones.
"""

import contextlib
import importlib.util
import io
import re
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "guide"
PAGES = sorted(path.stem for path in GUIDE.glob("*.md"))
# Pages that train for more than some seconds run only when the site is built.
TRAINING = {"diagnosis", "long-dependencies", "bidirectional", "writing"}
LISTS = {"index", "glossary"}
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def blocks(page):
    return BLOCK.findall((GUIDE / f"{page}.md").read_text(encoding="utf-8"))


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert [page for page in PAGES if f"- guide/{page}.md" not in navigation] == []
    listed = (GUIDE / "index.md").read_text(encoding="utf-8")
    assert [page for page in PAGES if page != "index" and f"]({page}.md)" not in listed] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_block_runs_when_the_page_is_built(page):
    for language, options, _ in blocks(page):
        assert 'exec="on"' in options, language
        # One namespace a page, as in its notebook.
        assert language == "bash" or (language == "python" and f'session="{page}"' in options)


def test_there_is_something_to_run_on_every_page():
    assert {page for page in PAGES if not blocks(page)} == LISTS


@pytest.mark.parametrize("page", [page for page in PAGES if page not in LISTS])
def test_every_page_says_what_it_teaches_and_asks_sums_up_and_names_its_sources(page):
    text = (GUIDE / f"{page}.md").read_text(encoding="utf-8")
    assert "**After this page you know**" in text.partition("\n## ")[0]
    parts = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert parts[-3:] == ["Exercises", "Summary", "References"]
    exercises = text.partition("\n## Exercises")[2].partition("\n## ")[0]
    asked = re.findall(r"^\d+\. ", exercises, flags=re.MULTILINE)
    assert len(asked) >= 2
    assert exercises.count("<summary>Answer") == exercises.count("</details>") == len(asked)
    assert "```python" in exercises
    references = text.partition("\n## References")[2]
    assert all("](https://" in each for each in references.strip().split("\n- ")[1:])


@pytest.mark.parametrize("page", [page for page in PAGES if page not in LISTS])
def test_a_page_is_a_notebook_with_the_code_of_all_its_blocks(page):
    spec = importlib.util.spec_from_file_location("notebooks", ROOT / "docs" / "site" / "notebooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cells = module.notebook((GUIDE / f"{page}.md").read_text(encoding="utf-8"))["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(code) == 1 + len(blocks(page))
    for source in code:
        if not source.startswith("%%bash"):
            compile(source, page, "exec")
    text = "".join(line for cell in cells if cell["cell_type"] == "markdown" for line in cell["source"])
    assert "<details" not in text
    assert "```" not in text


@pytest.mark.parametrize("page", [page for page in PAGES if page not in TRAINING and blocks(page)])
def test_the_blocks_of_a_quick_page_run(page, tmp_path, monkeypatch):
    monkeypatch.setenv("GUIDE", str(tmp_path))
    names = {}
    with torch.random.fork_rng(), contextlib.redirect_stdout(io.StringIO()) as said:
        for language, _, code in blocks(page):
            if language == "python":  # else a command, which trains
                exec(compile(code, f"docs/guide/{page}.md", "exec"), names)
    assert said.getvalue()
    assert "nan" not in said.getvalue()
