import contextlib
import io
import json
import pickle
import struct
import sys
import wave

import numpy as np
import pytest
import scipy.io
import symusic

from unrolled.data.loading import load_documents
from unrolled.data.matlab import NoMatlabError, arrays_of_matlab
from unrolled.data.midi import midi_of_roll, read_midi, tones_of_abc
from unrolled.data.roll_files import are_rolls, read_rolls
from unrolled.data.rolls import notes_of_roll, roll_of_notes
from unrolled.data.tones import SAMPLING_RATE, Tone, tones_of_roll, wav_of_tones
from unrolled.errors import DataError, MissingDependencyError

TUNE = [[60], [60, 64], [], [67, 72], [67]]
REEL = "X:1\nT:Scale\nM:4/4\nL:1/4\nQ:1/4=120\nK:C\nCDEF|[CEG]4|\n"


def midi(path, notes, drums=False, tpq=480):
    score = symusic.Score(tpq)
    if notes:
        score.tracks.append(symusic.Track(name="one", is_drum=drums))
        for note in notes:
            score.tracks[0].notes.append(symusic.Note(*note, 80))
    path.write_bytes(score.dumps_midi())
    return path


def heard(content):
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, SAMPLING_RATE)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(float)


@pytest.mark.parametrize("steps", [1, 4, 12])
def test_a_roll_survives_midi(tmp_path, steps):
    path = tmp_path / "tune.mid"
    path.write_bytes(midi_of_roll(roll_of_notes(TUNE), steps, tempo=90))
    (roll,) = read_midi(path, steps)
    assert notes_of_roll(roll) == [sorted(step) for step in TUNE]
    assert symusic.Score(path).tempos[0].qpm == pytest.approx(90, abs=0.01)


def test_midi_is_read_on_the_grid_from_its_first_note(tmp_path):
    # In ticks: start, length, note. A quarter note has 480, a step of four a beat 120.
    notes = [(960, 130, 60), (1070, 125, 62), (1200, 5, 64), (1200, 120, 12), (1200, 120, 115)]
    (roll,) = read_midi(midi(tmp_path / "a.mid", notes), steps_per_beat=4)
    assert notes_of_roll(roll) == [[60], [62], [64]]


@pytest.mark.parametrize(
    ("notes", "drums", "message"),
    [([], False, "found none"), ([(0, 100, 60)], True, "found none but drums")],
)
def test_a_midi_file_without_notes_is_named(tmp_path, notes, drums, message):
    path = midi(tmp_path / "empty.mid", notes, drums)
    with pytest.raises(DataError, match=rf"empty\.mid: expected notes, {message}"):
        read_rolls(path)


@pytest.mark.parametrize("content", [b"", b"x", b"MThd\0\0\0\x06\0\x01\0\x01\x01\xe0MTrk\0\0"])
def test_a_broken_midi_file_is_named(tmp_path, content):
    midi(tmp_path / "a.mid", [(0, 480, 60)])
    (tmp_path / "broken.mid").write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.mid"):
        read_rolls(tmp_path)


def test_a_folder_of_midi_files_may_be_divided(tmp_path):
    for part, pitches in (("train", (60, 62)), ("validation", (64,)), ("test", (65,))):
        (tmp_path / part).mkdir()
        for pitch in pitches:
            midi(tmp_path / part / f"{pitch}.MID", [(0, 480, pitch)])
    assert are_rolls(tmp_path)
    rolls = read_rolls(tmp_path, steps_per_beat=1)
    assert {name: [notes_of_roll(each.inputs) for each in part] for name, part in rolls.parts.items()} == {
        "train": [[[60]], [[62]]],
        "valid": [[[64]]],
        "test": [[[65]]],
    }
    assert rolls.part("test")[0].source.path == tmp_path / "test" / "65.MID"


