"""Predict with an exported model; needs numpy and onnxruntime only.

    python run.py < inputs > predictions        a line in, a line out
    python run.py FILE                          ... of a file

A line is a text where the model reads words; a JSON list, or the path of a .npy file, where it reads numbers,
features of sound, or pixels; a series' name for a forecaster, which goes on from its training data; steps of
notes, or values by name, as JSON.
"""

import argparse
import json
import math
import re
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent
PADDING, UNKNOWN, END = "<pad>", "<unk>", "<end>"


class Model:
    """The files of a model, by default those beside this one."""

    def __init__(self, folder=HERE):
        self.folder = Path(folder)
        self.content = json.loads((self.folder / "preprocess.json").read_text(encoding="utf-8"))
        self.task = self.content["task"]
        self.options = self.content["options"]
        self.learnt = self.content["vocabulary"]
        self._sessions = {}

    def run(self, name, inputs):
        """The outputs of a graph by name; inputs that it does not take are left out."""
        if name not in self._sessions:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            self._sessions[name] = onnxruntime.InferenceSession(
                str(self.folder / f"{name}.onnx"), options, providers=["CPUExecutionProvider"]
            )
        session = self._sessions[name]
        given = {}
        for port in session.get_inputs():
            kind = {"tensor(int64)": np.int64, "tensor(bool)": np.bool_, "tensor(uint8)": np.uint8}
            array = np.asarray(inputs[port.name], dtype=kind.get(port.type, np.float32))
            if not array.size:  # what is empty has no other axes in JSON
                array = array.reshape([size if isinstance(size, int) else 1 for size in port.shape])
            given[port.name] = array
        names = [port.name for port in session.get_outputs()]
        return dict(zip(names, session.run(names, given), strict=True))

    def predict(self, inputs, **options):
        """A prediction for each input; an input is what a line holds, read."""
        return [_TASKS[self.task](self, each, **options) for each in inputs]


# What is read.

_SPACELESS = (
    r"\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_LETTER = rf"(?:(?![{_SPACELESS}])\w)"
_WORD = re.compile(
    rf"['’](?:s|t|re|ve|m|ll|d)\b|[{_SPACELESS}]|{_LETTER}+(?:['’]{_LETTER}+)*|[^\w\s]", re.IGNORECASE
)


def numbers_of(symbols, vocabulary):
    """Numbers of symbols; those that are not listed take the unknown one's."""
    place = {symbol: number for number, symbol in enumerate(vocabulary["symbols"])}
    return np.array([place.get(symbol, place.get(UNKNOWN, 0)) for symbol in symbols], dtype=np.int64)


def scaled(values, scaling):
    """Numbers on the scale that the network reads."""
    values = np.asarray(values, dtype=np.float64)
    if scaling["floor"] is not None:
        floor = np.array(scaling["floor"])
        values = np.log(np.maximum(values, floor)) + (np.minimum(values, floor) / floor - 1)
    return (values - np.array(scaling["center"])) / np.array(scaling["scale"])


def levelled(values):
    """A recording's bands without silence at its ends and its own level, that of its louder half."""
    loudness = np.maximum(values, np.percentile(values, 99) - 8.0).mean(axis=1)
    (heard,) = np.nonzero(loudness >= np.percentile(loudness, 95) - 4.0)
    values = values[max(0, heard[0] - 3) : heard[-1] + 4]
    raised = np.maximum(values, np.percentile(values, 99) - 8.0)
    loudness = raised.mean(axis=1)
    return raised - raised[loudness >= np.median(loudness)].mean(axis=0)


def unscaled(values, scaling):
    """The inverse of `scaled`."""
    numbers = values * np.array(scaling["scale"]) + np.array(scaling["center"])
    if scaling["floor"] is None:
        return numbers
    floor = np.array(scaling["floor"])
    lowest = np.log(floor)
    return np.exp(np.maximum(numbers, lowest)) + floor * np.minimum(numbers - lowest, 0.0)


def steps_of(values):
    """A list of numbers, or of lists of them, as steps."""
    if isinstance(values, str):
        values = np.load(values, allow_pickle=False) if values.endswith(".npy") else json.loads(values)
    values = np.asarray(values, dtype=np.float64)
    return values.reshape(len(values), -1)


def with_gaps(values):
    """Each number as the last one that was there, whether it is of this step, and how long ago it was."""
    present, steps = ~np.isnan(values), np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(present, steps, -1), axis=0)
    return np.concatenate([filled(values), present, np.log1p(steps - last)], axis=1)


