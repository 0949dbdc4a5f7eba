"""Tagged sentences in the files that people keep them in, read back."""

import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random

import openpyxl

from tests.fuzz.case import program_of
from unrolled.data.conll import read_tagged

_WORDS = (
    *("Mira", "sings", "in", "Oslo", "the", "#", "#oslo", "10\u00a0000", "don't", "1", "2", "3.5", ",", "."),
    *('"', "“quoted”", "żółć", "東京", "naïve", "-", "_", "a/b", "[sic]", "O", "word", "ЖЗЛ", "e-mail", "%"),
)
_PLAIN = tuple(word for word in _WORDS if word not in ("1", "2", "O", "word"))
_SPANS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
_PARTS = ("NOUN", "VERB", "ADP", "PUNCT", "NUM", "SYM")
_COMMENTS = ("# id {n} domain=en", "# sent_id = s{n}", "# text = Mira sings {n}", "# newdoc")


@dataclass(frozen=True)
class TokenCase:
    """A file by its name and content, how it is asked for, and the sentences that are in it."""

    name: str
    content: bytes
    options: tuple[tuple[str, str], ...]
    sentences: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    def difference(self) -> str | None:
        """The first sentence that came out as another."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, self.name)
            path.write_bytes(self.content)
            found = [(each.inputs, each.target) for each in read_tagged(path, **dict(self.options))]
        for number, (got, true) in enumerate(zip(found, self.sentences, strict=False)):
            if got != true:
                return f"sentence {number + 1}: got {got}, true {true}"
        if len(found) != len(self.sentences):
            return f"got {len(found)} sentences, true {len(self.sentences)}"
        return None

    def program(self) -> str:
        """A program that shows the difference."""
        return program_of(self)


def draw(random: Random) -> TokenCase:
    """A random file of a random kind."""
    spans = random.random() < 0.5
    tags = _SPANS if spans else _PARTS
    sentences = []
    for _ in range(random.randint(2, 8)):
        length = random.randint(1, 7)
        words = tuple(random.choice(_PLAIN) for _ in range(length))
        sentences.append((words, tuple(random.choice(tags) for _ in range(length))))
    # As in any real file: the tags differ, and some words stand in capitals and some do not.
    sentences.append((("Mira", "sings", "in", "Oslo", "today", "again"), (tags * 2)[:6]))
    kinds = (_columns, _columns, _tag_first, _conllu, _slashed, _lists, _csv_rows, _tsv_names, _remarks)
    name, text, options, kept = random.choice(kinds)(random, sentences)
    if isinstance(text, bytes):
        return TokenCase(name, text, options, tuple(kept))
    ends = random.choice(("\n", "\n", "\r\n"))
    text = text.replace("\n", ends)
    if random.random() < 0.3:
        text = text.rstrip("\r\n")
    content = text.encode("utf-8-sig" if random.random() < 0.2 else "utf-8")
    return TokenCase(name, content, options, tuple(kept))


def _columns(random, sentences):
    tabs = random.random() < 0.5
    gap = "\t" if tabs else random.choice((" ", "  "))
    # A counter alone beside words and tags, some columns of other things between.
    index, between = random.choice((0, 0, 0, 1)), random.randint(0, 2)
    blank = random.choice(("\n", "\n", "\n\n", " \n"))
    comments = random.random() < 0.4
    documents = random.random() < 0.2
    rows = []
    for number, (words, tags) in enumerate(sentences):
        if documents and random.random() < 0.4:
            rows += ["-DOCSTART-" + gap + gap.join(["-X-"] * (between + index)) + gap + "O", ""]
        if comments:
            rows += [
                random.choice(_COMMENTS).format(n=number + 10).replace(" ", " ")
                for _ in range(random.randint(0, 2))
            ]
        for place, (word, tag) in enumerate(zip(words, tags, strict=True)):
            cells = [str(place + 1)] * index + [word] + ["_"] * between + [tag]
            rows.append(gap.join(cells))
        rows.append(blank.rstrip("\n") if blank != "\n\n" else "\n")
    name = random.choice(("a.conll", "a.txt", "a.iob", "a.tsv" if tabs else "a.bio"))
    options: tuple = ()
    if random.random() < 0.3:
        word, tag = 1 + index, 2 + index + between
        options = (("word", str(word)), ("tag", random.choice((str(tag), "-1"))))
    return name, "\n".join(rows) + "\n", options, sentences


def _tag_first(random, sentences):
    gap = random.choice("\t ")
    rows = []
    for words, tags in sentences:
        rows += [tag + gap + word for word, tag in zip(words, tags, strict=True)] + [""]
    spans = any(tag.startswith("B-") for _, tags in sentences for tag in tags)
    options = () if spans else (("word", "2"), ("tag", "1"))
    return random.choice(("a.bio", "a.txt", "a.tsv")), "\n".join(rows) + "\n", options, sentences


def _conllu(random, sentences):
    column = random.choice(("upos", "xpos", "deprel"))
    place = {"upos": 3, "xpos": 4, "deprel": 7}[column]
    rows = []
    for number, (words, tags) in enumerate(sentences):
        rows += [random.choice(_COMMENTS).format(n=number) for _ in range(random.randint(0, 2))]
        for at, (word, tag) in enumerate(zip(words, tags, strict=True), start=1):
            if random.random() < 0.1:
                rows.append("\t".join([f"{at}-{at + 1}", "both", *"________"]))
            cells = [str(at), word, *"________"]
            cells[place] = tag
            rows.append("\t".join(cells))
            if random.random() < 0.1:
                rows.append("\t".join([f"{at}.1", "unsaid", *"________"]))
        rows.append("")
    options = (
        ()
        if column == "upos" and random.random() < 0.5
        else (("tag", random.choice((column, str(place + 1)))),)
    )
    return (
        random.choice(("a.conllu", "a.conll", "a.txt", "a.tsv")),
        "\n".join(rows) + "\n",
        options,
        sentences,
    )


def _slashed(random, sentences):
    rows = []
    for words, tags in sentences:
        rows.append(" ".join(f"{word}/{tag}" for word, tag in zip(words, tags, strict=True)))
        rows += [""] * (random.random() < 0.3)
    return random.choice(("a.pos", "a.txt")), "\n".join(rows) + "\n", (), sentences


def _quoted(text):
    return '"' + text.replace('"', '""') + '"'


def _lists(random, sentences):
    write = random.choice((lambda row: repr(list(row)), lambda row: json.dumps(list(row)), repr))
    if random.random() < 0.3:
        rows = [json.dumps({"tokens": words, "ner_tags": tags}) for words, tags in sentences]
        return "a.jsonl", "\n".join(rows) + "\n", (), sentences
    if random.random() < 0.3:
        sentences = [(tuple(w for w in words), tags) for words, tags in sentences]
        write = " ".join
    names = random.choice((("tokens", "ner_tags"), ("words", "pos"), ("Sentence", "Labels")))
    rows = [",".join(names)]
    rows += [f"{_quoted(write(words))},{_quoted(write(tags))}" for words, tags in sentences]
    options = (("word", "1"), ("tag", names[1])) if random.random() < 0.2 else ()
    return "a.csv", "\n".join(rows) + "\n", options, sentences


def _csv_rows(random, sentences):
    named = random.random() < 0.6
    rows = [("Sentence #," if named else "") + "Word,POS"]
    for number, (words, tags) in enumerate(sentences):
        for at, (word, tag) in enumerate(zip(words, tags, strict=True)):
            shown = f"Sentence: {number}" if at == 0 else ""
            rows.append((f"{shown}," if named else "") + f"{_quoted(word)},{tag}")
        if not named:
            rows.append("")
    return "a.csv", "\n".join(rows) + "\n", (), sentences


def _remarks(random, sentences):
    """A word a row with a remark, some on several lines, and empty lines between sentences."""
    rows = []
    for words, tags in sentences:
        rows += [
            (word, random.choice(("", "sure", "not sure\nof it", "a\n\nb", "ends so\n")), tag)
            for word, tag in zip(words, tags, strict=True)
        ]
        rows += [None] * random.randint(1, 2)
    names, kind = ("Word", "remark", "POS"), random.choice(("csv", "jsonl", "xlsx"))
    if kind == "jsonl":
        return (
            "a.jsonl",
            "".join(
                "\n" if row is None else json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows
            ),
            (),
            sentences,
        )
    if kind == "csv":
        lines = [",".join(names), *("" if row is None else ",".join(map(_quoted, row)) for row in rows)]
        return "a.csv", "\n".join(lines) + "\n", (), sentences
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    book.active.append(names)
    for number, row in enumerate(rows, start=2):
        for place, cell in enumerate(row or (), start=1):
            book.active.cell(number, place, cell or None).data_type = "s" if cell else "n"
    book.save(buffer)
    return "a.xlsx", buffer.getvalue(), (), sentences


def _tsv_names(random, sentences):
    swapped = random.random() < 0.5
    names = ["tag", "token"] if swapped else ["Word", "NER"]
    rows = ["\t".join(names)]
    for words, tags in sentences:
        pairs = zip(words, tags, strict=True)
        rows += ["\t".join(reversed(pair) if swapped else pair) for pair in pairs]
        rows.append("")
    return random.choice(("a.tsv", "a.txt")), "\n".join(rows) + "\n", (), sentences
