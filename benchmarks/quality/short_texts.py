"""Sentences and what they are: beside linear models of words, and of words and pairs of words (TF-IDF).

    python -m benchmarks.quality.short_texts DATA_FOLDER [--quick] [genres | reviews | opinions ...]

Which of five genres of the web a sentence of UD EWT is from (answers, mail, newsgroups, reviews, weblogs);
whether a sentence of a customer's review is for or against a product, and whether one is of a film review
or of a newspaper's editorial. The last two are of Hutto and Gilbert (2014), in the source archive of the
package vaderSentiment, which is looked for in the data folder: pip download --no-deps --no-binary :all:
vaderSentiment
"""

import csv
import io
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.quality.claim import chosen, data_folder, fewer, held

Rows = list[tuple[str, str]]
"""Pairs of a sentence and its class."""


def genres(folder: Path, part: str) -> Iterator[tuple[str, str]]:
    """Sentences of more than two words, with the genre that stands first in their id."""
    for block in (folder / "ud_english_ewt" / f"en_ewt-ud-{part}.conllu").read_text().split("\n\n"):
        said = dict(
            line[2:].split(" = ", 1) for line in block.split("\n") if line.startswith("# ") and " = " in line
        )
        if "text" in said and len(said["text"].split()) > 2:
            yield said["text"], said["sent_id"].split("-")[0]


def snippets(folder: Path, name: str) -> list[tuple[str, float]]:
    """Sentences with the mean of what people thought of their sentiment, -4 to 4."""
    archive = next(iter(sorted(folder.glob("vader*entiment-*.tar.gz"))), None)
    if archive is None:
        raise SystemExit(f"expected the source archive of vaderSentiment in {folder}, found none")
    with tarfile.open(archive) as outer:
        inner = next(each for each in outer.getmembers() if each.name.endswith("hutto_ICWSM_2014.tar.gz"))
        with tarfile.open(fileobj=io.BytesIO(outer.extractfile(inner).read())) as files:  # type: ignore[union-attr]
            member = next(
                each for each in files.getmembers() if each.name.endswith(f"{name}_GroundTruth.txt")
            )
            text = files.extractfile(member).read().decode("utf-8", "replace")  # type: ignore[union-attr]
    return [(row[2], float(row[1])) for line in text.splitlines() if len(row := line.split("\t")) == 3]


def reviews(folder: Path) -> Rows:
    """Of customers' reviews, for or against; sentences that are neither are left out."""
    rated = snippets(folder, "amazonReviewSnippets")
    return [(text, "for" if mean > 0 else "against") for text, mean in rated if abs(mean) > 0.5]


def opinions(folder: Path) -> Rows:
    """Of a film review or an editorial, 5,000 of each."""
    sources = {"review": "movieReviewSnippets", "editorial": "nytEditorialSnippets"}
    return [
        (text.lower(), kind) for kind, name in sources.items() for text, _ in snippets(folder, name)[:5_000]
    ]


def divided(rows: Rows) -> tuple[Rows, Rows]:
    """A shuffled order's first nine tenths, and the last."""
    shuffled = [rows[at] for at in np.random.default_rng(0).permutation(len(rows))]
    cut = len(rows) * 9 // 10
    return shuffled[:cut], shuffled[cut:]


def written(path: Path, rows: Rows) -> str:
    """A table of sentences and their classes."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return str(path)


folder = data_folder()
sets = {
    "genres": lambda: (list(genres(folder, "train")), list(genres(folder, "test"))),
    "reviews": lambda: divided(reviews(folder)),
    "opinions": lambda: divided(opinions(folder)),
}
good = []
for name in chosen(sets):
    with tempfile.TemporaryDirectory() as place:
        train, test = map(fewer, sets[name]())
        files = [
            written(Path(place) / f"{part}.csv", rows) for part, rows in (("train", train), ("test", test))
        ]
        good.append(
            held(
                "accuracy",
                {"genres": 0.6, "reviews": 0.8, "opinions": 0.9}[name],
                ["classify", files[0], "--test", files[1]],
                better="more",
                name=f"{name}, {len(train):,} sentences",
            )
        )
raise SystemExit(0 if all(good) else 1)
