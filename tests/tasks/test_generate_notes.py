import json

import numpy as np
import pytest

from unrolled.data.midi import midi_of_roll
from unrolled.data.roll_files import read_rolls
from unrolled.data.rolls import notes_of_roll, roll_of_notes
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.baselines.notes import NoteMarkov
from unrolled.tasks.generate import Generator
from unrolled.tasks.registry import load

TUNE = [[60], [64], [60, 67], []]
SMALL = {"hidden_size": 16, "batch_size": 4, "learning_rate": 0.03}


@pytest.fixture(scope="module")
def tunes():
    return [TUNE * 4 for _ in range(12)]


@pytest.fixture(scope="module")
def player(tunes):
    return Generator(**SMALL, epochs=50, dropout=0.0).fit(tunes)


def test_a_tune_is_learnt_and_played_on(player):
    assert player.effective.unit == "notes"
    assert player.predict([TUNE + TUNE[:1]], length=5, temperature=0) == [[[64], [60, 67], [], [60], [64]]]


def test_the_network_beats_notes_that_do_not_hear_one_another(player):
    scores = player.dev_evaluation
    assert scores.scores["nats_per_frame"] < scores.baselines["per-note Markov"]["nats_per_frame"]


def test_playing_streams_steps_and_depends_on_the_seed_only(player):
    first, second = (list(player.generate([], length=8, seed=5, temperature=1.5)) for _ in range(2))
    assert first == second
    assert len(first) == 8


def test_a_file_of_tunes_and_a_saved_player(tmp_path, tunes, player):
    path = tmp_path / "tunes.jsonl"
    path.write_text("".join(json.dumps(tune) + "\n" for tune in tunes))
    assert player.evaluate(path).scores == player.evaluate(tunes).scores
    player.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.evaluate(tunes).scores == player.evaluate(tunes).scores
    assert again.evaluate(tunes).baselines == player.evaluate(tunes).baselines


def test_many_prompts_are_played_on_as_each_alone(player):
    prompts = [TUNE[:1], TUNE * 3, [], TUNE[:2]]
    together = player.predict(prompts, length=6, seed=3)
    alone = [list(player.generate(prompt, length=6, seed=3 + row)) for row, prompt in enumerate(prompts)]
    assert together == alone
    assert player.predict([]) == []


def test_a_prompt_may_be_json_or_a_file(tmp_path, player):
    (tmp_path / "start.mid").write_bytes(midi_of_roll(roll_of_notes(TUNE[:2]), 4, tempo=100))
    expected = player.predict([TUNE[:2]], length=4, temperature=0)
    for prompt in ("[[60], [64]]", tmp_path / "start.mid", str(tmp_path / "start.mid")):
        assert player.predict([prompt], length=4, temperature=0) == expected
    with pytest.raises(DataError, match="notes as JSON"):
        player.predict(["[[60"])


def test_what_is_played_is_written_to_files(tmp_path, player):
    (made,) = player.predict([TUNE], length=4, temperature=0)
    for suffix in ("mid", "json", "jsonl"):
        path = player.export(made, tmp_path / f"made.{suffix}")
        (again,) = read_rolls(path).part("test")
        assert notes_of_roll(again.inputs)[:3] == made[:3]
    assert player.export(made, tmp_path / "made.wav").read_bytes()[:4] == b"RIFF"
    with pytest.raises(ConfigError, match=r"ending in \.mid"):
        player.export(made, tmp_path / "made.txt")


def test_a_file_divided_itself_is_learnt_and_scored_by_its_parts(tmp_path, tunes):
    path = tmp_path / "tunes.json"
    path.write_text(json.dumps({"train": tunes, "valid": tunes[:2], "test": [TUNE]}))
    made = Generator(hidden_size=4, epochs=1).fit(path)
    assert any("own validation part" in notice for notice in made.notices)
    assert made.dev_evaluation.count == len(TUNE)
    assert made.dev_evaluation.data == "the data's own test part"
    assert made.evaluate(path).scores == made.dev_evaluation.scores
    # Notes have defaults of their own, where nothing else is asked for.
    assert (made.effective.dropout, made.effective.batch_size) == (0.5, 8)
    other = Generator(hidden_size=4, epochs=1, dropout=0.0).fit(path, dev=path)
    assert other.effective.dropout == 0
    assert other.dev_evaluation.count == 2 * len(tunes[0])


@pytest.mark.parametrize(
    ("parts", "chosen_by", "scored"),
    [
        (("valid", "test"), "the data's own validation part", "the data's own test part"),
        (("valid",), "the data's own validation part", "the data's own validation part"),
        (("test",), "held-out share", "the data's own test part"),
        ((), "held-out share", "held-out share"),
    ],
)
def test_a_part_is_called_what_it_is(parts, chosen_by, scored, tmp_path, tunes, monkeypatch):
    path = tmp_path / "tunes.json"
    path.write_text(json.dumps({"train": tunes, **dict.fromkeys(parts, tunes[:2])} if parts else tunes))
    names = []
    save = Generator.save
    monkeypatch.setattr(
        Generator, "save", lambda self, folder: (names.append(self.dev_evaluation.data), save(self, folder))
    )
    Generator(hidden_size=4, epochs=1).fit(path, run_folder=tmp_path / "run")
    assert names == [chosen_by, scored]


def test_midi_files_are_learnt_at_the_speed_asked_for(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.mid").write_bytes(midi_of_roll(roll_of_notes(TUNE * 2), 2, tempo=100))
    made = Generator(hidden_size=4, epochs=1, steps_per_beat=2).fit(tmp_path)
    assert made.effective.unit == "notes"
    assert made.dev_evaluation.count == len(TUNE) * 2 - 1  # the silence at the end is no note
    made.save(tmp_path / "model")
    assert load(tmp_path / "model").predict(tmp_path, length=2) == made.predict(tmp_path, length=2)


def test_options_of_text_are_refused(player):
    with pytest.raises(ConfigError, match="top_k"):
        list(player.generate([], top_k=3))


def test_a_single_tune_cannot_be_held_out():
    with pytest.raises(DataError, match="at least 2 sequences"):
        Generator(**SMALL).fit([TUNE])


def test_the_markov_chains_probabilities_sum_to_one():
    rng = np.random.default_rng(0)
    markov = NoteMarkov.fit([rng.integers(0, 2, (20, 2))])
    steps = [np.array([[1, 0], [a, b]]) for a in (0, 1) for b in (0, 1)]
    assert sum(np.exp(-markov.nats(step)[1]) for step in steps) == pytest.approx(1)


def test_the_markov_chain_counts():
    markov = NoteMarkov.fit([roll_of_notes([[60], [60], [60], []])])
    # After the note sounded, it sounded 2 times of 3; with half a time added to both, 2.5 of 4.
    note = markov.nats(roll_of_notes([[60], [60]]))[1] - markov.nats(roll_of_notes([[60], []]))[1]
    assert note == pytest.approx(np.log(1.5 / 2.5))