def pixels_of(picture):
    """An image, or frames, as bytes of the size that the model reads: `(..., height, width, channel)`."""
    if isinstance(picture, str):
        picture = np.load(picture, allow_pickle=False) if picture.endswith(".npy") else json.loads(picture)
    return np.asarray(picture, dtype=np.uint8)


def words_of(model, given, learnt):
    """The words of a sentence, or of a text as they are written in it."""
    if learnt["kind"] == "text":
        written = _WORD.findall(given)
        looked_up = _WORD.findall(given.lower() if model.options["lowercase"] else given)
        return written if len(written) == len(looked_up) else looked_up
    if isinstance(given, str):
        return re.findall(r"\w+(?:[’']\w+)*|[^\w\s]", given) if model.options["marks"] else given.split()
    return list(given)


def known_at(model, words, learnt):
    """What the language models know at each word: their states after its last character, or its first."""
    sizes = np.array([len(word) for word in words], dtype=np.int64)
    starts = np.cumsum(sizes + 1) - sizes - 1
    found = []
    for place, language in enumerate(learnt["models"]):
        tokenizer = Tokenizer(language["tokenizer"])
        tokens = tokenizer.encode(" ".join(words))
        (border,) = tokenizer.encode("\n")
        border = tokenizer.end if border == tokenizer.unknown else border
        read = [border, *(tokens[::-1] if language["backwards"] else tokens)]
        states = model.run(f"language{place}", {"tokens": [read]})["states"][0]
        found.append(states[len(tokens) - starts if language["backwards"] else starts + sizes])
    return np.concatenate(found, axis=1)


def inputs_of(model, given, learnt=None):
    """What a classifier's or tagger's network reads of an input, a row of its own."""
    learnt, options = learnt or model.learnt["inputs"], model.options
    kind = learnt["kind"]
    if kind == "contextual":
        inputs = inputs_of(model, given, learnt["sequence"])
        words, steps = words_of(model, given, learnt["sequence"]), next(iter(inputs.values())).shape[1]
        features = known_at(model, words, learnt)
        # A text without any word is read as one that is unknown.
        return {**inputs, "features": (features if words else np.zeros((steps, features.shape[1])))[None]}
    if kind == "text":
        text = given.lower() if options["lowercase"] else given
        return {"tokens": numbers_of(_WORD.findall(text) or [UNKNOWN], learnt["vocabulary"])[None]}
    if kind == "pair":
        texts = list(given.values()) if isinstance(given, dict) else given
        both = [_WORD.findall(each.lower() if options["lowercase"] else each) or [UNKNOWN] for each in texts]
        marks = [place + 2 * (word in both[1 - place]) for place in (0, 1) for word in both[place]]
        return {
            "tokens": numbers_of([*both[0], *both[1]], learnt["vocabulary"])[None],
            "marks": np.array([marks], dtype=np.int64),
        }
    if kind == "symbols":
        text = given.strip()
        text = text.lower() if options["lowercase"] else text
        size, stride = options["kmer"], options["stride"]
        mers = [text[at : at + size] for at in range(0, max(1, len(text) - size + 1), stride)]
        return {"tokens": numbers_of(mers or [UNKNOWN], learnt["vocabulary"])[None]}
    if kind == "words":
        words = words_of(model, given, learnt)
        cased = [word.lower() for word in words] if options["lowercase"] else words
        most = options["max_characters"]
        letters = [numbers_of((word or UNKNOWN)[:most], learnt["characters"]) for word in words]
        if not all(words):
            letters = [numbers_of(list(word or UNKNOWN)[:most], learnt["characters"]) for word in words]
        padded = np.zeros((len(words), max(map(len, letters), default=0)), dtype=np.int64)
        for row, each in enumerate(letters):
            padded[row, : len(each)] = each
        return {"words": numbers_of(cased, learnt["words"])[None], "characters": padded[None]}
    if kind in ("numbers", "sound"):
        values = steps_of(given)
        if learnt.get("own_level"):
            values = levelled(values)
        values = scaled(values, learnt["scaling"])
        return {"values": (with_gaps(values) if learnt.get("gaps") else values)[None]}
    if kind in ("images", "clips"):
        return {"pixels": pixels_of(given)[None]}
    raise ValueError(f"run.py reads no inputs of the kind {kind!r}; give the graphs their arrays instead")


