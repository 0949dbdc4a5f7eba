import math

import numpy as np
import pytest
import torch

from unrolled.data.corpus import Corpus
from unrolled.data.streams import StreamLoader
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.generate import Generator
from unrolled.tasks.generation.text import negative_log_likelihood
from unrolled.tasks.registry import load

SMALL = {"hidden_size": 16, "embedding_size": 8, "window": 8, "batch_size": 4}
RHYME = "one two three four five, once I caught a fish alive. " * 12


@pytest.fixture(scope="module")
def deep():
    return Generator(hidden_size=16, epochs=80, learning_rate=0.02).fit("deep")


@pytest.fixture(scope="module")
def rhyme():
    return Generator(**SMALL, epochs=8, learning_rate=0.02).fit([RHYME])


def test_deep_is_learnt_by_heart(deep):
    assert deep.dev_evaluation.data == "the training data itself"
    assert deep.history.stopped == "patience"
    assert deep.predict(["d", "de", "dee", "deep", ""], temperature=0) == ["eep", "ep", "p", "", "deep"]
    assert deep.predict(["d"], beam=3) == ["eep"]
    assert deep.dev_evaluation.scores["nats_per_character"] < 0.05


def test_a_short_text_is_not_divided_and_that_is_said(deep):
    assert any("too few to hold some out" in notice for notice in deep.notices)


def test_the_network_stands_beside_the_ngram_on_the_held_out_end(rhyme):
    evaluation = rhyme.dev_evaluation
    assert evaluation.scores["nats_per_character"] < 1.0  # 17 symbols: 2.9 by chance
    assert set(evaluation.baselines) == {"Witten-Bell n-gram"}
    assert set(evaluation.baselines["Witten-Bell n-gram"]) == set(evaluation.scores)
    assert any("last 10% of the text" in notice for notice in rhyme.notices)


def test_scores_agree_with_one_another(rhyme):
    scores = rhyme.dev_evaluation.scores
    assert scores["bits_per_character"] == pytest.approx(scores["nats_per_character"] / math.log(2))
    characters = rhyme.dev_evaluation.count - 1  # the document's end is scored, but is no character
    nats = scores["nats_per_character"] * characters
    assert scores["perplexity"] == pytest.approx(math.exp(nats / rhyme.dev_evaluation.count))


def test_scoring_in_chunks_equals_scoring_the_whole(rhyme):
    tokens = np.concatenate([np.arange(2, 12), [0], np.arange(3, 20), [0]]) % 15
    tokens[[10, 28 - 1]] = 0
    corpus = Corpus(tokens, np.array([0, 11, 28]), end=0)
    model = rhyme.model.double()
    whole, chunks = (
        negative_log_likelihood(model, StreamLoader(corpus, 1, window, shuffle=False)) for window in (100, 3)
    )
    rhyme.model.float()
    assert chunks == pytest.approx(whole, rel=1e-12)


def test_the_score_is_the_log_probability_of_the_text(rhyme):
    text = "once I caught"
    tokens = rhyme._written.tokenizer.encode(text).astype(np.int64)
    read = torch.tensor([[0, *tokens.tolist()]])
    with torch.no_grad():
        scores, _ = rhyme.model({"tokens": read})
    targets = torch.tensor([*tokens.tolist(), 0])
    nats = -float(scores[0].log_softmax(-1)[torch.arange(len(targets)), targets].sum())
    assert rhyme.evaluate([text]).scores["nats_per_character"] == pytest.approx(nats / len(text), rel=1e-5)


def test_writing_streams_and_depends_on_the_seed_only(rhyme):
    pieces = rhyme.generate("one", length=30, seed=1)
    first = next(pieces)
    assert len(first) == 1
    assert first + "".join(pieces) == "".join(rhyme.generate("one", length=30, seed=1))
    texts = {"".join(rhyme.generate("one", length=30, temperature=3, seed=seed)) for seed in range(4)}
    assert len(texts) > 1


def test_writing_step_by_step_takes_what_reading_at_once_finds_most_probable(rhyme):
    prompt = "one two "
    written = "".join(rhyme.generate(prompt, length=20, temperature=0))
    tokens = rhyme._written.tokenizer.encode(prompt + written).tolist()
    with torch.no_grad():
        scores, _ = rhyme.model({"tokens": torch.tensor([[0, *tokens]])})
    best = scores[0, len(prompt) : -1].argmax(-1).tolist()
    assert best == tokens[len(prompt) :]


def test_a_beam_of_one_writes_what_greedy_decoding_does(rhyme):
    greedy = "".join(rhyme.generate("one", length=15, temperature=0))
    assert "".join(rhyme.generate("one", length=15, beam=1)) == greedy


def test_writing_ends_before_the_stop_and_after_the_length(rhyme):
    unstopped = "".join(rhyme.generate("one", length=30, temperature=0))
    stop = unstopped[10:14]
    stopped = "".join(rhyme.generate("one", length=30, temperature=0, stop=stop))
    assert stopped == unstopped[: unstopped.index(stop)]
    assert len("".join(rhyme.generate("one", length=7, temperature=0))) == 7


