"""Networks that are trained, healthy ones of every task and ones that are broken on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.verdicts import data
from unrolled.tasks.base import Estimator
from unrolled.tasks.options import overridden
from unrolled.tasks.registry import estimator_class


@dataclass(frozen=True)
class Trained:
    """A network to be trained, and the verdicts that are right.

    Attributes:
        name: what it is called.
        task: as `unrolled train` knows it.
        train: its training data for a seed.
        test: what it is measured on for a seed.
        options: its own.
        right: the verdicts that are right.
        broken: there is something to be mended.
        first: an option that the first remedy has to change; None: any.
    """

    name: str
    task: str
    train: Callable[[int], Any]
    test: Callable[[int], Any]
    options: Mapping[str, Any]
    right: tuple[str, ...]
    broken: bool = False
    first: str | None = None

    def fit(self, seed: int, **changes: Any) -> Estimator:
        """Train it, with some options changed as flags change those of a file."""
        options = overridden({**self.options, "seed": seed, "device": "cpu"}, changes)
        return estimator_class(self.task)(**options).fit(self.train(seed))


_PLAIN = {"bidirectional": False, "pooling": "last", "skip": False, "dropout": 0.0, "input_dropout": 0.0}
_LONG = _PLAIN | {"hidden_size": 32, "patience": None, "schedule": "constant", "forget_bias": None}
_TAGS = {"bidirectional": False, "hidden_size": 24, "embedding_size": 12, "dropout": 0.0,
         "input_dropout": 0.0,
         "character_hidden_size": 4, "character_embedding_size": 4, "crf": False}  # fmt: skip
_TEXT = {"hidden_size": 64, "dropout": 0.0, "patience": None, "document": "file"}


def _of(make: Callable[..., Any], *arguments: Any) -> tuple[Callable[[int], Any], Callable[[int], Any]]:
    """Training data by seed, and test data of other seeds."""
    return lambda seed: make(*arguments, seed), lambda seed: make(*arguments, seed + 100)


def _built_in(name: str) -> tuple[Callable[[int], str], Callable[[int], str]]:
    return lambda seed: f"{name}@{seed}", lambda seed: f"{name}@{seed + 100}"


def healthy() -> Iterator[Trained]:
    """Of every task one at least."""
    ok = ("healthy",)
    few = {"epochs": 12, "hidden_size": 24, "embedding_size": 16, "dropout": 0.0, "input_dropout": 0.0}
    yield Trained("texts with a negation", "classify", *_of(data.negations, 400), few, ok)
    letters = few | {"epochs": 20, "learning_rate": 5e-3}
    yield Trained("motifs in DNA", "classify", *_of(data.motifs, 600), letters, ok)
    lstm = _LONG | {"cell": "lstm", "forget_bias": 1.0, "epochs": 10, "learning_rate": 1e-2}
    yield Trained("adding 20 numbers", "classify", *_built_in("adding:20"), lstm, ok)
    first = _LONG | {"cell": "lstm", "chrono": 40.0, "epochs": 8, "learning_rate": 1e-2}
    yield Trained("the first of 40 numbers", "classify", *_of(data.pulses, 400, 40), first, ok)
    order = _LONG | {"cell": "lstm", "chrono": 33.0, "epochs": 10, "learning_rate": 1e-2, "embedding_size": 8}
    yield Trained("order of two symbols", "classify", *_built_in("temporal-order:30"), order, ok)
    tags = _TAGS | {"epochs": 8, "learning_rate": 1e-2}
    yield Trained("tags by the word before", "tag", *_of(data.previous_word, 300), tags, ok)
    both = tags | {"bidirectional": True}
    yield Trained("tags by the word before, both directions", "tag", *_of(data.previous_word, 300), both, ok)
    third = (
        lambda seed: data.previous_word(300, seed, 3),
        lambda seed: data.previous_word(300, seed + 100, 3),
    )
    longer = tags | {"epochs": 16, "learning_rate": 2e-2}
    yield Trained("tags by the third word before", "tag", *third, longer, ok)
    text = _TEXT | {"window": 32, "epochs": 12, "learning_rate": 1e-2, "batch_size": 16}
    yield Trained("a text that repeats a name", "generate", *_of(data.grammar, 1500), text, ok)
    forecast = {"epochs": 40, "hidden_size": 16, "refit": False}
    yield Trained("a season", "forecast", *_of(data.season, 500), forecast, ok)
    pairs = {"hidden_size": 48, "embedding_size": 24, "epochs": 12, "learning_rate": 1e-2, "dropout": 0.0}
    yield Trained("letters reversed", "translate", *_of(data.reversed_words, 800), pairs, ok)
    captions = {"hidden_size": 24, "epochs": 12, "learning_rate": 1e-2, "dropout": 0.0}
    yield Trained("numbers described", "caption", *_of(data.described, 400), captions, ok)


def broken() -> Iterator[Trained]:
    """By too small a window, no clipping, too large a rate, too simple a cell, dead units, too few epochs."""
    rnn = _LONG | {"cell": "rnn", "recurrent_init": "uniform", "epochs": 8}
    gone = ("vanishing",)
    yield Trained("RNN, adding 60 numbers", "classify", *_built_in("adding:60"), rnn, gone, True)
    order = rnn | {"embedding_size": 8}
    yield Trained("RNN, order of two symbols", "classify", *_built_in("temporal-order:60"), order, gone, True)
    yield Trained("RNN, the first of 150", "classify", *_of(data.pulses, 400, 150), rnn, gone, True)
    lstm = _LONG | {"cell": "lstm", "epochs": 8, "forget_bias": -3.0}
    yield Trained("LSTM that forgets", "classify", *_of(data.pulses, 400, 60), lstm, gone, True)
    near = _TEXT | {"window": 4, "epochs": 6, "learning_rate": 5e-3}
    short = ("short-sighted",)
    yield Trained("window of 4", "generate", *_of(data.repeated_letter, 1500), near, short, True, "window")
    window = _TAGS | {"window": 3, "epochs": 8, "learning_rate": 1e-2}
    far = (
        lambda seed: data.previous_word(300, seed, 6, 20),
        lambda seed: data.previous_word(300, seed + 100, 6, 20),
    )
    yield Trained("window of 3", "tag", *far, window, short, True, "window")
    wild = _LONG | {"cell": "rnn", "activation": "relu", "recurrent_init": "identity", "clip": "none",
                    "clip_threshold": None, "epochs": 8, "learning_rate": 1e-2}  # fmt: skip
    burst = ("exploding", "diverged", "saturated or dead")
    yield Trained("no clipping", "classify", *_built_in("adding:60"), wild, burst, True)
    rate = _LONG | {"cell": "rnn", "epochs": 6, "learning_rate": 0.3}
    thrown = ("diverged", "exploding", "saturated or dead", "vanishing")
    yield Trained("rate of 0.3", "classify", *_built_in("adding:20"), rate, thrown, True, "learning_rate")
    dead = _LONG | {"cell": "rnn", "activation": "relu", "clip": "none", "clip_threshold": None,
                    "epochs": 5, "learning_rate": 0.5, "optimizer": "sgd"}  # fmt: skip
    idle = ("saturated or dead", "exploding", "diverged")
    yield Trained("dead ReLU", "classify", *_of(data.pulses, 400, 20), dead, idle, True)
    once = _LONG | {"cell": "lstm", "forget_bias": 1.0, "epochs": 2, "learning_rate": 2e-3}
    unsure = ("undecided",)
    yield Trained("two epochs", "classify", *_built_in("adding:20"), once, unsure, True, "epochs")
    slow = _TAGS | {"epochs": 2, "learning_rate": 2e-4}
    yield Trained("small steps", "tag", *_of(data.previous_word, 300), slow, unsure, True)
    needless = ("order not needed",)
    tags = _TAGS | {"epochs": 6, "learning_rate": 1e-2}
    yield Trained("tags of single words", "tag", *_of(data.own_word, 300), tags, needless)
    bag = {"epochs": 10, "hidden_size": 16, "embedding_size": 16}
    yield Trained("texts of one word", "classify", *_of(data.bags, 400), bag, needless)
    mean = _LONG | {"cell": "gru", "epochs": 15, "learning_rate": 1e-2}
    yield Trained("a mean", "classify", *_of(data.sums, 500, 15), mean, needless)