# What is written.


def classify(model, given, probabilities=False):
    """A label, several labels, or a number."""
    inputs = inputs_of(model, given)
    steps = next(iter(inputs.values())).shape[1]
    output = model.run("model", {**inputs, "lengths": [steps]})["output"][0].astype(np.float64)
    targets = model.learnt["targets"]
    if targets["kind"] == "numbers":
        return float(output[0]) * targets["scale"] + targets["mean"]
    labels = targets["vocabulary"]["symbols"]
    if targets["kind"] == "labels":
        if probabilities:
            return dict(zip(labels, (1 / (1 + np.exp(-output))).tolist(), strict=True))
        return [label for label, score in zip(labels, output, strict=True) if score > 0]
    if probabilities:
        likely = np.exp(output - output.max())
        return dict(zip(labels, (likely / likely.sum()).tolist(), strict=True))
    return labels[int(output.argmax())]


def tag(model, given):
    """A tag for every step."""
    inputs = inputs_of(model, given)
    steps = next(iter(inputs.values())).shape[1]
    if not steps:
        return []
    scores = model.run("model", {**inputs, "lengths": [steps]})["output"][0]
    path = best_path(scores) if model.options["crf"] else scores.argmax(-1)
    tags = model.learnt["tags"]["symbols"]
    return [tags[number] for number in path]


