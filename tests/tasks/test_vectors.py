"""Vectors that words have elsewhere, for classifying and tagging."""

import numpy as np
import pytest

from unrolled.errors import ConfigError, DataError
from unrolled.tasks.classify import Classifier
from unrolled.tasks.tag import Tagger

TINY = {"hidden_size": 8, "epochs": 12, "learning_rate": 0.02}
NOUNS = [f"thing{number}" for number in range(40)]
VERBS = [f"doing{number}" for number in range(40)]
SEEN = 20


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    """A file in which nouns are alike, and verbs are."""
    random = np.random.default_rng(0)
    rows = []
    for words, center in ((NOUNS, 1.0), (VERBS, -1.0)):
        for word in words:
            numbers = " ".join(f"{number:.4f}" for number in random.normal(center, 0.2, 5))
            # Spelt without a hint of what they are.
            rows.append(f"{hidden(word)} {numbers}")
    path = tmp_path_factory.mktemp("vectors") / "v.txt"
    path.write_text("\n".join(rows))
    return path


def hidden(word):
    random = np.random.default_rng(sum(map(ord, word)) + 1000 * int(word[5:]))
    return "".join(random.choice(list("abcdefgh"), 6))


def sentences(count, words, seed):
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        tags = random.choice(["N", "V"], 5).tolist()
        made.append(([hidden(str(random.choice(words[tag]))) for tag in tags], tags))
    return made


KNOWN = {"N": NOUNS[:SEEN], "V": VERBS[:SEEN]}
NEW = {"N": NOUNS[SEEN:], "V": VERBS[SEEN:]}


def test_a_word_that_training_lacks_is_read_as_its_like(vectors, tmp_path):
    train, test = sentences(60, KNOWN, 0), sentences(20, NEW, 1)
    taggers = [Tagger(**TINY, vectors=str(vectors), seed=seed).fit(train, dev=train) for seed in range(3)]
    # How a word is spelt says nothing of it, but one of the three may have learned some by heart.
    assert np.mean([each.evaluate(test).scores["accuracy"] for each in taggers]) > 0.9
    tagger = taggers[0]
    assert Tagger(**TINY).fit(train, dev=train).evaluate(test).scores["accuracy"] < 0.8
    assert any(
        "40 of 40 words of the training data have a vector of 5 numbers" in each for each in tagger.notices
    )
    tagger.save(tmp_path / "model")
    vectors.rename(vectors.with_suffix(".moved"))  # the model needs it no more
    try:
        again = Tagger.load(tmp_path / "model")
        words = [each for each, _ in test]
        assert again.predict(words) == tagger.predict(words)
        assert again.predict([[]]) == [[]]
    finally:
        vectors.with_suffix(".moved").rename(vectors)


def test_classifiers_read_them_too_beside_other_columns(vectors):
    def texts(words, seed):
        random = np.random.default_rng(seed)
        kinds = random.choice(["N", "V"], 80)
        return [
            (
                {
                    "input": " ".join(hidden(str(each)) for each in random.choice(words[kind], 3)),
                    "age": float(random.normal()),
                },
                str(kind),
            )
            for kind in kinds
        ]

    train = texts(KNOWN, 0)
    classifier = Classifier(**TINY, vectors=str(vectors), unit="words", feature_columns=("age",)).fit(
        train, dev=train
    )
    assert classifier.evaluate(texts(NEW, 1)).scores["accuracy"] > 0.9
    assert classifier.predict([{"input": "", "age": 2.0}])


def test_capitals_fall_back(vectors):
    train = sentences(20, KNOWN, 0)
    tagger = Tagger(hidden_size=4, epochs=1, vectors=str(vectors), vectors_limit=1).fit(train, dev=train)
    kind = tagger._inputs
    word = hidden(NOUNS[0])
    assert kind._number(word.upper()) == kind._number(word) > 0
    assert kind._number("elsewhere") == 0
    seen = {each for sentence, _ in train for each in sentence}
    assert set(kind.known.symbols) == {hidden(NOUNS[0]), *seen}


def test_what_has_no_words_has_no_vectors(vectors, tmp_path):
    random = np.random.default_rng(0)
    numbers = [(random.normal(size=(4, 2)), "ab"[at % 2]) for at in range(12)]
    with pytest.raises(ConfigError, match="vectors: expected texts, which have words, got numbers"):
        Classifier(**TINY, vectors=str(vectors)).fit(numbers)
    (tmp_path / "broken.txt").write_text("a 1 2\nb 1\n")
    with pytest.raises(DataError, match=r"broken\.txt, row 2"):
        Tagger(**TINY, vectors=str(tmp_path / "broken.txt")).fit(sentences(9, KNOWN, 0))
