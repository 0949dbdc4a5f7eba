"""The translator, end to end on tiny data."""

import json
import math

import numpy as np
import pytest
import torch

from unrolled.errors import ConfigError, DataError
from unrolled.models.config import NetworkConfig
from unrolled.tasks.registry import load
from unrolled.tasks.translate import Translator
from unrolled.tasks.translation.config import TranslateConfig
from unrolled.tasks.translation.symbols import Symbols
from unrolled.tasks.writing.measured import Measured
from unrolled.tasks.writing.scores import by_length, text_scores

WORD_RATE = Measured("words", one_word=False)
LETTERS = Measured("characters", one_word=False)
WORDS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier"}
SMALL = {"hidden_size": 24, "embedding_size": 12, "dropout": 0.0, "patience": None}
QUICK = SMALL | {"epochs": 24, "learning_rate": 0.02, "batch_size": 16}


def reversed_words(count, seed, longest=4):
    """Every word translated, the last one first."""
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        words = generator.choice(list(WORDS), size=generator.integers(1, longest + 1)).tolist()
        rows.append((" ".join(words), " ".join(WORDS[word] for word in reversed(words))))
    return rows


def names(count, seed):
    """A greeting for a name that is seldom one of the training data: it can only be copied."""
    generator = np.random.default_rng(seed)
    made = ["".join(generator.choice(list("abdeiklmnorstu"), size=5)).title() for _ in range(count)]
    return [(f"I am {name}", f"hello {name} !") for name in made]


@pytest.fixture(scope="module")
def translator():
    return Translator(**QUICK).fit(reversed_words(300, seed=0), dev=reversed_words(60, seed=1))


def test_it_beats_copying_and_looking_up(translator):
    evaluation = translator.evaluate(reversed_words(60, seed=2))
    assert evaluation.scores.keys() == {"exact match", "token accuracy", "WER", "BLEU", "chrF"}
    assert evaluation.scores["exact match"] > 0.9
    assert evaluation.scores["WER"] < 0.1
    assert (evaluation.count, evaluation.unit) == (60, "sequences")
    for row in evaluation.baselines.values():
        assert row["exact match"] < evaluation.scores["exact match"]
    assert evaluation.baselines.keys() == {"copied source", "frequent target", "nearest source"}
    assert translator.monitored == ("WER", "min")


def test_it_says_what_it_decided(translator):
    assert translator.effective.unit == translator.effective.target_unit == "word"
    assert any("read by word" in notice for notice in translator.notices)
    assert not any("cut" in notice for notice in translator.notices)


def test_longer_sources_than_in_training_stand_apart(translator):
    evaluation = translator.evaluate(reversed_words(60, seed=2, longest=6))
    shares = evaluation.groups["exact match by source length"]
    assert list(shares)[:4] == ["1", "2", "3", "4"]
    assert set(list(shares)[4:]) == {"5 (longer than in training)", "6 (longer than in training)"}
    assert all(shares[length] > 0.8 for length in "123")
    assert "  1: " in str(evaluation)


def test_generated_lists_longer_than_in_training_are_scored_too(monkeypatch):
    monkeypatch.setattr("unrolled.data.generated.COUNT", 30)
    made = Translator(**SMALL, epochs=1).fit("sorting")
    shares = made.dev_evaluation.groups["exact match by source length"]
    assert {"5", "10", "11 (longer than in training)", "15 (longer than in training)"} <= set(shares)
    assert any("drawn from sorting:15@1" in notice for notice in made.notices)


def test_predictions_do_not_depend_on_company(translator):
    sources = [source for source, _ in reversed_words(30, seed=3)]
    for beam in (1, 3):
        together = translator.predict(sources, beam_size=beam)
        assert together == [translator.predict([source], beam_size=beam)[0] for source in sources]
    assert translator.predict([]) == []
    assert isinstance(translator.predict([""])[0], str)


def test_several_targets_come_best_first(translator):
    rows = translator.predict(["one two", "three"], n_best=3)
    assert [(row["source"], row["rank"]) for row in rows] == [
        (source, rank) for source in ("one two", "three") for rank in (1, 2, 3)
    ]
    assert [row["text"] for row in rows if row["rank"] == 1] == ["zwei eins", "drei"]
    for source in ("one two", "three"):
        scores = [row["score"] for row in rows if row["source"] == source]
        assert scores == sorted(scores, reverse=True)
    with pytest.raises(ConfigError, match="n_best: expected at most beam_size"):
        translator.predict(["one"], n_best=3, beam_size=2)
    with pytest.raises(ConfigError, match="no option 'beam'"):
        translator.predict(["one"], beam=2)