def best_path(potentials):
    """The path of the highest score through a CRF's potentials `(time, tags, tags)` (Viterbi)."""
    best, origins = potentials[0, 0], []
    for step in potentials[1:]:
        further = best[:, None] + step
        origins.append(further.argmax(0))
        best = further.max(0)
    path = [int(best.argmax())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return path[::-1]


class Tokenizer:
    """Text to numbers and back: characters, bytes, words or byte pairs."""

    def __init__(self, content):
        self.unit = content["unit"]
        self.end, self.unknown = 0, None
        self.symbols: list = []
        if self.unit == "character":
            self.symbols = ["", "\N{REPLACEMENT CHARACTER}", *content["characters"]]
            self.unknown = 1
        elif self.unit == "byte":
            self.symbols = [b"", *(bytes([each]) for each in range(256))]
        else:
            self.symbols = list(content["words" if self.unit == "word" else "pieces"])
            self.place = {symbol: number for number, symbol in enumerate(self.symbols)}
            self.end, self.unknown = self.place[END], self.place.get(UNKNOWN)
            merges = content.get("merges", [])
            pairs = [tuple(pair) if isinstance(pair, list) else tuple(pair.split(" ")) for pair in merges]
            self.ranks = {pair: rank for rank, pair in enumerate(pairs)}
        if self.unit == "character":
            self.place = {symbol: number for number, symbol in enumerate(self.symbols) if number > 1}

    def split(self, text):
        """The part of a text that each of its tokens stands for."""
        if self.unit == "word":
            return re.findall(r" ?\w+| ?[^\w\s]+|\s+(?=\s)|\s", text)
        if self.unit == "bpe":
            raise ValueError("byte pairs do not stand for parts of a text one by one")
        return list(text)

    def encode(self, text):
        """The tokens of a text."""
        if self.unit == "byte":
            return [each + 1 for each in text.encode()]
        if self.unit == "bpe":
            return [self.place[part] for word in _pieces(text) for part in self._merged(word)]
        return [self.place.get(part, self.unknown) for part in self.split(text)]

    def _merged(self, word):
        """Byte pairs of a word, the ones learnt first joined first."""
        parts = [_BYTES[each] for each in word.encode()]
        while len(parts) > 1:
            ranked = [(self.ranks.get(pair, math.inf), at) for at, pair in enumerate(pairwise(parts))]
            rank, at = min(ranked)
            if rank == math.inf:
                break
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return parts

    def decode(self, tokens):
        """The text of some tokens."""
        kept = [self.symbols[token] for token in tokens if token != self.end]
        if self.unit == "byte":
            return b"".join(kept).decode(errors="replace")
        if self.unit == "bpe":
            letters = {letter: byte for byte, letter in _BYTES.items()}
            return bytes(letters[each] for each in "".join(kept)).decode(errors="replace")
        return "".join(kept)


def _byte_letters():
    """The letter that byte pairs write for each byte: itself where it can be seen."""
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [each for each in range(256) if each not in seen]
    return {each: chr(each) for each in seen} | {each: chr(256 + at) for at, each in enumerate(rest)}


_BYTES = _byte_letters()


def _kind(character):
    """What a character counts as where a text is cut before byte pairs are made."""
    if character.isspace():
        return "space"
    if character.isalpha():
        return "letter"
    return "number" if character.isnumeric() else "other"


def _pieces(text):
    """A text cut as GPT-2 does: clitics, words, numbers and marks with the space before them, white space."""
    at, found = 0, []
    while at < len(text):
        clitic = re.match(r"'(?:s|t|re|ve|m|ll|d)", text[at:])
        if clitic:
            found.append(clitic.group())
            at += clitic.end()
            continue
        start = at + (text[at] == " " and at + 1 < len(text) and _kind(text[at + 1]) != "space")
        kind, stop = _kind(text[start]), start
        while stop < len(text) and _kind(text[stop]) == kind:
            stop += 1
        if kind == "space" and stop < len(text) and stop - at > 1:
            stop -= 1  # the last one belongs to what follows
        found.append(text[at:stop])
        at = stop
    return found


def log_softmax(scores):
    """Log-probabilities of the last axis."""
    scores = scores.astype(np.float64)
    scores = scores - scores.max(-1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(-1, keepdims=True))


def states_of(model, graph_inputs):
    """A fresh state: as it was saved."""
    return {name: np.array(value, dtype=np.float32) for name, value in model.content["state"].items()}


def generate(model, prompt, length=100, temperature=0.0, seed=0):
    """What follows a prompt; temperature 0 takes the most probable symbol, or notes, each time."""
    if model.learnt["unit"] == "notes":
        return notes_after(model, prompt, length, temperature, seed)
    tokenizer = Tokenizer(model.learnt)
    generator = np.random.default_rng(seed)
    order = -1 if model.options["backwards"] else 1  # what stands before a text is written from its end
    read, made = [tokenizer.end, *tokenizer.encode(prompt)[::order]], []
    state = states_of(model, "model")
    while len(made) < length:
        found = model.run("model", {"tokens": [read], **state})
        state = {name: found[f"{name.removesuffix('_0')}_n"] for name in state}
        scores = found["output"][0, -1].astype(np.float64)
        if tokenizer.unknown is not None:
            scores[tokenizer.unknown] = -math.inf
        if temperature:
            likely = np.exp(log_softmax(scores / temperature))
            token = int(generator.choice(len(likely), p=likely / likely.sum()))
        else:
            token = int(scores.argmax())
        if token == tokenizer.end:
            break
        made.append(token)
        read = [token]
    return tokenizer.decode(made[::order])


_LOWEST_NOTE = 21
"""Of a piano, as MIDI counts them."""


def notes_after(model, prompt, length, temperature, seed):
    """The notes of each step that follows a prompt: a list of steps, or JSON of one; each note by itself."""
    steps = json.loads(prompt or "[]") if isinstance(prompt, str) else prompt
    generator, state = np.random.default_rng(seed), states_of(model, "model")
    read = np.zeros((1 + len(steps), model.learnt["keys"]))
    for row, notes in enumerate(steps, start=1):
        read[row, np.array(notes, dtype=int) - _LOWEST_NOTE] = 1
    made = []
    for _ in range(length):
        found = model.run("model", {"values": read[None], **state})
        state = {name: found[f"{name.removesuffix('_0')}_n"] for name in state}
        scores = found["output"][0, -1].astype(np.float64)
        if temperature:
            sound = generator.random(len(scores)) < 1 / (1 + np.exp(-scores / temperature))
        else:
            sound = scores > 0
        made.append((np.flatnonzero(sound) + _LOWEST_NOTE).tolist())
        read = sound[None] * 1.0
    return made


def _spaced(text):
    return " " + text.replace("\n", "\n ")


def translate(model, source, beam_size=None):
    """The text for a text."""
    options, learnt = model.options, model.learnt
    source = source.strip()
    if not source:
        return ""
    reads = Tokenizer(learnt["source"])
    writes = reads if learnt["target"] is None else Tokenizer(learnt["target"])
    given = source if reads.unit == "character" else _spaced(source)
    tokens = reads.encode(given)
    most = options["max_source_length"]
    if len(tokens) > most and not options["truncate"]:
        raise ValueError(f"expected a source of at most {most} symbols, got {len(tokens)}")
    lengths = learnt["lengths"]
    limit = options["max_target_length"] or (
        min(math.ceil(lengths["ratio"] * min(len(tokens), most)), 2 * lengths["target"]) + 10
    )
    inputs = {"tokens": [[*tokens[:most], reads.end]]}
    further = []
    if options["copying"]:
        copies = _copies(reads.split(given), writes, further)
        inputs["copies"] = [[*copies[:most], writes.end]]
    encoded = model.run("encoder", {**inputs, "lengths": [len(inputs["tokens"][0])]})
    width = beam_size or options["beam_size"]
    symbols = search(model, encoded, writes, width, limit, options["length_penalty"])
    return text_of(symbols, writes, further, spaced=writes.unit != "character")


def caption(model, given, beam_size=None):
    """The text for an image, for vectors, or for classes and numbers."""
    learnt, options = model.learnt["subjects"], model.options
    kind = learnt["kind"]
    if kind == "classes":
        values = json.loads(given) if isinstance(given, str) and given.lstrip().startswith("{") else given
        if not isinstance(values, dict):
            values = dict.fromkeys([*learnt["classes"], *learnt["numbers"]], values)
        places, before = [], 0
        for name, vocabulary in learnt["classes"].items():
            places.append(before + vocabulary["symbols"].index(str(values[name])))
            before += len(vocabulary["symbols"])
        numbers = [float(scaled(float(values[name]), each)) for name, each in learnt["numbers"].items()]
        inputs = {"classes": np.array([places]), "numbers": np.array([numbers]).reshape(1, -1)}
    elif kind == "vectors":
        regions = json.loads(given) if isinstance(given, str) and given.startswith("[") else given
        regions = np.load(regions, allow_pickle=False) if isinstance(regions, str) else regions
        values = scaled(np.atleast_2d(np.asarray(regions, dtype=np.float64)), learnt["scaling"])
        inputs = {"values": values[None], "lengths": np.array([len(values)])}
    else:
        inputs = {"pixels": pixels_of(given)[None]}
    encoded = model.run("encoder", inputs)
    writes = Tokenizer(model.learnt["texts"])
    limit = options["max_length"] or 2 * model.learnt["longest"]
    width = beam_size or options["beam_size"]
    symbols = search(model, encoded, writes, width, limit, options["length_penalty"])
    return text_of(symbols, writes, spaced=writes.unit != "character")


def _copies(parts, writes, further):
    """The number of each part of a source in the target's vocabulary; `further` takes those it lacks."""
    numbers = []
    for part in parts:
        found = writes.encode(part)
        if len(found) == 1 and found[0] != writes.unknown:
            numbers.append(found[0])
            continue
        if part not in further:
            further.append(part)
        numbers.append(len(writes.symbols) + further.index(part))
    return numbers


def text_of(symbols, writes, further=(), spaced=True):
    """The text of what was written; numbers beyond the vocabulary stand for what was copied."""
    size, parts, own = len(writes.symbols), [], []
    for symbol in symbols:
        if symbol < size:
            own.append(symbol)
        else:
            parts += [writes.decode(own), further[symbol - size]]
            own = []
    text = "".join([*parts, writes.decode(own)])
    return text.replace("\n ", "\n").removeprefix(" ") if spaced else text


def search(model, encoded, writes, width, limit, penalty):
    """The best sequence that a beam of some width finds; width 1 is greedy."""
    memory = {name: each for name, each in encoded.items() if name.startswith("memory")}
    first = {name: each for name, each in encoded.items() if name.startswith("state")}

    def step(symbols, states):
        rows = len(symbols)
        inputs = {name: np.repeat(each, rows, 0) for name, each in memory.items()}
        found = model.run("decoder", {"previous": [[each] for each in symbols], **states, **inputs})
        scores = found["scores"][:, 0]
        if writes.unknown is not None:
            scores[:, writes.unknown] = -math.inf
        return log_softmax(scores), {name: found[f"{name.removesuffix('_0')}_n"] for name in states}

    def ranked(total, size):
        return total / ((5 + size) / 6) ** penalty

    beams, ended = [((), 0.0)], []
    logs, states = step([writes.end], first)
    for made in range(1, limit + 1):
        joint = np.array([total for _, total in beams])[:, None] + logs
        order = np.argsort(-joint, axis=None, kind="stable")[: 2 * width]
        longer, kept = [], []
        for place, at in enumerate(order):
            row, symbol = divmod(int(at), joint.shape[1])
            total = joint[row, symbol]
            if total == -math.inf:
                continue
            if symbol == writes.end:
                if place < width:
                    ended.append(((*beams[row][0],), total, made))
            elif len(longer) < width:
                longer.append(((*beams[row][0], symbol), total))
                kept.append(row)
        ended = sorted(ended, key=lambda each: -ranked(each[1], each[2]))[:width]
        best_open = max((ranked(total, made) for _, total in longer), default=-math.inf)
        if not longer or (len(ended) == width and ranked(ended[-1][1], ended[-1][2]) >= best_open):
            beams = longer
            break
        beams = longer
        if made < limit:
            states = {name: each[:, kept] for name, each in states.items()}
            logs, states = step([symbols[-1] for symbols, _ in beams], states)
    found = [(symbols, ranked(total, size)) for symbols, total, size in ended]
    found += [(symbols, ranked(total, len(symbols))) for symbols, total in beams]
    return max(found, key=lambda each: each[1])[0]


def filled(values):
    """Gaps closed with the last number before them, 0 where there is none."""
    steps = np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1))
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, steps), axis=0)
    return np.where(last < 0, 0.0, np.take_along_axis(values, np.maximum(last, 0), axis=0))


