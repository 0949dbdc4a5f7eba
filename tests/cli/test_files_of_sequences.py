"""Recordings, DNA and tables of numbers through the command line: train, evaluate, predict, inspect."""

import sys

import numpy as np
import pytest
import soundfile

TINY = ["--hidden-size", "4", "--epochs", "1"]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def sounds(tmp_path):
    for name in ("low", "high"):
        (tmp_path / "sounds" / name).mkdir(parents=True)
        for number in range(4):
            samples = 0.1 * np.sin(np.arange(800) * (0.1 if name == "low" else 1.0))
            soundfile.write(tmp_path / "sounds" / name / f"{number}.wav", samples, 4000)
    return tmp_path / "sounds"


def test_recordings(unrolled, sounds):
    done = unrolled("train", "classify", sounds, "-o", "model", "--mel-bands", "8", "--json", *TINY)
    assert done.code == 0, done.err
    assert done.json["baselines"].keys() == {"majority class", "segment-means logistic regression"}
    assert "sampling_rate 4000" in done.err
    one = sounds / "low" / "0.wav"
    assert unrolled("predict", "model", one).out.strip() in ("low", "high")
    assert unrolled("predict", "model", input=f"{one}\n{one}\n").out.split() in (["low"] * 2, ["high"] * 2)
    assert len(unrolled("predict", "model", sounds / "low").out.split()) == 4
    evaluated = unrolled("evaluate", "model", sounds, "--json")
    assert evaluated.json["count"] == 8
    assert ".wav" in (sounds.parent / "model" / "report-sounds.html").read_text()
    assert unrolled("inspect", "model", sounds).code == 0


def test_a_broken_recording_is_one_sentence(unrolled, sounds):
    (sounds / "low" / "broken.wav").write_bytes(b"nothing to hear")
    done = unrolled("train", "classify", sounds, *TINY)
    assert done.code == 2
    assert "broken.wav: expected a recording that can be decoded" in done.err
    assert done.err.count("Error: ") == 1


def test_a_missing_library_is_named_with_its_extra(unrolled, sounds, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    done = unrolled("train", "classify", sounds, *TINY)
    assert done.code == 2
    assert "pip install 'unrolled[audio]'" in done.err


def test_dna(unrolled, tmp_path):
    generator = np.random.default_rng(0)
    strings = ["".join(generator.choice(list("ACGT"), size=20)) for _ in range(20)]
    rows = [f"{string},{'AC' if string[10] in 'AC' else 'GT'}" for string in strings]
    (tmp_path / "dna.csv").write_text("\n".join(["sequence,label", *rows]))
    done = unrolled("train", "classify", "dna.csv", "-o", "model", *TINY)
    assert done.code == 0, done.err
    assert "unit characters, positions" in done.err
    assert unrolled("predict", "model", input=f"{strings[0]}\n").out.strip() in ("AC", "GT")
    assert unrolled("inspect", "model", "dna.csv").code == 0


def test_numbers_to_classify_and_to_tag(unrolled, tmp_path):
    walks = tmp_path / "walks"
    walks.mkdir()
    for number in range(8):
        steps = "\n".join(f"{step + number % 2},{'odd' if step % 2 else 'even'}" for step in range(5))
        (walks / f"{number}.csv").write_text(f"place,tag\n{steps}\n")
    done = unrolled("train", "tag", walks, "-o", "tagger", "--json", *TINY)
    assert done.code == 0, done.err
    assert done.json["unit"] == "steps"
    assert set(unrolled("predict", "tagger", walks / "0.csv").out.split()) <= {"odd", "even"}
    assert len(unrolled("predict", "tagger", input="[1, 2, 3]\n").out.split()) == 3
    for number in range(8):
        (walks / f"{number}.csv").write_text("place\n" + "\n".join(map(str, range(number, number + 5))))
    labels = "\n".join(f"{number},{'low' if number < 4 else 'high'}" for number in range(8))
    (walks / "labels.csv").write_text(f"walk,kind\n{labels}\n")
    assert unrolled("train", "classify", walks, "-o", "classifier", *TINY).code == 0
    assert unrolled("predict", "classifier", walks / "7.csv").out.strip() in ("low", "high")
