"""Every page of the guide as a notebook, made of the page's own source, block by block."""

import json
import re
from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
_SETUP = (Path(__file__).parent / "notebook_setup.py").read_text(encoding="utf-8")


def on_files(files, config):
    """Called by MkDocs with all files of the site: a notebook joins each page that has code."""
    from mkdocs.structure.files import File

    for file in list(files):
        if _is_page(file.src_uri):
            source = Path(file.abs_src_path).read_text(encoding="utf-8")
            if _BLOCK.search(source):
                made = json.dumps(notebook(source), ensure_ascii=False, indent=1)
                files.append(File.generated(config, _name(file.src_uri), content=made))
    return files


def on_page_markdown(markdown, page, files, **_):
    """Called by MkDocs with the source of every page: its notebook is linked under the heading."""
    name = _name(page.file.src_uri)
    if not _is_page(page.file.src_uri) or files.get_file_from_path(name) is None:
        return markdown
    heading, _, rest = markdown.partition("\n")
    return f"{heading}\n\n[This page as a notebook]({Path(name).name}){{ .notebook download }}\n{rest}"


def notebook(source):
    """The page as a notebook: a dict in the format of Jupyter, without outputs.

    Args:
        source: its Markdown, with blocks as markdown-exec runs them.
    """
    cells = [_code(_SETUP)]
    place = 0
    for block in _BLOCK.finditer(source):
        cells += _text(source[place : block.start()])
        language, _, code = block.groups()
        code = re.sub(r" *# markdown-exec: hide$", "", code, flags=re.MULTILINE)
        cells.append(_code(f"%%bash\n{code}" if language == "bash" else code))
        place = block.end()
    cells += _text(source[place:])
    return {
        "cells": [cell | {"id": f"cell-{number}"} for number, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _is_page(path):
    return path.startswith("guide/") and path.endswith(".md")


def _name(path):
    return path.removesuffix(".md") + ".ipynb"


def _text(markdown):
    """The Markdown between two blocks as a cell; none where there is nothing but space."""
    # A cell cannot be folded away, so an answer stands open, under its name.
    shown = re.sub(r"<details[^>]*>\s*<summary>(.*?)</summary>", r"**\1**", markdown)
    shown = shown.replace("</details>", "")
    shown = re.sub(r"\]\(([\w-]+)\.md", r"](\1.ipynb", shown)  # another page of the guide is a notebook, too
    shown = re.sub(r"\]\((\.\./[\w-]+)\.md", r"](\1.html", shown)
    shown = shown.replace("](index.ipynb", "](index.html").replace("](glossary.ipynb", "](glossary.html")
    shown = shown.strip("\n")
    return [{"cell_type": "markdown", "metadata": {}, "source": _lines(shown)}] if shown.strip() else []


def _code(code):
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": _lines(code.strip("\n")),
    }


def _lines(text):
    return text.splitlines(keepends=True)
