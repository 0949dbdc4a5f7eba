"""Tagged sentences of UD EWT, and a conditional random field on words, endings and neighbours (CRFsuite)."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pycrfsuite

from unrolled.tasks.spans import span_scores

Sentence = list[tuple[str, str]]
"""Pairs of a word and its tag."""


def treebank(folder: Path, part: str) -> Iterator[Sentence]:
    """The words of UD EWT with their parts of speech."""
    text = (folder / "ud_english_ewt" / f"en_ewt-ud-{part}.conllu").read_text()
    for block in text.strip().split("\n\n"):
        rows = [line.split("\t") for line in block.split("\n") if line[0] != "#"]
        yield [(row[1], row[3]) for row in rows if row[0].isdigit()]


def names(sentence: Sentence) -> Sentence:
    """Runs of proper nouns as spans."""
    tags, before = [], ""
    for _, kind in sentence:
        proper = kind == "PROPN"
        tags.append(("I-name" if before == "PROPN" else "B-name") if proper else "O")
        before = kind
    return [(word, tag) for (word, _), tag in zip(sentence, tags, strict=True)]


def features(words: list[str], at: int) -> dict[str, float | str]:
    """What the conditional random field sees of a word."""
    found: dict[str, float | str] = {"bias": 1.0}
    for away in (-2, -1, 0, 1, 2):
        word = words[at + away] if 0 <= at + away < len(words) else "<none>"
        shape = "".join(
            "X" if c.isupper() else "x" if c.islower() else "9" if c.isdigit() else c for c in word
        )
        found |= {f"{away} word": word.lower(), f"{away} shape": shape[:8]}
        if not away:
            found |= {f"ending {size}": word[-size:].lower() for size in (1, 2, 3, 4)}
            found |= {f"beginning {size}": word[:size].lower() for size in (1, 2, 3)}
    return found


def field(train: list[Sentence], test: list[Sentence]) -> list[list[str]]:
    """The tags by a conditional random field, with CRFsuite's usual penalties."""
    seen = lambda sentence: [features([w for w, _ in sentence], at) for at in range(len(sentence))]  # noqa: E731
    trainer = pycrfsuite.Trainer(verbose=False)
    for sentence in train:
        trainer.append(seen(sentence), [tag for _, tag in sentence])
    trainer.set_params({"c1": 0.1, "c2": 0.1, "max_iterations": 100, "feature.possible_transitions": True})
    with tempfile.TemporaryDirectory() as folder:
        trainer.train(f"{folder}/crf")
        tagger = pycrfsuite.Tagger()
        tagger.open(f"{folder}/crf")
        return [tagger.tag(seen(sentence)) for sentence in test]


def written(path: Path, sentences: list[Sentence]) -> str:
    """Two columns, a word and its tag, an empty line after each sentence."""
    path.write_text("\n".join("".join(f"{word}\t{tag}\n" for word, tag in each) for each in sentences))
    return str(path)


def scored(expected: list[list[str]], predicted: list[list[str]], score: str) -> float:
    """The F1 of spans, or the share of tags that are right."""
    if score == "span F1":
        return span_scores(expected, predicted).f1
    pairs = [pair for each in zip(expected, predicted, strict=True) for pair in zip(*each, strict=True)]
    return float(np.mean([one == other for one, other in pairs]))
