"""Recordings in, labels out: the whole way on sounds made here."""

import logging
import shutil

import numpy as np
import pytest
import soundfile

from unrolled.data.example import Source
from unrolled.data.sound import LogMel, Recording
from unrolled.errors import DataError
from unrolled.export import onnx
from unrolled.export import run as exported
from unrolled.models.band_convolution import BandConvolutionInput
from unrolled.models.spectrogram import SpectrogramInput
from unrolled.tasks.classify import Classifier
from unrolled.tasks.inputs.sound import levelled
from unrolled.tasks.registry import load

RATE = 4000
TINY = {"hidden_size": 8, "mel_bands": 8, "learning_rate": 0.02, "patience": None}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path_factory.mktemp("cache")))


def sweep(path, rising, rate=RATE, seed=0, seconds=0.2):
    """A tone that rises or falls: at any one moment either sounds the same."""
    generator = np.random.default_rng(seed)
    pitch = np.linspace(300, 1500, int(seconds * rate)) * generator.uniform(0.9, 1.1)
    phase = np.cumsum(pitch if rising else pitch[::-1]) * 2 * np.pi / rate
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.3 * np.sin(phase) + generator.normal(0, 0.01, len(phase)), rate)


def sweeps(folder, count, seed=0):
    for number in range(count):
        sweep(folder / ("up", "down")[number % 2] / f"{number}.wav", number % 2 == 0, seed=seed + number)
    return folder


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """A classifier of rising and falling tones, and the folder it learned from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNROLLED_CACHE", str(tmp_path_factory.mktemp("cache")))
        folder = sweeps(tmp_path_factory.mktemp("sounds"), 60)
        return Classifier(**TINY, epochs=12).fit(folder), folder


def test_learns_which_way_a_tone_goes(heard, tmp_path):
    classifier, _ = heard
    evaluation = classifier.evaluate(sweeps(tmp_path / "test", 20, seed=1000))
    assert evaluation.scores["accuracy"] > 0.9
    assert evaluation.baselines.keys() == {"majority class", "segment-means logistic regression"}
    assert evaluation.examples[0]["input"].endswith(".wav")
    assert any("sampling_rate 4000" in notice for notice in classifier.notices)


def test_saved_and_loaded_predicts_the_same(heard, tmp_path):
    classifier, folder = heard
    classifier.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert np.array_equal(loaded.predict_proba(folder), classifier.predict_proba(folder))
    assert loaded.evaluate(folder).baselines == classifier.evaluate(folder).baselines


def test_one_file_a_folder_of_files_and_a_list_of_paths(heard):
    classifier, folder = heard
    files = sorted((folder / "up").glob("*.wav"))
    expected = classifier.predict(folder / "up")
    assert [classifier.predict(file)[0] for file in files] == expected
    assert classifier.predict(files) == classifier.predict(list(map(str, files))) == expected


def test_other_sampling_rates_and_channels_are_brought_to_one(heard, tmp_path, caplog):
    classifier, _ = heard
    for number in range(4):
        sweep(tmp_path / "test" / f"{number}.wav", True, rate=11025, seed=number)
    stereo = np.stack([np.zeros(RATE), np.sin(np.arange(RATE))], axis=1)
    soundfile.write(tmp_path / "test" / "stereo.wav", stereo, RATE)
    with caplog.at_level(logging.INFO, "unrolled"):
        assert classifier.predict(tmp_path / "test")[:4] == ["up"] * 4
        classifier.predict(tmp_path / "test")
    said = [record.message for record in caplog.records if "Sampling rates differ" in record.message]
    assert said == ["Sampling rates differ: 4 of 5 recordings are resampled to 4,000 Hz (11,025 Hz: 4)."]


def test_rates_that_differ_in_training_are_said_on_the_card(tmp_path):
    sweeps(tmp_path, 8)
    sweep(tmp_path / "up" / "odd.wav", True, rate=8000)
    classifier = Classifier(**TINY, epochs=1).fit(tmp_path)
    assert "Sampling rates differ: 1 of" in "\n".join(classifier.notices)
    assert classifier.effective.sampling_rate == RATE
    assert Classifier(**TINY, epochs=1, sampling_rate=8000).fit(tmp_path).effective.sampling_rate == 8000


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"not sound at all", "can be decoded"), (b"", "can be decoded"), (None, "found no samples")],
)
def test_a_broken_file_is_named(tmp_path, content, message):
    sweeps(tmp_path, 6)
    broken = tmp_path / "up" / "broken.wav"
    if content is None:
        soundfile.write(broken, np.zeros(0), RATE)
    else:
        broken.write_bytes(content)
    with pytest.raises(DataError, match=rf"broken\.wav: expected .*{message}"):
        Classifier(**TINY, epochs=1).fit(tmp_path)


def test_what_is_no_recording_is_refused(heard):
    classifier, _ = heard
    with pytest.raises(DataError, match="row 1: expected a recording as in training, got numbers"):
        classifier.predict([np.zeros(100)])
    with pytest.raises(DataError, match=r"row 1: expected the path of a recording.*no\.wav"):
        classifier.predict(["no.wav"])


def test_a_recording_shorter_than_a_window_has_a_step(tmp_path):
    soundfile.write(tmp_path / "click.wav", np.ones(3), RATE)
    path = tmp_path / "click.wav"
    (features,) = LogMel(RATE, 8).of([Recording(path, Source(path))])
    assert features.shape == (1, 8)
    assert np.isfinite(features).all()


def test_recordings_are_read_through_convolutions_where_both_directions_are(heard):
    classifier, folder = heard
    assert classifier.effective.filters == 8
    assert isinstance(classifier.model.inputs, BandConvolutionInput)
    for options in ({"filters": 0}, {"bidirectional": False}):
        plain = Classifier(**TINY, epochs=1, **options).fit(folder)
        assert isinstance(plain.model.inputs, SpectrogramInput)


def test_recordings_of_groups_are_heard_without_their_level(heard, tmp_path):
    classifier, folder = heard
    assert classifier.effective.own_level is False
    shutil.copytree(folder, tmp_path / "sounds")
    files = sorted((tmp_path / "sounds").rglob("*.wav"))
    rows = [f"{file},{file.parent.name},speaker {number % 5}" for number, file in enumerate(files)]
    (tmp_path / "metadata.csv").write_text("\n".join(["file_name,label,speaker", *rows]))
    grouped = Classifier(**TINY, epochs=1, group_column="speaker").fit(tmp_path / "metadata.csv")
    assert grouped.effective.own_level is True
    for item in grouped.encode(files[:3]):
        bands = item["values"] * grouped._inputs.scaling.scale + grouped._inputs.scaling.center
        loud = bands.mean(axis=1) >= np.median(bands.mean(axis=1))
        np.testing.assert_allclose(bands[loud].mean(axis=0), 0, atol=1e-3)
    grouped.save(tmp_path / "model")
    assert np.array_equal(load(tmp_path / "model").predict_proba(files), grouped.predict_proba(files))
    asked = Classifier(**TINY, epochs=1, group_column="speaker", own_level=False)
    assert asked.fit(tmp_path / "metadata.csv").effective.own_level is False


def test_what_hears_becomes_onnx(heard, tmp_path):
    classifier, folder = heard
    onnx(classifier, tmp_path / "onnx", data=folder)
    files = sorted(folder.rglob("*.wav"))[25:35]
    bands = classifier._inputs.features.of([Recording(file, Source(file)) for file in files])
    assert exported.Model(tmp_path / "onnx").predict(bands) == classifier.predict(files)


@pytest.mark.parametrize("steps", [1, 2, 7, 50])
def test_the_level_of_a_recording_is_that_of_its_louder_half(steps):
    random = np.random.default_rng(steps)
    features = random.normal(-6, 4, (steps, 12)).astype(np.float32)
    found = levelled(features)
    # Written out, band by band.
    lowest = np.percentile(features, 99) - 8
    raised = [[max(number, lowest) for number in step] for step in features]
    middle = np.median([np.mean(step) for step in raised])
    louder = [step for step in raised if np.mean(step) >= middle]
    for band in range(12):
        mean = np.mean([step[band] for step in louder])
        np.testing.assert_allclose(found[:, band], [step[band] - mean for step in raised], atol=1e-4)
    # The same recording at another gain is heard alike, and an exported model's program hears the same.
    np.testing.assert_allclose(levelled(features + 3), found, atol=1e-4)
    np.testing.assert_allclose(exported.levelled(features), found)
    silent = levelled(np.full((5, 12), -15.9, dtype=np.float32))
    assert not silent.any()


@pytest.mark.parametrize("gain", [0, 5])
def test_silence_at_either_end_of_a_recording_is_not_heard(gain):
    random = np.random.default_rng(0)
    spoken = random.normal(0, 1, (20, 12)).astype(np.float32) + gain
    spoken[10:13] -= 9  # silence within it is a part of it
    silence = random.normal(-9, 0.5, (15, 12)).astype(np.float32) + gain
    around = np.concatenate([silence, spoken, silence[:8]])
    assert len(levelled(around)) == 3 + 20 + 3
    np.testing.assert_allclose(levelled(around), levelled(around[12:38]), atol=1e-5)
    np.testing.assert_allclose(exported.levelled(around), levelled(around))
    assert len(levelled(spoken)) == 20


def test_speakers_who_were_held_out_are_learned_from_after_the_scores(tmp_path):
    files = sorted(sweeps(tmp_path / "sounds", 20).rglob("*.wav"))
    rows = [f"{file},{file.parent.name},speaker {number % 5}" for number, file in enumerate(files)]
    table = tmp_path / "sounds" / "metadata.csv"
    table.write_text("\n".join(["file_name,label,speaker", *rows]))
    asked = {**TINY, "epochs": 2, "group_column": "speaker"}
    again = Classifier(**asked).fit(table)
    assert again.effective.refit is True
    assert any("trained again on all 20 examples" in notice for notice in again.notices)
    assert not Classifier(**asked, refit=False).fit(table).effective.refit
    assert not Classifier(**asked, ensemble=2).fit(table).effective.refit
