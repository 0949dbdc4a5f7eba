"""Recordings of every depth, as the specification of WAV writes them, against the samples they hold."""

import struct

import numpy as np
import pytest
import soundfile

from unrolled.data.example import Source
from unrolled.data.labelled import read_labelled
from unrolled.data.sound import LogMel, Recording, read_sound, sampling_rates
from unrolled.errors import DataError

RATE = 8000
SAMPLES = np.random.default_rng(0).uniform(-0.9, 0.9, 400)


def wav(body, bits, rate=RATE, channels=1, code=1, extensible=False):
    """A WAV file by its specification."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", 0xFFFE if extensible else code, channels, rate, rate * block, block, bits)
    if extensible:
        mask = (1 << channels) - 1
        form += struct.pack("<HHIH", 22, bits, mask, code) + bytes.fromhex("000000001000800000aa00389b71")
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"LIST" + struct.pack("<I", 4) + b"abcd"
    chunks += b"data" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def whole(samples, bits):
    """Samples as whole numbers of so many bits, little-endian."""
    numbers = np.round(samples * (2 ** (bits - 1) - 1)).astype(np.int64)
    if bits == 8:
        return (numbers + 128).astype(np.uint8).tobytes()  # of eight bits alone there is no sign
    return b"".join(int(number).to_bytes(bits // 8, "little", signed=True) for number in numbers)


def heard(content):
    return read_sound(Recording(content, Source("a", 1)))


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_whole_numbers_of_every_depth(bits, extensible):
    read, rate = heard(wav(whole(SAMPLES, bits), bits, extensible=extensible))
    assert rate == RATE
    np.testing.assert_allclose(read, SAMPLES, atol=2.0 ** (2 - bits) + 1e-6)


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("kind", ["<f4", "<f8"])
def test_fractions(kind, extensible):
    body = SAMPLES.astype(kind).tobytes()
    read, _ = heard(wav(body, int(kind[-1]) * 8, code=3, extensible=extensible))
    np.testing.assert_allclose(read, SAMPLES, atol=1e-6)


@pytest.mark.parametrize("channels", [2, 3, 6])
def test_channels_are_averaged(channels):
    drawn = np.random.default_rng(channels).uniform(-0.9, 0.9, (100, channels))
    read, _ = heard(wav(whole(drawn.ravel(), 16), 16, channels=channels, extensible=channels > 2))
    np.testing.assert_allclose(read, drawn.mean(axis=1), atol=1e-4)


def test_loud_fractions_are_not_cut():
    read, _ = heard(wav((SAMPLES * 3).astype("<f4").tobytes(), 32, code=3))
    np.testing.assert_allclose(read, SAMPLES * 3, atol=1e-6)


@pytest.mark.parametrize("rate", [200, 250, 300, 500, 1000, 2000, 4000])
def test_low_sampling_rates_give_fewer_bands(rate):
    recording = Recording(wav(whole(SAMPLES, 16), 16, rate=rate), Source("a", 1))
    assert sampling_rates([recording]) == {rate: 1}
    features = LogMel(rate, 40).fitting()
    assert 4 <= features.bands <= 40
    (steps,) = features.of([recording])
    assert steps.shape[1] == features.bands
    assert np.isfinite(steps).all()
    if features.bands < 40:  # one more would be empty
        with pytest.raises(ValueError, match=r"\S"):
            LogMel(rate, features.bands + 1)._bank()


@pytest.mark.parametrize("rate", [1, 20, 50, 100, 150])
def test_too_low_a_sampling_rate_names_the_flag(rate, capfd):
    with pytest.raises(DataError, match=r"--sampling-rate higher"):
        LogMel(rate, 40).fitting()
    assert "RfftImpl" not in capfd.readouterr().err


def test_folders_in_those_of_the_classes(tmp_path):
    for place in ("yes/ada/1.wav", "yes/bob/1.wav", "no/ada/1.wav", "no/2.wav"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / place, SAMPLES, RATE)
    read = read_labelled(tmp_path)
    assert [each.target for each in read] == ["no", "no", "yes", "yes"]
    assert any("class is the first folder's name, also of the 3 files" in note for note in read.notes)


@pytest.mark.parametrize("hertz", [150, 500, 1234, 3000])
def test_a_tone_is_loudest_in_the_band_around_it(hertz):
    bands = LogMel(RATE, 40)
    tone = np.sin(2 * np.pi * hertz / RATE * np.arange(RATE)).astype(np.float32)
    loudest = int(bands.bands_of(tone).mean(axis=0).argmax())
    nearest = np.abs(np.log(np.array(bands.centres()) / hertz)).argmin()
    assert abs(loudest - int(nearest)) <= 1
    assert bands.centres() == sorted(bands.centres())