def test_saved_and_loaded_it_is_the_same(translator, tmp_path):
    data = reversed_words(30, seed=4)
    translator.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert isinstance(loaded, Translator)
    sources = [source for source, _ in data]
    assert loaded.predict(sources, beam_size=2) == translator.predict(sources, beam_size=2)
    assert loaded.evaluate(data).scores == translator.evaluate(data).scores
    assert loaded.evaluate(data).baselines == translator.evaluate(data).baselines
    assert "exact match by source length" in (tmp_path / "model" / "README.md").read_text().lower()


def test_an_alignment_shows_what_was_read(translator):
    (alignment,) = translator.align(["one two three"])
    assert list(alignment.source) == [" one", " two", " three", "end"]
    assert list(alignment.target) == ["drei", "zwei", "eins", "end"]
    assert alignment.text == "drei zwei eins"
    assert alignment.weights.shape == (4, 4)
    assert alignment.weights.sum(1) == pytest.approx(np.ones(4), abs=1e-5)
    assert list(translator.align([])) == []


@pytest.mark.parametrize(
    "options",
    [
        {"attention": "none"},
        {"attention": "additive", "input_feeding": True, "epochs": 2},
        {"scheduled_sampling": 0.3, "epochs": 2},
        {"decoder_cell": "lstm", "decoder_num_layers": 2, "decoder_hidden_size": (8, 12), "epochs": 2},
        {"cell": "lstm", "bidirectional": False, "peepholes": True, "decoder_cell": "rnn", "epochs": 2},
        {"unit": "character", "target_unit": "bpe", "epochs": 1},
        {"shared_vocabulary": True, "epochs": 1},
        {"beam_size": 3, "epochs": 1},
        {"loss_reduction": "sum", "epochs": 1},
    ],
)
def test_every_wiring_trains_saves_and_loads(options, tmp_path):
    data = reversed_words(40, seed=0)
    made = Translator(**QUICK | {"epochs": 4} | options).fit(data, dev=data[:8])
    losses = [epoch.loss for epoch in made.history.epochs]
    assert all(map(math.isfinite, losses))
    assert len(losses) == 1 or losses[-1] < losses[0]
    made.save(tmp_path / "model")
    sources = [source for source, _ in data[:8]]
    assert load(tmp_path / "model").predict(sources) == made.predict(sources)


def test_names_never_seen_are_copied(tmp_path):
    options = QUICK | {"unit": "word", "target_unit": "word", "vocabulary_size": 8, "epochs": 12}
    train, test = names(200, seed=0), names(20, seed=1)
    copier = Translator(**options, copying=True).fit(train, dev=train[:20])
    assert copier.evaluate(test).scores["exact match"] > 0.9
    copier.save(tmp_path / "model")
    sources = [source for source, _ in test]
    assert load(tmp_path / "model").predict(sources, beam_size=2) == copier.predict(sources, beam_size=2)
    (alignment,) = copier.align([sources[0]])
    assert alignment.text == test[0][1]
    plain = Translator(**options).fit(train, dev=train[:20])
    assert plain.evaluate(test).scores["exact match"] == 0
    assert not any("unk" in text for text in plain.predict(sources))


def test_characters_words_and_byte_pairs_come_back_as_they_were():
    from unrolled.data.example import Example, Examples

    texts = ["don't  stop, Ada!", "I_JUMP I_JUMP", "süß 12", "a\nb c"]
    examples = Examples(tuple(Example(text, text) for text in texts))
    for unit in ("character", "word", "bpe"):
        config = TranslateConfig(unit=unit, target_unit=unit)
        symbols = Symbols.fit(examples, config)
        again = Symbols.from_json(json.loads(json.dumps(symbols.to_json())), copying=False)
        for text, example in zip(texts, examples, strict=True):
            target = again.encode(example).target
            assert again.target.text(target[:-1].tolist()) == text
            assert target[-1] == again.end
            assert len(again.source.split(text)) == len(again.source.encode(text))


def test_units_are_guessed_for_each_side():
    pairs = [("hello", "HH AH L OW"), ("hell", "HH EH L"), ("hole", "HH OW L"), ("low", "L OW")] * 5
    made = Translator(**SMALL, epochs=1).fit(pairs, dev=pairs)
    assert (made.effective.unit, made.effective.target_unit) == ("character", "word")
    assert made.monitored == ("PER", "min")
    back = Translator(**SMALL, epochs=1).fit([(b, a) for a, b in pairs], dev=[(b, a) for a, b in pairs])
    assert (back.effective.unit, back.effective.target_unit) == ("word", "character")
    assert back.monitored == ("CER", "min")
    assert "CER" in back.evaluate([("L OW", "low")]).scores


