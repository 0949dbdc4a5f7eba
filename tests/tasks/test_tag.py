"""The tagger, end to end on tiny data."""

import json

import numpy as np
import pytest
import torch

from unrolled.errors import ConfigError, DataError
from unrolled.tasks.registry import load
from unrolled.tasks.tag import Tagger

SMALL = {"hidden_size": 8, "embedding_size": 8, "character_embedding_size": 8, "character_hidden_size": 8}


def made_up(count, seed):
    """Sentences of made-up words that tell their tag only by their ending, all different from each other."""
    generator = np.random.default_rng(seed)
    endings = {"ing": "VERB", "ly": "ADV", "ness": "NOUN"}
    rows = []
    for _ in range(count):
        chosen = generator.choice(list(endings), size=generator.integers(1, 6)).tolist()
        stems = ["".join(generator.choice(list("bdfgkmprt"), size=4)) for _ in chosen]
        words = [stem + ending for stem, ending in zip(stems, chosen, strict=True)]
        rows.append((words, [endings[ending] for ending in chosen]))
    return rows


def people(count, seed):
    """A title begins a person's name, which runs to the next comma."""
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        words, tags = [], []
        for _ in range(int(generator.integers(1, 4))):
            length = int(generator.integers(1, 3))
            if generator.random() < 0.5:
                words += ["Dr", *generator.choice(["may", "will", "rose"], size=length), ","]
                tags += ["B-PER", *["I-PER"] * length, "O"]
            else:
                words += [*generator.choice(["may", "will", "rose"], size=length), ","]
                tags += ["O"] * (length + 1)
        rows.append((words, tags))
    return rows


@pytest.fixture(scope="module")
def speller():
    return Tagger(**SMALL, epochs=6, learning_rate=0.02, batch_size=16).fit(made_up(120, seed=0))


@pytest.fixture(scope="module")
def namer():
    return Tagger(**SMALL, epochs=6, learning_rate=0.02, batch_size=16).fit(people(150, seed=0))