@pytest.mark.parametrize("options", [{"seed": 7}, {"seed": 7, "stop": "ee"}, {"temperature": 0}, {"beam": 3}])
def test_many_prompts_are_written_on_as_each_alone(rhyme, options):
    prompts = ["one t", "", "three four five, once I caught", "o"]
    together = rhyme.predict(prompts, length=20, **options)
    seed = options.get("seed", 0)
    alone = [
        "".join(rhyme.generate(prompt, length=20, **options | {"seed": seed + row}))
        for row, prompt in enumerate(prompts)
    ]
    assert together == alone
    assert rhyme.predict([], **options) == []


def test_the_same_prompt_twice_is_written_on_differently(rhyme):
    first, second = rhyme.predict(["o", "o"], length=30, temperature=2)
    assert first != second


def test_prompts_that_end_leave_the_others_alone(deep):
    assert deep.predict(["deep", "d", "dee", "de"], temperature=0) == ["", "eep", "p", "ep"]


def test_tunes_are_learnt_written_and_heard(tmp_path):
    tunes = [f"X:{number}\nK:C\nL:1/4\nCEGE|CEGE|\n\n" for number in range(1, 9)]
    (tmp_path / "tunes.abc").write_text("".join(tunes))
    made = Generator(**SMALL, epochs=2).fit(tmp_path / "tunes.abc")
    assert made.effective.unit == "character"
    assert made._read(tmp_path / "tunes.abc", labelled=True).sizes == [len(tunes[0]) - 1] * 8
    assert made.export(tunes[0], tmp_path / "tune.wav").read_bytes()[:4] == b"RIFF"
    assert made.export(tunes[0], tmp_path / "tune.abc").read_text() == tunes[0]
    with pytest.raises(DataError, match="found no notes"):
        made.export("X:1\nK:C\n", tmp_path / "none.wav")


def test_words_unseen_in_training_are_counted_beside_the_scores():
    generator = Generator(**SMALL, unit="word", epochs=1).fit([RHYME], dev=[RHYME])
    assert any("unknown_share" in notice for notice in generator.notices)
    assert "unknown_share" not in generator.dev_evaluation.scores
    evaluation = generator.evaluate(["one two extraordinarily three"])
    assert evaluation.count == 5  # four words and the end of the text
    for scores in (evaluation.scores, *evaluation.baselines.values()):
        assert scores["unknown_share"] == 0.2


@pytest.mark.parametrize("unit", ["character", "byte", "word", "bpe"])
@pytest.mark.parametrize("tied", [False, True])
def test_saved_and_loaded_it_is_the_same(tmp_path, unit, tied):
    made = Generator(**SMALL, unit=unit, tied=tied, epochs=1, vocabulary_size=300).fit([RHYME])
    made.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.evaluate([RHYME]).scores == made.evaluate([RHYME]).scores
    assert again.evaluate([RHYME]).baselines == made.evaluate([RHYME]).baselines
    assert again.predict(["one"], length=20) == made.predict(["one"], length=20)


def test_two_runs_are_equal_to_the_bit():
    first, second = (Generator(**SMALL, epochs=2, dropout=0.2, seed=3).fit([RHYME]).model for _ in range(2))
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_file_a_folder_and_lines_are_read(tmp_path):
    (tmp_path / "a.txt").write_text("deep\n" * 40)
    (tmp_path / "b.txt").write_text("deep\n" * 40)
    lines = Generator(**SMALL, epochs=6, learning_rate=0.03, document="line").fit(tmp_path)
    assert lines.predict(["d"], temperature=0) == ["eep"]
    whole = Generator(**SMALL, epochs=6, learning_rate=0.03).fit(tmp_path / "a.txt")
    assert whole.predict(["d"], temperature=0, length=5) == ["eep\nd"]
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("d\nde\n")
    assert lines.predict(prompts, temperature=0) == ["eep", "ep"]


def test_unknown_characters_are_read_but_never_written(rhyme):
    assert math.isfinite(rhyme.evaluate(["once \N{SNOWMAN} a fish"]).scores["nats_per_character"])
    written = "".join(rhyme.generate("\N{SNOWMAN}", length=60, temperature=5))
    assert "\N{REPLACEMENT CHARACTER}" not in written


@pytest.mark.parametrize(
    ("options", "message"),
    [({"temprature": 1}, "temperature"), ({"top_p": 2.0}, "top_p"), ({"length": 0}, "length")],
)
def test_wrong_options_of_writing_are_named(rhyme, options, message):
    with pytest.raises(ConfigError, match=message):
        rhyme.generate("one", **options)


def test_wrong_options_and_data_are_named(tmp_path):
    with pytest.raises(ConfigError, match="bidirectional"):
        Generator(bidirectional=True, **SMALL).fit([RHYME])
    with pytest.raises(ConfigError, match="window"):
        Generator(**{**SMALL, "window": None}).fit([RHYME])
    with pytest.raises(DataError, match=r"nowhere\.txt"):
        Generator().fit(tmp_path / "nowhere.txt")
    (tmp_path / "bad.txt").write_bytes(b"good line\nbad \xff line\n")
    with pytest.raises(DataError, match="row 2"):
        Generator().fit(tmp_path / "bad.txt")
