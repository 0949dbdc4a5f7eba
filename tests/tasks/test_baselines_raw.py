"""Baselines see the data as it was given, whatever the network reads of it: scores computed otherwise.

The options make the network see little: rare words are unknown to it, sources are cut, characters are few.
"""

from collections import Counter, defaultdict

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.preprocessing import StandardScaler

from unrolled.tasks.caption import Captioner
from unrolled.tasks.classify import Classifier
from unrolled.tasks.tag import Tagger
from unrolled.tasks.translate import Translator

LEAST = {"hidden_size": 2, "embedding_size": 2, "epochs": 1, "dropout": 0.0}
WORDS = [f"{first}{second}" for first in "BdFgk" for second in ("a", "E", "i", "o", "u")]


def drawn(seed):
    draws = np.random.default_rng(seed)

    def words(least=1, most=8):
        # Zipf's law: most words are rare.
        return [WORDS[min(draws.zipf(1.4), len(WORDS)) - 1] for _ in range(draws.integers(least, most))]

    return draws, words


def evaluated(estimator, train, test):
    return estimator.fit(train, dev=train[:10]).evaluate(test).baselines


@pytest.mark.parametrize("seed", range(3))
def test_texts_and_classes(seed):
    draws, words = drawn(seed)
    rows = [(" ".join(words()), f"c{draws.integers(3)}") for _ in range(90)]
    rows = [(f"{text} {label}x" if draws.random() < 0.6 else text, label) for text, label in rows]
    train, test = rows[:60], rows[60:]
    found = evaluated(Classifier(**LEAST, min_count=6, unknown_dropout=0.5), train, test)
    (texts, labels), (given, expected) = zip(*train, strict=True), zip(*test, strict=True)
    bag = CountVectorizer(token_pattern=r"\S+")  # in lower case, as the classifier reads by default
    fitted = LogisticRegression(max_iter=1000).fit(bag.fit_transform(texts), labels)
    right = accuracy_score(expected, fitted.predict(bag.transform(given)))
    assert found["bag-of-words logistic regression"]["accuracy"] == pytest.approx(right)
    weighed = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2))
    fitted = LogisticRegression(C=10, max_iter=1000).fit(weighed.fit_transform(texts), labels)
    right = accuracy_score(expected, fitted.predict(weighed.transform(given)))
    assert found["TF-IDF logistic regression"]["accuracy"] == pytest.approx(right)
    usual = sorted(Counter(labels).items(), key=lambda pair: (-pair[1], pair[0]))[0][0]
    assert found["majority class"]["accuracy"] == pytest.approx(expected.count(usual) / len(expected))


@pytest.mark.parametrize("seed", range(3))
def test_strings_and_classes(seed):
    draws, _ = drawn(seed)
    rows = [("".join(draws.choice(list("ABcde"), draws.integers(3, 9))), f"c{row % 3}") for row in range(90)]
    rows = [(f"{text}{label}" if draws.random() < 0.5 else text, label) for text, label in rows]
    train, test = rows[:60], rows[60:]
    found = evaluated(Classifier(**LEAST, unit="characters"), train, test)
    (texts, labels), (given, expected) = zip(*train, strict=True), zip(*test, strict=True)
    weighed = TfidfVectorizer(analyzer="char", ngram_range=(1, 4))
    fitted = LogisticRegression(C=10, max_iter=1000).fit(
        weighed.fit_transform([f"^{text}$" for text in texts]), labels
    )
    right = accuracy_score(expected, fitted.predict(weighed.transform([f"^{text}$" for text in given])))
    assert found["character n-gram logistic regression"]["accuracy"] == pytest.approx(right)


@pytest.mark.parametrize("seed", range(3))
def test_sequences_of_numbers_and_classes(seed):
    draws, _ = drawn(seed)
    shapes = [np.cumsum(draws.normal(size=(12, 2)), axis=0) for _ in range(3)]
    rows = []
    for number in range(50):
        times = np.sort(draws.integers(0, 12, size=draws.integers(6, 20)))
        rows.append((shapes[number % 3][times] + draws.normal(0, 0.8, (len(times), 2)), f"c{number % 3}"))
    train, test = rows[:30], rows[30:]
    found = evaluated(Classifier(hidden_size=2, epochs=1), train, test)["1-NN dynamic time warping"]

    def distance(a, b):
        table = np.full((len(a) + 1, len(b) + 1), np.inf)
        table[0, 0] = 0
        for i, j in np.ndindex(len(a), len(b)):
            step = np.square(a[i] - b[j]).sum()
            table[i + 1, j + 1] = step + min(table[i, j], table[i, j + 1], table[i + 1, j])
        return table[-1, -1]

    def answers(given, known, leaving=False):
        for row, one in enumerate(given):
            far = [distance(one, other) for other in known]
            far[row] = np.inf if leaving else far[row]
            yield train[int(np.argmin(far))][1]

    everything = np.concatenate([x for x, _ in train])
    rates = []
    for center, scale in (
        (lambda x: x.mean(0), lambda x: x.std(0)),
        (lambda _: everything.mean(0), lambda _: everything.std(0)),
    ):
        known, given = ([(x - center(x)) / scale(x) for x, _ in some] for some in (train, test))
        right = sum(a == y for a, (_, y) in zip(answers(known, known, True), train, strict=True))
        rate = np.mean([a == y for a, (_, y) in zip(answers(given, known), test, strict=True)])
        rates.append((right, rate))
    assert found["accuracy"] == pytest.approx(max(rates, key=lambda pair: pair[0])[1])


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_sequences_of_numbers_and_numbers(scale):
    draws, _ = drawn(5)
    rows = [draws.normal(3, 2, size=(draws.integers(2, 7), 2)) * scale for _ in range(60)]
    pairs = [(row, float(row[:, 0].mean() / scale + draws.normal())) for row in rows]
    train, test = pairs[:40], pairs[40:]
    found = evaluated(Classifier(hidden_size=2, epochs=1, target="numbers"), train, test)

    def summary(some):
        return [np.concatenate([x.mean(0), x.std(0), x[0], x[-1]]) for x, _ in some]

    numbers, expected = [y for _, y in train], [y for _, y in test]
    scaler = StandardScaler().fit(summary(train))
    ridge = Ridge().fit(scaler.transform(summary(train)), numbers)
    for name, guess in (
        ("mean", np.full(20, np.mean(numbers))),
        ("summary-statistics ridge regression", ridge.predict(scaler.transform(summary(test)))),
    ):
        assert found[name]["RMSE"] == pytest.approx(root_mean_squared_error(expected, guess))
        assert found[name]["MAE"] == pytest.approx(mean_absolute_error(expected, guess))
        assert found[name]["R2"] == pytest.approx(r2_score(expected, guess))