def changes(values):
    """The change from the number before, 0 where either is missing."""
    steps = np.where(np.isnan(values), -1, np.arange(len(values)))
    last = np.maximum.accumulate(steps)
    held = np.where(last < 0, np.nan, values[np.maximum(last, 0)])
    return np.nan_to_num(np.diff(held, prepend=held[:1]))


def time_after(times, step, count=1):
    """The times of the steps that follow a series."""
    if times.dtype.kind != "M":
        apart = times[-1] - times[-2] if len(times) > 1 else 1
        return times[-1] + apart * np.arange(1, count + 1)
    calendar = re.fullmatch(r"(\d*)(B?)([MQY])(S|E|@(\d{1,2}))", step or "")
    if step == "B":
        return np.busday_offset(times[-1].astype("datetime64[D]"), np.arange(1, count + 1)).astype(
            times.dtype
        )
    if calendar:
        months = int(calendar[1] or 1) * {"M": 1, "Q": 3, "Y": 12}[calendar[3]]
        month = times[-1].astype("datetime64[M]") + months * np.arange(1, count + 1)
        first, last = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]") - 1
        if calendar[2]:
            first = np.busday_offset(first, 0, roll="forward")
            last = np.busday_offset(last, 0, roll="backward")
        day = {"S": first, "E": last}.get(calendar[4])
        if day is None:
            day = np.minimum(month.astype("datetime64[D]") + int(calendar[5]) - 1, last)
        return day.astype(times.dtype)
    fixed = re.fullmatch(r"(\d*)(W|D|h|min|s|ms|us|ns)", step or "")
    if fixed:
        unit = {"min": "m"}.get(fixed[2], fixed[2])
        apart = np.timedelta64(int(fixed[1] or 1), unit).astype("timedelta64[ns]")
    else:
        apart = times[-1] - times[-2]
    return times[-1] + apart * np.arange(1, count + 1)


