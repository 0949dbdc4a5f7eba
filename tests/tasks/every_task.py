"""A tiny model of every task, and of every kind of input that differs, with an input for each as JSON."""

import base64
import io
from functools import cache

import numpy as np
import pandas as pd

import unrolled

TINY = {"hidden_size": 8, "epochs": 1}
CAUSAL = {"bidirectional": False}


def numbers(count, labels):
    random = np.random.default_rng(0)
    return [(random.normal(size=(6, 2)), labels[at % len(labels)]) for at in range(count)]


def pictures(count):
    random = np.random.default_rng(0)
    return [((random.random((6, 6, 1)) * 255).astype(np.uint8), f"label {at % 2}") for at in range(count)]


def wave():
    return pd.DataFrame({"y": np.sin(np.arange(120) * 0.3), "help": np.arange(120) % 7.0})


REVIEWS = [("a fine film", "good"), ("a dull film", "bad")] * 8
TOPICS = [("a fine film", ["new", "good"]), ("a dull film", ["bad"]), ("so so", [])] * 6
SENTENCES = [(["the", "cat", "runs"], list("DNV")), (["a", "dog", "sits", "down"], list("DNVA"))] * 8
PAIRS = [("one two", "2 1"), ("two one", "1 2"), ("two", "2")] * 6
CLASSES = [({"kind": "cat", "size": 0.5}, "Tom"), ({"kind": "dog", "size": 1.5}, "Rex")] * 8
ROLLS = [[[60, 64], [62], [60]] * 4] * 4

MADE = {
    "reviews": lambda: unrolled.Classifier(**TINY, **CAUSAL, pooling="last", skip=False).fit(REVIEWS),
    "topics": lambda: unrolled.Classifier(**TINY, **CAUSAL, pooling="last", skip=False).fit(TOPICS),
    "strings": lambda: unrolled.Classifier(**TINY, unit="characters").fit(REVIEWS),
    "numbers": lambda: unrolled.Classifier(**TINY, **CAUSAL, pooling="last", skip=False).fit(
        numbers(16, "ab")
    ),
    "ratings": lambda: unrolled.Regressor(**TINY, **CAUSAL, pooling="last", skip=False).fit(
        [(text, len(text) / 2) for text, _ in REVIEWS]
    ),
    "images": lambda: unrolled.Classifier(**TINY).fit(pictures(16)),
    "sentences": lambda: unrolled.Tagger(**TINY, **CAUSAL, crf=False).fit(SENTENCES),
    "steps": lambda: unrolled.Tagger(**TINY, **CAUSAL).fit(numbers(16, [list("uddudu")])),
    "pairs": lambda: unrolled.Translator(**TINY, copying=True).fit(PAIRS),
    "classes": lambda: unrolled.Captioner(**TINY, condition_columns=("kind", "size")).fit(CLASSES),
    "subjects": lambda: unrolled.Captioner(**TINY, input_size=8).fit(pictures(16)),
    "text": lambda: unrolled.Generator(**TINY, batch_size=2).fit(["deep learning of text " * 12]),
    "notes": lambda: unrolled.Generator(**TINY, unit="notes").fit(ROLLS),
    "series": lambda: unrolled.Forecaster(**TINY, horizon=3, context=14).fit(wave()),
}


@cache
def model_of(name):
    """One of `MADE`, trained once for all who look at it."""
    return MADE[name]()


def png():
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pictures(1)[0][0][:, :, 0]).save(buffer, "png")
    return base64.b64encode(buffer.getvalue()).decode()


HANDED_OVER = {
    "reviews": "a fine film",
    "topics": "a fine film",
    "ratings": "a fine film",
    "strings": "a fine film",
    "numbers": [[0.1, 0.2], [0.3, -0.4]],
    "images": png(),
    "sentences": ["a", "cat"],
    "steps": [[0.1, 0.2], [0.3, -0.4]],
    "pairs": "two one",
    "classes": {"kind": "dog", "size": 1.0},
    "subjects": png(),
    "text": "deep",
    "notes": [[60], [62, 64]],
    "series": {"y": np.sin(np.arange(20.0)).tolist(), "help": [0.0] * 20},
}