@pytest.mark.parametrize("seed", range(3))
def test_words_and_tags(seed):
    draws, words = drawn(seed)
    rows = [words() for _ in range(60)]
    tagged = [(row, [f"T{(WORDS.index(w) + draws.integers(2)) % 4}" for w in row]) for row in rows]
    train, test = tagged[:40], tagged[40:]
    tagger = Tagger(**LEAST, min_count=5, max_characters=1, character_hidden_size=2)
    found = evaluated(tagger, train, test)["most frequent tag"]
    tags = defaultdict(Counter)
    for row, row_tags in train:
        for word, tag in zip(row, row_tags, strict=True):
            tags[word][tag] += 1

    def first(counts):
        return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[0][0]

    overall = sum(tags.values(), Counter())
    once = {big: Counter() for big in (True, False)}
    for word, counts in tags.items():
        if counts.total() == 1:
            once[word[0].isupper()] += counts
    right = [
        tag == (first(tags[word]) if word in tags else first(once[word[0].isupper()] or overall))
        for row, row_tags in test
        for word, tag in zip(row, row_tags, strict=True)
    ]
    assert found["accuracy"] == pytest.approx(np.mean(right))


def test_numbers_and_tags():
    draws, _ = drawn(1)
    rows = [draws.normal(1e6, 1e3, size=(draws.integers(1, 8), 2)) for _ in range(40)]
    tagged = [
        (row, ["up" if step[0] + draws.normal(0, 500) > 1e6 else "down" for step in row]) for row in rows
    ]
    train, test = tagged[:25], tagged[25:]
    found = evaluated(Tagger(hidden_size=2, epochs=1), train, test)
    steps, tags = np.concatenate([x for x, _ in train]), [tag for _, row in train for tag in row]
    given, expected = np.concatenate([x for x, _ in test]), [tag for _, row in test for tag in row]
    scaler = StandardScaler().fit(steps)
    fitted = LogisticRegression(max_iter=1000).fit(scaler.transform(steps), tags)
    right = accuracy_score(expected, fitted.predict(scaler.transform(given)))
    assert found["per-step logistic regression"]["accuracy"] == pytest.approx(right)


@pytest.mark.parametrize("seed", range(2))
def test_texts_for_texts(seed):
    draws, words = drawn(seed)
    pairs = [(" ".join(words(3)), " ".join(words(1, 3))) for _ in range(60)]
    pairs = [(source, source if draws.random() < 0.3 else target) for source, target in pairs]
    train, test = pairs[:40], pairs[40:]
    cut = {"max_source_length": 2, "truncate": True, "min_count": 4, "vocabulary_size": 8}
    found = evaluated(Translator(**LEAST, **cut, unit="word", target_unit="word"), train, test)
    (sources, targets), (given, expected) = zip(*train, strict=True), zip(*test, strict=True)
    usual = sorted(Counter(targets).items(), key=lambda pair: (-pair[1], pair[0]))[0][0]
    vectorizer = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2))
    known = vectorizer.fit_transform(sources).toarray()
    nearest = [targets[row] for row in (vectorizer.transform(given).toarray() @ known.T).argmax(1)]
    for name, written in (
        ("copied source", given),
        ("frequent target", [usual] * len(given)),
        ("nearest source", nearest),
    ):
        same = [a == b for a, b in zip(written, expected, strict=True)]
        assert found[name]["exact match"] == pytest.approx(np.mean(same))


def test_texts_for_vectors():
    draws, words = drawn(2)
    vectors = draws.normal(1e4, 1.0, size=(60, 3))
    pairs = [(vector, " ".join(words(1, 3))) for vector in vectors]
    train, test = pairs[:40], pairs[40:]
    found = evaluated(Captioner(**LEAST, min_count=9, unit="word", input_size=2), train, test)
    scaler = StandardScaler().fit(vectors[:40])
    apart = scaler.transform(vectors[40:])[:, None] - scaler.transform(vectors[:40])[None]
    written = [train[row][1] for row in (apart**2).sum(-1).argmin(1)]
    expected = [text for _, text in test]
    assert found["nearest input's text"]["exact match"] == pytest.approx(
        np.mean([a == b for a, b in zip(written, expected, strict=True)])
    )