@pytest.mark.parametrize(
    ("count", "epochs", "patience"), [(100, 100, 33), (450, 67, 22), (1_800, 18, 6), (3_200, 10, 3)]
)
def test_few_sentences_are_gone_through_more_often(count, epochs, patience):
    sentences = [(["a"], ["x"]), (["b"], ["y"])] * (count // 2)
    settled = Tagger(**SMALL).untrained(sentences).effective
    assert (settled.epochs, settled.patience) == (epochs, patience)
    asked = Tagger(**SMALL, epochs=2, patience=1).untrained(sentences).effective
    assert (asked.epochs, asked.patience) == (2, 1)


def test_unseen_words_are_known_by_their_spelling(speller):
    evaluation = speller.evaluate(made_up(60, seed=1))
    assert evaluation.scores.keys() == {"accuracy"}
    assert evaluation.scores["accuracy"] > 0.95
    assert evaluation.baselines["most frequent tag"]["accuracy"] < 0.6
    assert evaluation.count == sum(len(words) for words, _ in made_up(60, seed=1))
    assert evaluation.unit == "words"
    assert speller.monitored == ("accuracy", "max")
    assert not speller.effective.crf


def test_spans_are_found_and_scored_by_a_crf(namer):
    evaluation = namer.evaluate(people(60, seed=1))
    assert namer.effective.crf
    assert namer.monitored == ("span F1", "max")
    assert evaluation.scores["span F1"] > 0.95
    assert evaluation.baselines["most frequent tag"]["span F1"] < 0.5
    assert any("CRF" in notice for notice in namer.notices)


@pytest.mark.parametrize("crf", [False, True])
def test_the_crf_may_be_chosen(crf):
    tagger = Tagger(**SMALL, epochs=1, crf=crf).fit(people(20, seed=0))
    assert (tagger.model.transitions is not None) is crf
    assert not any("CRF" in notice for notice in tagger.notices)
    words = [words for words, _ in people(5, seed=1)]
    assert [len(tags) for tags in tagger.predict(words)] == [len(row) for row in words]


@pytest.mark.parametrize("fitted", ["speller", "namer"])
def test_predictions_do_not_depend_on_company(fitted, request):
    tagger = request.getfixturevalue(fitted)
    sentences = [words for words, _ in (made_up if fitted == "speller" else people)(40, seed=2)]
    assert tagger.predict(sentences) == [tagger.predict([sentence])[0] for sentence in sentences]


@pytest.mark.parametrize("fitted", ["speller", "namer"])
def test_saved_and_loaded_predicts_the_same_to_the_bit(fitted, request, tmp_path):
    tagger = request.getfixturevalue(fitted)
    data = (made_up if fitted == "speller" else people)(30, seed=3)
    tagger.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert isinstance(loaded, Tagger)
    assert loaded.predict([words for words, _ in data]) == tagger.predict([words for words, _ in data])
    batch, again = (each.first_batch(data) for each in (tagger, loaded))
    with torch.no_grad():
        assert torch.equal(
            tagger.model(batch.inputs, batch.lengths)[0], loaded.model(again.inputs, again.lengths)[0]
        )
    assert loaded.evaluate(data).scores == tagger.evaluate(data).scores
    assert loaded.evaluate(data).baselines == tagger.evaluate(data).baselines
    assert loaded.tags == tagger.tags


def test_reads_every_kind_of_file(speller, tmp_path):
    data = made_up(10, seed=4)
    conllu, columns, lines = (tmp_path / name for name in ("a.conllu", "a.conll", "a.jsonl"))
    tail = "\t_\t_\t0\t_\t_\t_"
    conllu.write_text(
        "\n".join(
            "\n".join(
                f"{number}\t{word}\t_\t{tag}{tail}"
                for number, (word, tag) in enumerate(zip(*row, strict=True), start=1)
            )
            + "\n"
            for row in data
        )
    )
    columns.write_text(
        "\n".join("\n".join(f"{word} {tag}" for word, tag in zip(*row, strict=True)) + "\n" for row in data)
    )
    lines.write_text("\n".join(json.dumps({"tokens": words, "tags": tags}) for words, tags in data))
    expected = speller.evaluate(data).scores
    for path in (conllu, columns, lines):
        assert speller.evaluate(path).scores == expected
        assert speller.predict(path) == speller.predict([words for words, _ in data])


@pytest.mark.parametrize("fitted", ["speller", "namer"])
def test_every_word_has_a_probability_of_every_tag(fitted, request):
    tagger = request.getfixturevalue(fitted)
    sentences = [["Tom", "ran"], [], ["the", "Bel", "sang", "Tom"]]
    chances, tags = tagger.predict_proba(sentences), tagger.predict(sentences)
    assert [each.shape for each in chances] == [(len(row), len(tagger.classes_)) for row in sentences]
    for each, row, (alone,) in zip(
        chances, tags, map(tagger.predict_proba, [[s] for s in sentences]), strict=True
    ):
        np.testing.assert_allclose(each.sum(1), 1)
        np.testing.assert_allclose(each, alone, rtol=1e-5, atol=1e-6)
        if fitted == "speller":
            assert tagger.classes_[each.argmax(1)].tolist() == row


def test_sentences_without_words_and_words_without_characters(speller):
    assert speller.predict([]) == []
    assert speller.predict([[]]) == [[]]
    tags = speller.predict([[], ["", "zzz"], ["abcdly"]])
    assert [len(row) for row in tags] == [0, 2, 1]


def test_a_text_is_split_at_white_space(speller):
    assert speller.predict(["bdfging kkkkly"]) == speller.predict([["bdfging", "kkkkly"]])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "expected examples to learn from or to score, got none"),
        ([(["a", "b"], ["X"])], "row 1: expected as many tags as words, got 2 words and 1 tags"),
        ([(["a"], ["X"]), ([], [])], "row 2: expected words, got an empty sentence"),
        ([(["a", "b"], "XY")], "row 1: expected as many tags as words, got 2 words and 'XY'"),
        ([(["a", 2], ["X", "Y"])], r"row 1: expected a list of words, got \['a', 2\]"),
        ([(["a"], ["X"])], "expected examples enough to hold some out, got one sample"),
    ],
)
def test_bad_data(data, message):
    with pytest.raises(DataError, match=message):
        Tagger(**SMALL, epochs=1).fit(data)