def circles(times, season, count, year):
    """Where times lie in the year, the week and the day, or whole numbers in their season."""
    if times.dtype.kind != "M":
        phases = [times % season / season] if season > 1 else []
    else:
        days = times.astype("datetime64[D]")
        phases = [(times - times.astype("datetime64[Y]")) / np.timedelta64(31_556_952, "s")] if year else []
        phases.append((times - np.datetime64(0, "D")) / np.timedelta64(7, "D") % 1)
        phases.append((times - days) / np.timedelta64(1, "D"))
    angles = 2 * np.pi * np.stack(phases[: count // 2], axis=1) if count else np.zeros((len(times), 0))
    return np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(times), -1)


def of_columns(columns, names, categories, name):
    """A series as `forecast` takes it, of its times `ds`, if it has any, its numbers, and its covariates."""
    others = [each for each in columns if each not in ("ds", "unique_id", *names)]
    if len(others) != 1:
        raise ValueError(f"expected one column of numbers beside {names}, got {others}")
    values = columns[others[0]]
    beside = [
        columns[each] if isinstance(columns[each], list) else [columns[each]] * len(values) for each in names
    ]
    for place, each in enumerate(names):
        if each in categories:
            beside[place] = [code(one, categories[each]) for one in beside[place]]
    covariates = [list(each) for each in zip(*beside, strict=True)]
    given = [step for step, each in enumerate(values) if each is not None]
    end = given[-1] + 1 if given else len(values)
    if not any(each is not None for step in covariates[end:] for each in step):
        end = len(values)
    return {
        "unique_id": columns.get("unique_id", name),
        "times": columns.get("ds", list(range(len(values))))[:end],
        "values": values[:end],
        "covariates": covariates[:end],
        "future": covariates[end:],
    }


def code(value, known):
    """The place of a category among those of training, -1 of one that is new; None where none is said."""
    text = "" if value is None else re.sub(r"^(-?\d+)\.0+$", r"\1", str(value).strip())
    text = "" if text.lower() in ("na", "n/a", "nan", "null", "none", "<na>") else text
    return known.index(text) if text in known else -1 if text else None


def one_hot(numbers, count):
    """A column for each category; what was last said holds until something else is."""
    steps = np.where(np.isnan(numbers), -1, np.arange(len(numbers)))
    last = np.maximum.accumulate(steps) if len(numbers) else steps
    held = np.where(last < 0, -1, numbers[np.maximum(last, 0)])
    return (held[:, None] == np.arange(count)) * 1.0


def forecast(model, series=None):
    """The next steps of a series, as rows of `unique_id`, `ds`, `y` and a column for each quantile.

    A series is one of those that the training data ended with, by its name; or columns by name, as the
    service takes them, in JSON too; or a mapping of `unique_id`, `times` (datetime64, or numbers), `values`,
    and `covariates`, a list for each step, if there are any (of a category its place among those of the
    training data), with `future`, the same of the steps that follow, where the model reads some ahead.
    """
    learnt, options = model.learnt["preparation"], model.options
    known = {each["unique_id"]: each for each in model.learnt["latest"]}
    if isinstance(series, str) and series.lstrip().startswith("{"):
        series = json.loads(series)
    if isinstance(series, dict) and "values" not in series:
        if model.learnt["latest"][0]["target"] is not None:
            raise ValueError(f"expected the name of one of {', '.join(known)}, for each has several numbers")
        series = of_columns(
            series, learnt["names"], learnt["categories"], model.learnt["latest"][0]["unique_id"]
        )
    if series is None or isinstance(series, str):
        series = known[series] if series else model.learnt["latest"][0]
    like = known.get(series["unique_id"], model.learnt["latest"][0])
    times = np.asarray(series["times"])
    if times.dtype.kind != "M" and like["dates"]:
        times = times.astype("datetime64[ns]")
    values = np.array([np.nan if each is None else each for each in series["values"]], dtype=np.float64)
    own = series.get("covariates") or [[] for _ in values]
    covariates = np.array(
        [[np.nan if each is None else each for each in step] for step in own], dtype=np.float64
    ).reshape(len(values), len(learnt["names"]))
    scaling = learnt["scalings"].get(series["unique_id"])
    if scaling is None:
        raise ValueError(
            f"no series {series['unique_id']!r} was in the training data: its scale is not known"
        )
    names, horizon = learnt["names"], options["horizon"]
    later = [[np.nan if each is None else each for each in row] for row in series.get("future") or []]
    later = np.array(later, dtype=np.float64).reshape(len(later), len(names))
    beyond = np.full((horizon, len(names)), np.nan)
    every = np.concatenate([covariates, later, beyond])
    numbers = np.where([name in learnt["categories"] for name in names], 0.0, every)
    # Of several numbers to forecast: how the others changed.
    for name, sister in model.content["sisters"].get(like["unique_id"], {}).items():
        place = names.index(name)
        numbers[:, place] = changes(scaled(every[:, place], learnt["scalings"][sister]))
    numbers = filled(scaled(numbers, learnt["covariates"]))
    known = {
        name: one_hot(every[:, place], len(learnt["categories"][name]))
        if name in learnt["categories"]
        else numbers[:, place : place + 1]
        for place, name in enumerate(names)
    }
    ahead = [
        np.lib.stride_tricks.sliding_window_view(column, horizon)[: len(values)]
        for name in learnt["ahead"]
        for column in known[name][1:].T
    ]
    step = like["step"]
    following = np.concatenate([times[1:], time_after(times, step).astype(times.dtype)])
    days = np.concatenate([times[1:], time_after(times, step, horizon).astype(times.dtype)])
    for each in learnt["holidays"].values():
        marks = np.isin(days.astype("datetime64[D]"), np.array(each, dtype="datetime64[D]")) * 1.0
        ahead.append(np.lib.stride_tricks.sliding_window_view(marks, horizon)[: len(values)])
    columns = [
        filled(scaled(values, scaling))[:, None],
        *(column[: len(values)] for column in known.values()),
        *ahead,
        circles(following, like["season"], learnt["cycles"], learnt["year"]),
    ]
    if learnt["mask"]:
        columns.append(~np.isnan(values)[:, None])
    features = np.concatenate(columns, axis=1)[-options["context"] :]
    found = model.run("model", {"values": features[None], **states_of(model, "model")})["output"][0, -1]
    numbers = unscaled(found.astype(np.float64), scaling)
    coming = time_after(times, step, horizon)
    texts = coming.tolist() if coming.dtype.kind != "M" else _texts(coming)
    which = {"unique_id": like["of"] or series["unique_id"], "target": like["target"]}
    which = {name: each for name, each in which.items() if each is not None}
    return [
        {"unique_id": which["unique_id"], "ds": time, **which, "y": float(each[0])}
        | {f"y_{level:g}": float(one) for level, one in zip(options["quantiles"], each[1:], strict=True)}
        for time, each in zip(texts, numbers, strict=True)
    ]


def _texts(times):
    """Dates, without a time of day where none has one."""
    days = times.astype("datetime64[D]")
    return (days if (days == times).all() else times.astype("datetime64[s]")).astype(str).tolist()


_TASKS = {
    "classify": classify,
    "regress": classify,
    "tag": tag,
    "generate": generate,
    "translate": translate,
    "caption": caption,
    "forecast": forecast,
}


def main():
    """From lines to lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", help="by default what comes in")
    given = parser.parse_args()
    model = Model()
    lines = (Path(given.file).read_text(encoding="utf-8") if given.file else sys.stdin.read()).splitlines()
    for line in lines:
        (prediction,) = model.predict([line])
        if isinstance(prediction, list) and all(isinstance(each, str) for each in prediction):
            prediction = " ".join(prediction)
        print(prediction if isinstance(prediction, str) else json.dumps(prediction, ensure_ascii=False))


if __name__ == "__main__":
    main()
