"""What a text is cut into: names by characters, and texts whose words say more by words."""

import numpy as np
import pytest

from unrolled.data.example import Example
from unrolled.tasks.classify import Classifier
from unrolled.tasks.inputs.units import why_characters

TINY = {"hidden_size": 4, "embedding_size": 4, "epochs": 1}
ENDINGS = {"ov": "Bulgarian", "sen": "Danish", "ini": "Italian"}


def surnames(count, seed=0, first=""):
    """Made-up names, all different, that tell their language only by how they end."""
    generator = np.random.default_rng(seed)
    stems = ["".join(generator.choice(list("abdegiklmnrtu"), 6)).capitalize() for _ in range(count)]
    return [
        (f"{first}{stem}{ending}", language)
        for stem, (ending, language) in zip(stems, list(ENDINGS.items()) * count, strict=False)
    ]


def colours(count, seed=0):
    """A few words, each seen often; which of two they are is told by both."""
    generator = np.random.default_rng(seed)
    pairs = [(generator.choice(["red", "teal"]), generator.choice(["car", "scarf"])) for _ in range(count)]
    return [(" ".join(pair), "warm" if pair[0] == "red" else "cold") for pair in pairs]


def test_names_are_read_by_characters():
    classifier = Classifier(hidden_size=16, epochs=20, learning_rate=0.02).fit(surnames(240))
    assert classifier.effective.unit == "characters"
    assert any(
        "1.0 words on average, and characters say more than words" in note for note in classifier.notices
    )
    assert classifier.evaluate(surnames(60, seed=1)).scores["accuracy"] > 0.9
    assert "character n-gram logistic regression" in classifier.dev_evaluation.baselines


@pytest.mark.parametrize("data", [colours(100), surnames(100, first="A name is ")])
def test_words_that_say_as_much_and_longer_texts_are_words(data):
    assert Classifier(**TINY).fit(data).effective.unit is None


def test_two_words_may_be_names():
    assert Classifier(**TINY).fit(surnames(100, first="Ada ")).effective.unit == "characters"


def test_what_was_asked_for_stays():
    assert Classifier(**TINY, unit="words").fit(surnames(60)).effective.unit == "words"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Rossi", "Ivanov", "Hansen", "Bianchi"], True),
        (["red", "red", "green", "red"], False),
        (["so fine", "dull", "fine", "bad"], False),
        (["", "", ""], False),
        (["好", "不好", "很好"], False),
    ],
)
def test_few_texts_are_judged_by_their_looks(texts, expected):
    examples = [Example(text, "ab"[place % 2]) for place, text in enumerate(texts)]
    assert (why_characters(examples, True) is not None) == expected


def test_numbers_are_predicted_from_characters_too():
    lengths = {"ov": 1.0, "sen": 5.0, "ini": 9.0}
    data = [(name, lengths[next(end for end in lengths if name.endswith(end))]) for name, _ in surnames(90)]
    found = Classifier(**TINY, target="numbers").fit(data)
    assert found.effective.unit == "characters"
    assert "character n-gram ridge regression" in found.dev_evaluation.baselines


def test_a_label_of_one_kind_alone_in_what_is_tried_decides_nothing():
    assert why_characters([Example(f"name{row}", "a") for row in range(30)], True) is None