def test_a_tag_unseen_in_training_counts_as_an_error_and_is_said(speller, tmp_path):
    path = tmp_path / "new.conll"
    path.write_text("bdfging VERB\nbdfgly ADJ\n")
    before = list(speller.notices)
    evaluation = speller.evaluate(path)
    assert (evaluation.count, evaluation.scores["accuracy"]) == (2, 0.5)
    assert speller.notices == [
        *before,
        "1 of 2 words have a tag that training has not seen (ADJ); they count as errors.",
    ]
    speller.notices[:] = before


def test_an_unseen_tag_of_a_span_is_a_span_that_was_missed(tmp_path):
    tagger = Tagger(**SMALL, epochs=1).fit(people(20, seed=0))
    found = tagger.evaluate([(["x", "y"], ["B-NEW", "I-NEW"])]).scores
    assert found["span recall"] == found["span F1"] == 0.0


def test_windows_need_a_network_that_reads_one_way():
    with pytest.raises(ConfigError, match="non-causal"):
        Tagger(**SMALL, epochs=1, window=2).fit(made_up(20, seed=0))
    Tagger(**SMALL, epochs=1, window=2, bidirectional=False).fit(made_up(20, seed=0))
    with pytest.raises(ConfigError, match="window"):
        Tagger(**SMALL, epochs=1, window=2, bidirectional=False).fit(people(20, seed=0))


def test_each_character_of_a_string_may_have_a_tag(tmp_path):
    """Strings without spaces with as many characters in their tags: found, by file and by list."""
    random = np.random.default_rng(0)
    strings = ["".join(random.choice(list("ACGT"), random.integers(4, 12))) for _ in range(40)]
    pairs = [(string, "".join("p" if each in "AG" else "y" for each in string)) for string in strings]
    path = tmp_path / "strings.jsonl"
    path.write_text("".join(json.dumps({"tokens": one, "tags": other}) + "\n" for one, other in pairs))
    tagger = Tagger(hidden_size=8, epochs=5, learning_rate=0.03).fit(path)
    assert tagger.effective.unit == "characters"
    assert tagger.predict(["ACGT", ""]) == [list("pypy"), []]
    assert tagger.evaluate(pairs).scores["accuracy"] == 1
    tagger.save(tmp_path / "model")
    assert Tagger.load(tmp_path / "model").predict(["GATTACA"]) == tagger.predict(["GATTACA"])
    with pytest.raises(DataError, match="expected a string without spaces"):
        tagger.predict(["AC GT"])
    with pytest.raises(DataError, match="expected as many tags as characters, got 4 characters and 3 tags"):
        Tagger(unit="characters").fit([("ACGT", ["p", "y", "p"])])
    assert (
        Tagger(unit="words", **{"hidden_size": 4, "epochs": 1}).fit([(["a"], ["x"]), (["b"], ["y"])] * 9).tags
    )


def test_each_frame_of_a_clip_may_have_a_tag():
    random = np.random.default_rng(0)
    bright = [random.random(7) > 0.5 for _ in range(20)]
    clips = [(np.repeat(each, 36).reshape(7, 6, 6, 1) * 200).astype(np.uint8) for each in bright]
    pairs = [
        (clip, ["on" if each else "off" for each in own]) for clip, own in zip(clips, bright, strict=True)
    ]
    tagger = Tagger(hidden_size=8, frame_size=8, epochs=12, learning_rate=0.02).fit(pairs)
    assert tagger.evaluate(pairs).scores["accuracy"] > 0.9
    assert len(tagger.predict([clips[0][:3]])[0]) == 3
