"""Music on the command line: in from files, out to files."""

import json

import pytest

from unrolled.data.midi import midi_of_roll
from unrolled.data.roll_files import read_rolls
from unrolled.data.rolls import notes_of_roll, roll_of_notes

TUNE = [[60], [64], [67], [72]] * 3


@pytest.fixture(scope="module")
def player(tmp_path_factory):
    from typer.testing import CliRunner

    from unrolled.cli.main import app

    folder = tmp_path_factory.mktemp("music")
    for number in range(4):
        (folder / f"{number}.mid").write_bytes(midi_of_roll(roll_of_notes(TUNE), 4, tempo=100))
    arguments = ["train", "generate", str(folder), "--hidden-size", "4", "--epochs", "1"]
    assert CliRunner().invoke(app, [*arguments, "-o", str(folder / "model")]).exit_code == 0
    return folder / "model"


def test_steps_are_printed_as_they_are_made(player, unrolled):
    done = unrolled("predict", player, "--prompt", "[[60]]", "--length", 3)
    assert done.code == 0
    assert len([json.loads(line) for line in done.out.split("\n") if line]) == 3


def test_a_piece_goes_to_midi_and_sounds(player, unrolled, tmp_path):
    command = [
        "predict",
        player,
        "--prompt",
        "[[60], [64]]",
        "--length",
        8,
        "--temperature",
        2,
        "--tempo",
        80,
    ]
    done = unrolled(*command, "-o", "made.mid", "--preview")
    assert done.code == 0
    assert (tmp_path / "made.wav").read_bytes()[:4] == b"RIFF"
    (piece,) = read_rolls(tmp_path / "made.mid").part("test")
    assert notes_of_roll(piece.inputs)
    assert unrolled(*command, "-o", "made.wav").code == 0


def test_several_pieces_are_numbered(player, unrolled, tmp_path):
    (tmp_path / "prompts.jsonl").write_text("[[60]]\n[[64]]\n")
    assert unrolled("predict", player, "prompts.jsonl", "-o", "made.wav", "--length", 4).code == 0
    assert sorted(path.name for path in tmp_path.glob("*.wav")) == ["made-1.wav", "made-2.wav"]


def test_a_tune_sounds_with_its_header(models, unrolled, tmp_path):
    header = "X:1\nL:1/4\nK:C\nCDEF|"
    done = unrolled("predict", models["generate"], "--prompt", header, "-o", "made.abc", "--preview")
    assert done.code == 0
    assert (tmp_path / "made.abc").read_text().startswith(header)
    assert (tmp_path / "made.wav").read_bytes()[:4] == b"RIFF"


def test_what_makes_no_music_is_said(player, models, files, unrolled):
    done = unrolled("predict", models["forecast"], files["forecast"], "-o", "made.mid")
    assert done.code == 2
    assert "writes no .mid files" in done.err
    done = unrolled("predict", player, "--prompt", "", "--preview")
    assert done.code == 2
    assert "--output" in done.err