def test_errors_of_phones_are_not_those_of_words(tmp_path):
    pairs = [("hello", "HH AH0 L OW1"), ("hell", "HH EH1 L"), ("hole", "HH OW1 L"), ("low", "L OW1")] * 5
    made = Translator(**SMALL, epochs=2).fit(pairs, dev=pairs)
    made.save(tmp_path / "m")
    for model in (made, load(tmp_path / "m")):
        evaluation = model.evaluate(pairs)
        for scores in (evaluation.scores, *evaluation.baselines.values()):
            assert scores.keys() == evaluation.scores.keys() >= {"PER", "WER"}
            assert scores["WER"] == pytest.approx(1 - scores["exact match"])
        written = model.predict([source for source, _ in pairs])
        edits = sum(edit_distance(b.split(), w.split()) for (_, b), w in zip(pairs, written, strict=True))
        phones = sum(len(target.split()) for _, target in pairs)
        assert evaluation.scores["PER"] == pytest.approx(edits / phones)


def edit_distance(one, other):
    """Levenshtein's distance, by the table of its definition."""
    row = list(range(len(other) + 1))
    for place, symbol in enumerate(one, start=1):
        last, row = row, [place]
        for column, against in enumerate(other):
            row.append(min(row[-1] + 1, last[column + 1] + 1, last[column] + (symbol != against)))
    return row[-1]


@pytest.mark.parametrize(
    ("unit", "pairs", "rates"),
    [
        ("word", [("bed", "b ɛ d"), ("bee", "b iː")], ("PER", "WER")),
        ("word", [("a bed", "ein Bett"), ("bees", "Bienen")], ("WER",)),
        ("word", [("greeting", "how do you do"), ("farewell", "goodbye for now")], ("WER",)),
        ("word", [("3 1 2", "1 2 3"), ("9 7", "7 9")], ("WER",)),
        ("word", [("12", "3 4"), ("15", "3 5")], ("WER",)),
        ("character", [("b ɛ d", "bed"), ("b iː", "bee")], ("CER", "WER")),
        ("character", [("one", "two words"), ("two", "and more")], ("CER",)),
    ],
)
def test_error_rates_are_called_what_they_are(unit, pairs, rates):
    sources, targets = zip(*pairs, strict=True)
    assert Measured.of(unit, sources, targets).rates == rates


def test_error_rates_equal_those_by_the_definition():
    draws = np.random.default_rng(4)
    for measured in (Measured("phones", one_word=True), LETTERS):
        texts = [
            ["".join(draws.choice(list("ab "), draws.integers(1, 9))) + "a" for _ in range(30)] for _ in "12"
        ]
        scores = text_scores(*texts, measured)
        cut = [[list(t) if measured.tokens == "characters" else t.split() for t in side] for side in texts]
        edits = sum(map(edit_distance, *cut))
        assert scores[measured.error_rate] == pytest.approx(edits / sum(map(len, cut[0])))
        same = sum(a.split() == b.split() for a, b in zip(*texts, strict=True)) / 30
        assert scores["exact match"] == pytest.approx(same)


def test_small_data_is_gone_through_more_often():
    pairs = reversed_words(4, seed=0)
    made = Translator(**SMALL).untrained(pairs)
    assert made.effective.epochs > TranslateConfig().epochs
    assert any("data is small" in notice for notice in made.notices)
    assert Translator(**SMALL, epochs=3).untrained(pairs).effective.epochs == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "expected examples to learn from or to score, got none"),
        ([("a", "b"), ("c", "")], "row 2: expected a text as the target, got none"),
        ([(" ", "b")], "row 1: expected a text as the source, got none"),
        ([(["a"], "b")], r"row 1: expected a text as the source, got \['a'\]"),
        (
            [("a b c d e", "b")],
            r"row 1: expected a source of at most 4 symbols, got 5 \('a b c d e'\.\.\.\)",
        ),
    ],
)
def test_bad_data(data, message):
    with pytest.raises(DataError, match=message):
        Translator(**SMALL, epochs=1, max_source_length=4, unit="word").fit(data, dev=[("a", "b")])