@pytest.mark.parametrize("compressed", [False, True])
def test_the_same_rolls_come_from_json_numpy_and_matlab(tmp_path, compressed):
    songs = {"train": [TUNE, TUNE[:2]], "valid": [TUNE[1:]], "test": [TUNE[:3]]}
    (tmp_path / "songs.json").write_text(json.dumps(songs))
    arrays = {
        f"{name}_{number}": roll_of_notes(song)
        for name, part in songs.items()
        for number, song in enumerate(part)
    }
    np.savez(tmp_path / "songs.npz", **arrays)
    cells = {}
    for name, part in songs.items():
        cells[f"{name}data"] = np.empty((1, len(part)), dtype=object)
        cells[f"{name}data"][0] = [roll_of_notes(song).astype(float) for song in part]
    scipy.io.savemat(tmp_path / "songs.mat", cells, do_compression=compressed)
    for file in ("songs.json", "songs.npz", "songs.mat"):
        rolls = read_rolls(tmp_path / file)
        for name, part in songs.items():
            assert [notes_of_roll(each.inputs) for each in rolls.part(name)] == [
                [sorted(step) for step in song] for song in part
            ]


def test_a_pickle_is_refused_by_name(tmp_path):
    for name in ("songs.pickle", "songs.pkl"):
        (tmp_path / name).write_bytes(pickle.dumps({"train": [[[60]]]}))
        with pytest.raises(DataError, match=r"which a pickle is; save the lists as JSON"):
            read_rolls(tmp_path / name)


