"""Texts with entities by the places of their characters, read back as words and tags."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pandas as pd

from tests.fuzz.case import program_of
from unrolled.data.conll import read_tagged

_WORDS = (
    "Mira",
    "sings",
    "in",
    "Oslo",
    "the",
    "10",
    "don't",
    "żółć",
    "東京",
    "naïve",
    "L’Aquila",
    "x_1",
    "ЖЗЛ",
)
_MARKS = (",", ".", "!", "“", ")", "-", "%", "🙂")
_LABELS = ("PER", "LOC", "work of art")


@dataclass(frozen=True)
class SpansCase:
    """A file by its name and content, and the words and tags that are in it."""

    name: str
    content: bytes
    sentences: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    def difference(self) -> str | None:
        """The first sentence that came out as another."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, self.name)
            path.write_bytes(self.content)
            found = [(each.inputs, each.target) for each in read_tagged(path)]
            words = [each.inputs for each in read_tagged(path, tagged=False, marks=True)]
        for number, (got, true) in enumerate(zip(found, self.sentences, strict=False)):
            if got != true:
                return f"sentence {number + 1}: got {got}, true {true}"
        if [each for each, _ in self.sentences] != words:
            return f"without spans: got {words}"
        return None if len(found) == len(self.sentences) else f"got {len(found)} sentences"

    def program(self) -> str:
        """A program that shows the difference."""
        return program_of(self)


def draw(random: Random) -> SpansCase:
    """A random file."""
    form = random.choice(
        (_lists, _lists, _of_objects, _with_names, _within, _label_first, _of_several_labels)
    )
    column = random.choice(("label", "labels", "entities", "spans"))
    sentences, rows = [], []
    for _ in range(random.randint(2, 6)):
        tokens = [
            random.choice(_MARKS) if random.random() < 0.3 else random.choice(_WORDS)
            for _ in range(random.randint(1, 8))
        ]
        tags, text, spans, open_span = [], random.choice(("", " ", "\n")), [], None
        for place, token in enumerate(tokens):
            near = place and (token in _MARKS or tokens[place - 1] in _MARKS) and random.random() < 0.7
            text += "" if near or not place else random.choice((" ", " ", "  ", "\n"))
            if open_span is not None and random.random() < 0.5:
                spans[-1][1], tag = len(text) + len(token), f"I-{open_span}"
            elif random.random() < 0.3 or (not sentences and not place):
                open_span = random.choice(_LABELS)
                spans.append([len(text), len(text) + len(token), open_span])
                tag = f"B-{open_span}"
            else:
                open_span, tag = None, "O"
            tags.append(tag)
            text += token
        spans = [list(each) for each in spans]
        if random.random() < 0.2:  # one more that overlaps, and is shorter
            spans += [[each[0], each[1], "LATER"] for each in spans[:1]]
        elif random.random() < 0.5:
            random.shuffle(spans)
        sentences.append((tuple(tokens), tuple(tags)))
        rows.append({"id": len(rows), "text": text, column: form(spans)})
    name, content = _written(random, rows, column, form)
    return SpansCase(name, content, tuple(sentences))


def _lists(spans):
    return spans


def _of_objects(spans):
    return [{"start": start, "end": end, "label": label} for start, end, label in spans]


def _with_names(spans):
    return [
        {"id": 3, "label": label, "start_offset": start, "end_offset": end} for start, end, label in spans
    ]


def _within(spans):
    """As spaCy's training data."""
    return {"entities": spans}


def _label_first(spans):
    return [[label, start, end] for start, end, label in spans]


def _of_several_labels(spans):
    """As Label Studio's."""
    return [{"start": start, "end": end, "text": "...", "labels": [label]} for start, end, label in spans]


def _written(random, rows, column, form):
    kind = random.choice(("jsonl", "jsonl", "json", "csv", "parquet"))
    if kind == "jsonl":
        return "a.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    if kind == "json":
        return "a.json", json.dumps(rows).encode()
    frame = pd.DataFrame([row | {column: json.dumps(row[column])} for row in rows])
    if kind == "csv":
        return "a.csv", frame.to_csv(index=False).encode()
    return "a.parquet", frame.to_parquet(index=False)
