"""Models small enough to train in a second, and the command line run inside this process."""

import json
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

from unrolled.cli.main import app
from unrolled.reporting import figure

REVIEWS = [
    ("a fine film", "good"),
    ("a dull film", "bad"),
    ("fine and fun", "good"),
    ("dull and long", "bad"),
] * 5
SENTENCES = [("the cat runs", "D N V"), ("a dog sits", "D N V"), ("the dog runs", "D N V")] * 5
PAIRS = [("one two", "zwei eins"), ("two one", "eins zwei"), ("two two", "zwei zwei"), ("one", "eins")] * 5


@dataclass(frozen=True)
class Done:
    """A command that ended: its exit code and what it said where."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """The one object on standard output."""
        return json.loads(self.out)


def _done(result):
    unexpected = result.exception is not None and not isinstance(result.exception, SystemExit)
    if unexpected:
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(autouse=True)
def _figures_unwritten(request, monkeypatch):
    """Every figure is drawn, but matplotlib writes none, which takes half of a small command's time.

    A test that looks at one asks for `written_figures`.
    """
    if "written_figures" not in request.fixturenames:
        monkeypatch.setattr(figure, "_saved", lambda *_: b'<svg viewBox="0 0 430 290"></svg>')


@pytest.fixture
def written_figures():
    """For a test that looks at what matplotlib writes."""


@pytest.fixture
def unrolled(tmp_path, monkeypatch):
    """Runs ``unrolled ARGUMENTS`` in an empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments, **options: _done(CliRunner().invoke(app, [*map(str, arguments)], **options))


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """One training file for every task, by task."""
    folder = tmp_path_factory.mktemp("files")
    reviews = "".join(f"{text}\t{label}\n" for text, label in REVIEWS)
    (folder / "reviews.tsv").write_text(f"text\tlabel\n{reviews}")
    stars = "".join(f"{text}\t{len(text) / 2}\n" for text, _ in REVIEWS)
    (folder / "stars.tsv").write_text(f"text\tstars\n{stars}")
    sentences = [zip(words.split(), tags.split(), strict=True) for words, tags in SENTENCES]
    conll = "\n\n".join("\n".join(f"{word}\t{tag}" for word, tag in pairs) for pairs in sentences)
    (folder / "tags.tsv").write_text(f"{conll}\n")
    (folder / "text.txt").write_text("deep in the deep sea\n" * 20)
    rows = "".join(f"2024-{1 + day // 28:02}-{1 + day % 28:02},{10 + day % 7}\n" for day in range(112))
    (folder / "sales.csv").write_text(f"ds,y\n{rows}")
    pairs = "".join(f"{source}\t{target}\n" for source, target in PAIRS)
    (folder / "pairs.tsv").write_text(f"question\tanswer\n{pairs}")
    names = "cat,Tom\ndog,Rex\ncat,Tim\ndog,Max\n" * 5
    (folder / "names.csv").write_text(f"kind,name\n{names}")
    return {
        "caption": folder / "names.csv",
        "classify": folder / "reviews.tsv",
        "regress": folder / "stars.tsv",
        "tag": folder / "tags.tsv",
        "generate": folder / "text.txt",
        "forecast": folder / "sales.csv",
        "translate": folder / "pairs.tsv",
    }


TINY = ["--hidden-size", "4", "--epochs", "2"]


@pytest.fixture(scope="session")
def models(files, tmp_path_factory):
    """A trained model folder for every task, by task."""
    folder = tmp_path_factory.mktemp("models")
    for task, path in files.items():
        done = _done(CliRunner().invoke(app, ["train", task, str(path), "-o", str(folder / task), *TINY]))
        assert done.code == 0, done.err
    return {task: folder / task for task in files}
