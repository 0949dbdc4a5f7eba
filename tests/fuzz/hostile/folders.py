"""A tiny trained model of every task and kind of input, saved once for a process."""

import atexit
import functools
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import torch

from unrolled.tasks.registry import estimator_class

_RANDOM = Random(7)
_TINY = {"hidden_size": 3, "epochs": 1, "device": "cpu", "batch_size": 4}
_WORDS = ("good", "bad", "film", "dull", "fine", "the", "plot", "Ada")


def _texts(count: int = 12) -> list[str]:
    return [" ".join(_RANDOM.choices(_WORDS, k=_RANDOM.randint(2, 5))) for _ in range(count)]


def _alternating(inputs: list[Any], *targets: Any) -> list[tuple[Any, Any]]:
    return [(each, targets[place % len(targets)]) for place, each in enumerate(inputs)]


def _arrays(*shape: int, count: int = 12) -> list[np.ndarray]:
    numbers = np.random.default_rng(3)
    return [numbers.normal(size=shape) for _ in range(count)]


def _pictures(count: int = 12) -> list[np.ndarray]:
    return [(each * 50 + 120).clip(0, 255).astype(np.uint8) for each in _arrays(4, 5, 1, count=count)]


def _sentences() -> list[tuple[list[str], list[str]]]:
    return [(text.split(), [f"B-{word[0]}" for word in text.split()]) for text in _texts()]


def _sales() -> pd.DataFrame:
    days = pd.date_range("2024-01-01", periods=60)
    return pd.DataFrame({"ds": days, "y": [10.0 + day % 7 for day in range(60)], "x": range(60)})


def _shops() -> pd.DataFrame:
    return pd.concat([_sales().assign(unique_id=name) for name in ("west", "east")])


KINDS: Mapping[str, tuple[str, Mapping[str, Any], Any]] = {
    "texts": ("classify", {"embedding_size": 3}, lambda: _alternating(_texts(), "a", "b")),
    "symbols": (
        "classify",
        {"embedding_size": 3},
        lambda: _alternating(["ACGT", "CCGA", "TTAG"] * 4, "a", "b"),
    ),
    "amounts": ("classify", {"embedding_size": 3}, lambda: _alternating(_texts(), 1.5, 2.25, 7.5)),
    "numbers": ("classify", {}, lambda: _alternating(_arrays(6, 2), "a", "b")),
    "pictures": ("classify", {}, lambda: _alternating(_pictures(), "a", "b")),
    "words": ("tag", {"embedding_size": 3}, _sentences),
    "steps": ("tag", {}, lambda: [(each, ["p", "q"] * 3) for each in _arrays(6, 2)]),
    "characters": ("generate", {"unit": "character", "embedding_size": 3}, lambda: _texts(20)),
    "bytes": ("generate", {"unit": "byte", "embedding_size": 3}, lambda: _texts(20)),
    "whole words": ("generate", {"unit": "word", "embedding_size": 3}, lambda: _texts(20)),
    "pieces": ("generate", {"unit": "bpe", "vocabulary_size": 40, "embedding_size": 3}, lambda: _texts(20)),
    "notes": ("generate", {"unit": "notes"}, lambda: [[[60, 64], [], [67]] * 5] * 6),
    "sales": ("forecast", {"horizon": 2}, _sales),
    "shops": ("forecast", {"horizon": 2}, _shops),
    "pairs": ("translate", {"embedding_size": 3}, lambda: [(text, text[::-1]) for text in _texts()]),
    "copies": (
        "translate",
        {"embedding_size": 3, "copying": True, "unit": "word", "target_unit": "word"},
        lambda: [(text, text) for text in _texts()],
    ),
    "names": ("caption", {"embedding_size": 3}, lambda: _alternating(["cat", "dog"] * 6, "Tom", "Rex")),
    "vectors": ("caption", {"embedding_size": 3}, lambda: _alternating(_arrays(4), "Tom", "Rex")),
    "drawings": ("caption", {"embedding_size": 3}, lambda: _alternating(_pictures(), "Tom", "Rex")),
    "read words": (
        "tag",
        {"embedding_size": 3, "features": lambda: [str(folder_of("characters"))]},
        _sentences,
    ),
    "own cell": (
        "classify",
        {"embedding_size": 3, "cell": "janet"},
        lambda: _alternating(_texts(), "a", "b"),
    ),
}
"""By name: the task, options or what makes their values, and data to train with."""


@functools.cache
def _home() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="unrolled-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def data_of(kind: str) -> Any:
    """What a kind's model was trained with."""
    return KINDS[kind][2]()


@functools.cache
def folder_of(kind: str) -> Path:
    """The folder of a kind's model."""
    task, options, _ = KINDS[kind]
    make = estimator_class(task)
    given = {
        name: value() if callable(value) else value
        for name, value in (_TINY | options).items()
        if name in make.Config.model_fields
    }
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # of which none is missing in the processes that are forked
    try:
        estimator = make(**given).fit(data_of(kind), dev=None if task == "forecast" else data_of(kind))
    finally:
        torch.set_num_threads(threads)
    folder = _home() / kind.replace(" ", "-")
    estimator.save(folder)
    return folder