def test_a_source_that_is_too_long_is_cut_when_asked(tmp_path):
    data = reversed_words(20, seed=0)
    made = Translator(**SMALL, epochs=1, truncate=True, max_source_length=2).fit(data, dev=data[:4])
    assert any("sources were cut to 2 symbols" in notice for notice in made.notices)
    assert made.predict(["one two three"]) == made.predict(["one two four"])
    strict = Translator(**SMALL, epochs=1, max_source_length=4).fit(data, dev=data[:4])
    path = tmp_path / "long.txt"
    path.write_text("one two\none two three four one\n")
    with pytest.raises(DataError, match=r"long\.txt, row 2: expected a source of at most 4 symbols, got 5"):
        strict.predict(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attention": "none", "copying": True}, "copying: expected attention"),
        ({"shared_vocabulary": True, "unit": "word", "target_unit": "bpe"}, "expected one unit"),
        ({"decoder_hidden_size": (3, 4)}, "2 widths for num_layers=1"),
        ({"unit": "syllable"}, "option 'unit'"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ConfigError, match=message):
        Translator(**options)


def test_windows_do_not_cut_pairs():
    data = reversed_words(20, seed=0)
    for option in ("window", "checkpoint_every"):
        with pytest.raises(ConfigError, match=option):
            Translator(**SMALL, epochs=1, **{option: 2}).fit(data, dev=data)


def test_a_model_without_attention_has_nothing_to_align():
    data = reversed_words(8, seed=0)
    made = Translator(**SMALL, epochs=1, attention="none").fit(data, dev=data)
    with pytest.raises(ConfigError, match="attention: this model has none"):
        next(made.align(["one"]))


def test_a_run_goes_on_to_the_same_weights(tmp_path):
    data = reversed_words(40, seed=0)
    options = SMALL | {"batch_size": 8, "dropout": 0.2, "schedule": "constant"}
    whole = Translator(**options, epochs=4).fit(data, dev=data[:8])
    Translator(**options, epochs=2).fit(data, dev=data[:8], run_folder=tmp_path)
    again = Translator(**options, epochs=4).fit(data, dev=data[:8], run_folder=tmp_path, resume=True)
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(weight, again.model.state_dict()[name]), name


def test_the_decoder_takes_the_encoders_options_but_for_its_own():
    config = TranslateConfig(
        cell="lstm", peepholes=True, num_layers=2, dropout=0.2, variational_dropout=True, decoder_num_layers=1
    )
    assert config.encoder_network() == NetworkConfig(
        cell="lstm",
        hidden_size=128,
        peepholes=True,
        num_layers=2,
        dropout=0.2,
        variational_dropout=True,
        bidirectional=True,
    )
    assert config.decoder_network() == NetworkConfig(
        cell="lstm", hidden_size=128, peepholes=True, dropout=0.2
    )


def test_scores_by_hand():
    scores = text_scores(["a b c", "d"], ["a c", "d"], WORD_RATE)
    assert (scores["exact match"], scores["token accuracy"], scores["WER"]) == (0.5, 0.5, 0.25)
    assert text_scores(["abc"], ["abd"], LETTERS)["CER"] == pytest.approx(1 / 3)
    perfect = text_scores(["the cat sat on the mat"], ["the cat sat on the mat"], WORD_RATE)
    assert perfect["BLEU"] == pytest.approx(100)
    assert perfect["chrF"] == pytest.approx(100)
    assert text_scores(["a"], [""], WORD_RATE)["WER"] == 1


def test_many_lengths_are_joined_to_ranges():
    shares = by_length(list(range(1, 41)), [True] * 20 + [False] * 20, longest=30)
    assert len(shares) <= 14
    assert shares["1-4"] == 1.0
    assert all("longer" in name for name in list(shares)[-3:])
    assert not any("longer" in name for name in list(shares)[:-3])


def test_a_conversation_reads_what_was_said_before(tmp_path):
    from unrolled.tasks.translation.conversation import Conversation

    path = tmp_path / "talk.tsv"
    colours = ["red", "blue", "green"]
    rows = [
        line
        for number in range(60)
        for line in (
            f"{number}\tI like {colours[number % 3]}\tgood",
            f"{number}\twhat do I like\t{colours[number % 3]}",
        )
    ]
    path.write_text("conversation\tquestion\tanswer\n" + "\n".join(rows) + "\n")
    talker = Translator(**QUICK | {"epochs": 30}, history=1, unit="word").fit(path, dev=path)
    conversation = Conversation(talker)
    for colour in colours:
        assert conversation.reply(f"I like {colour}") == "good"
        assert conversation.reply("what do I like") == colour
        conversation.forget()
    short = Translator(**SMALL, epochs=1, history=3, max_source_length=25, unit="word").fit(path, dev=path)
    talk = Conversation(short)
    for _ in range(6):
        talk.reply("I like red and blue and green")
    with pytest.raises(DataError, match="at most 25 symbols"):
        talk.reply("red " * 30)


def test_step_labels_are_the_sources_symbols(translator):
    batch = translator.first_batch([("one two", "zwei eins")])
    assert translator.step_labels({name: values[0] for name, values in batch.inputs.items()}) == [
        "one",
        "two",
        "<end>",
    ]
    with torch.no_grad():
        outputs, _ = translator.model(batch.inputs, batch.lengths)
    assert outputs.shape[:2] == batch.targets.shape