@pytest.mark.parametrize("kind", ["u1", "i2", "f4", "f8", "i8", "bool"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_matlab_arrays_are_read_as_scipy_reads_them(kind, order):
    values = np.random.default_rng(1).integers(0, 2, (5, 3, 2)).astype(kind)
    file = io.BytesIO()
    scipy.io.savemat(file, {"a": values, "text": "no numbers", "s": {"b": 1}})
    content = file.getvalue()
    assert {name: array.tolist() for name, array in arrays_of_matlab(content).items()} == {
        "a": values.tolist()
    }
    if order == ">":
        with pytest.raises(NoMatlabError):
            arrays_of_matlab(content[:126] + b"MI" + content[128:])


def test_a_matlab_file_that_ended_the_process_is_a_sentence(tmp_path):
    file = io.BytesIO()
    cells = np.empty((1, 1), dtype=object)
    cells[0, 0] = np.eye(88)[:4]
    scipy.io.savemat(file, {"traindata": cells})
    content = file.getvalue()
    for at in range(128, 256):
        for value in (0, 1, 0x7F, 0xFF):
            (tmp_path / "a.mat").write_bytes(content[:at] + bytes([value]) + content[at + 1 :])
            with contextlib.suppress(DataError):
                read_rolls(tmp_path / "a.mat")


def test_a_matrix_of_another_form_is_named(tmp_path):
    scipy.io.savemat(tmp_path / "bad.mat", {"traindata": np.array([[np.zeros((3, 5))], [1]], dtype=object)})
    with pytest.raises(DataError, match=r"bad\.mat, row 1: expected a matrix \(time, 88\)"):
        read_rolls(tmp_path / "bad.mat")
    (tmp_path / "text.mat").write_text("no matrix at all, but long enough to be taken for one" * 9)
    with pytest.raises(DataError, match=r"text\.mat: expected a MATLAB file"):
        read_rolls(tmp_path / "text.mat")
    scipy.io.savemat(tmp_path / "other.mat", {"x": np.zeros(3)})
    with pytest.raises(DataError, match="the file has x"):
        read_rolls(tmp_path / "other.mat")


def test_tunes_in_abc_notation_are_documents(tmp_path):
    path = tmp_path / "tunes.abc"
    path.write_text(f"% a book\n\n{REEL}\n{REEL.replace('X:1', 'X:2')}")
    assert ["".join(tune) for tune in load_documents(path)] == [REEL, REEL.replace("X:1", "X:2")]
    assert len(list(load_documents(tmp_path))) == 2
    assert len(list(load_documents(path, document="file"))) == 1
    (tmp_path / "none.abc").write_text("CDEF|\n")
    with pytest.raises(DataError, match=r"none\.abc: expected tunes in ABC notation"):
        list(load_documents(tmp_path / "none.abc"))


def test_a_tune_sounds_at_its_tempo(capfd):
    tones = tones_of_abc(REEL)
    assert [tone.pitch for tone in tones] == [60, 62, 64, 65, 60, 64, 67]
    assert [tone.start for tone in tones[:5]] == pytest.approx([0, 0.5, 1, 1.5, 2], abs=0.02)
    # The program that reads the notation prints its opinion, which must not reach what the user pipes on.
    tones_of_abc("X:1\nK:C\n~~ CD zz [[ !x\n")
    assert capfd.readouterr().out == ""
    with pytest.raises(DataError, match="found no notes"):
        tones_of_abc("X:1\nK:C\n")


def test_the_sound_has_the_pitch_and_the_length_of_the_notes():
    samples = heard(wav_of_tones([Tone(0.5, 1.0, 69)]))
    assert len(samples) / SAMPLING_RATE == pytest.approx(1.58, abs=0.01)
    assert not samples[: SAMPLING_RATE // 2].any()
    middle = samples[int(0.7 * SAMPLING_RATE) : int(1.3 * SAMPLING_RATE)]
    strongest = np.abs(np.fft.rfft(middle)).argmax() / len(middle) * SAMPLING_RATE
    assert strongest == pytest.approx(440, abs=2)
    assert np.abs(samples).max() == pytest.approx(0.8 * 32767, rel=0.01)


def test_silence_can_be_heard_too():
    assert not heard(wav_of_tones(tones_of_roll(roll_of_notes([[], []]), 0.5))).any()


def test_the_missing_library_is_named_with_its_extra(tmp_path, monkeypatch):
    path = midi(tmp_path / "a.mid", [(0, 480, 60)])
    monkeypatch.setitem(sys.modules, "symusic", None)
    with pytest.raises(MissingDependencyError, match="music"):
        read_rolls(path)


def written(kind, tracks, division=480, header=b""):
    """A MIDI file by its specification: of each track the notes as (start, end, pitch) in ticks."""
    chunks = [b"MThd" + struct.pack(">IHHH", 6 + len(header), kind, len(tracks), division) + header]
    for notes in tracks:
        events = sorted([(s, 0x90, p) for s, _, p in notes] + [(e, 0x80, p) for _, e, p in notes])
        body, now = b"", 0
        for tick, status, pitch in events:
            wait, now = tick - now, tick
            body += bytes([wait >> 14 | 128, wait >> 7 & 127 | 128, wait & 127, status, pitch, 64])
        body += b"\0\xff\x2f\0"
        chunks.append(b"MTrk" + struct.pack(">I", len(body)) + body)
    return b"".join(chunks)


UPPER, LOWER = [(0, 480, 72), (480, 960, 74)], [(0, 960, 48)]
TOGETHER = [[[48, 72], [48, 74]]]


def in_riff(content):
    """As a RIFF file holds it: an even number of bytes, after another chunk."""
    inner = b"RMIDDISP" + struct.pack("<I", 3) + b"abc\0data" + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


@pytest.mark.parametrize(
    ("content", "sequences"),
    [
        (written(0, [UPPER + LOWER]), TOGETHER),
        (written(1, [UPPER, LOWER]), TOGETHER),
        (written(1, [[], UPPER, LOWER]), TOGETHER),
        (written(2, [UPPER, LOWER]), [[[72], [74]], [[48], [48]]]),
        (written(2, [UPPER, [], LOWER]), [[[72], [74]], [[48], [48]]]),
        (written(1, [UPPER, LOWER], header=b"\0\0"), TOGETHER),
        (written(1, [UPPER, LOWER]) + b"\0" * 5, TOGETHER),
        (in_riff(written(1, [UPPER, LOWER])), TOGETHER),
        # 25 frames a second of 40 ticks: half a second, a quarter note, is 500 ticks.
        (
            written(1, [[(0, 500, 72), (500, 1000, 74)], [(0, 1000, 48)]], division=(256 - 25) << 8 | 40),
            TOGETHER,
        ),
    ],
)
def test_midi_files_of_every_form_are_read(content, sequences, tmp_path):
    path = tmp_path / "a.mid"
    path.write_bytes(content)
    assert [notes_of_roll(roll) for roll in read_midi(path, 1)] == sequences
    assert len(read_rolls(path, 1).part("train")) == len(sequences)


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_a_midi_file_that_is_cut_off_is_refused(kind, tmp_path):
    path = tmp_path / "a.mid"
    path.write_bytes(written(kind, [UPPER])[:-9])
    with pytest.raises(DataError, match=r"a\.mid: expected a MIDI file"):
        read_midi(path, 1)
