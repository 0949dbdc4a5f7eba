"""Tags learned from few sentences, with and without what language models know of their words.

    python -m benchmarks.quality.contextual DATA_FOLDER [--quick] [upos | names]

Two language models of characters, one that reads forwards and one that reads backwards, learn from the raw
text of UD EWT's training part, as the paper has it that gave such features their name (Akbik, Blythe and
Vollgraf 2018); with ``--quick`` for two epochs instead of six. Taggers with default settings learn from 450
of its sentences, and are scored on the dev part: of all words the part of speech, or runs of proper nouns.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine
from benchmarks.quality.claim import QUICK, chosen, data_folder
from benchmarks.quality.sentences import Sentence, field, names, scored, treebank, written

FEW = 450
"""Tagged sentences that are learned from."""


def trained(*words: str) -> dict[str, Any]:
    """What ``unrolled train ... --json`` prints."""
    program = str(Path(sys.executable).with_name("unrolled"))
    run = subprocess.run([program, "train", *words, "--json"], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(run.stdout)


def language_models(text: str, home: Path) -> dict[str, str]:
    """The folders of both, trained on a file of sentences."""
    epochs = ["--epochs", "2"] if QUICK in sys.argv else []
    found = {}
    for name, way in (("forwards", []), ("backwards", ["--backwards"])):
        found[name] = str(home / name)
        run = trained("generate", text, *way, *epochs, "-o", found[name])
        nats, seconds = run["scores"]["nats_per_character"], run["seconds"]
        print(f"language model {name}: {nats:.3f} nats a character, {seconds:.0f} s", flush=True)
    return found


def compared(name: str, train: list[Sentence], dev: list[Sentence], models: dict[str, str]) -> None:
    """Print the scores with and without features, and of the conditional random field."""
    score = "span F1" if name == "names" else "accuracy"
    expected = [[tag for _, tag in sentence] for sentence in dev]
    figures = {"conditional random field": scored(expected, field(train, dev), score)}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        files = [written(home / f"{part}.conll", rows) for part, rows in (("train", train), ("dev", dev))]
        for called, features in (
            ("unrolled", []),
            ("unrolled with features", ["--features", ",".join(models.values())]),
        ):
            run = trained("tag", files[0], "--test", files[1], *features, "-o", str(home / called))
            figures |= {each: row[score] for each, row in run["baselines"].items() if score in row} | {
                called: run["scores"][score]
            }
    shown = ", ".join(f"{each} {value:.4f}" for each, value in figures.items())
    print(f"{name}, {len(train):,} sentences, {score} of the dev part: {shown} on {machine()}", flush=True)


place = data_folder()
train, dev = (list(treebank(place, part)) for part in ("train", "dev"))
# From all over the training part, whose sentences stand by genre and document.
few = [train[at] for at in np.linspace(0, len(train) - 1, FEW).astype(int)]
began = time.perf_counter()
with tempfile.TemporaryDirectory() as folder:
    raw = Path(folder) / "raw.txt"
    conllu = (place / "ud_english_ewt" / "en_ewt-ud-train.conllu").read_text()
    sentences = [
        line.removeprefix("# text = ") for line in conllu.split("\n") if line.startswith("# text = ")
    ]
    raw.write_text("\n".join(sentences) + "\n")
    models = language_models(str(raw), Path(folder))
    for name in chosen(("upos", "names")):
        both = [list(map(names, rows)) if name == "names" else rows for rows in (few, dev)]
        compared(name, *both, models)
print(f"{time.perf_counter() - began:.0f} s in all")
