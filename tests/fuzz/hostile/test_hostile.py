"""Mutations of every reader's files and of every file of a model folder, a few of them again and again."""

import bz2
import gzip
import io
import lzma
import struct
import time
import zipfile
import zlib
from random import Random

import numpy as np
import pyarrow as pa
import pytest

from tests.fuzz.hostile import confined, files, models
from tests.fuzz.hostile.batch import Batch
from tests.fuzz.hostile.confined import faults_of
from tests.fuzz.hostile.files import FileCase
from tests.fuzz.hostile.samples import READERS
from unrolled.data import compressed
from unrolled.errors import DataError


@pytest.mark.parametrize("seed", range(3))
def test_files_made_wrong_are_read_or_refused(seed):
    assert files.draw(Random(f"kept {seed}")).faults() == []


@pytest.mark.parametrize("seed", range(3))
def test_model_folders_made_wrong_work_or_are_refused(seed):
    assert models.draw(Random(f"kept {seed}")).faults() == []


def test_what_goes_wrong_is_noticed():
    def refuse():
        raise DataError("expected a file, got\ta column")

    def say_too_much():
        raise ValueError("raw")

    def die():
        import ctypes

        ctypes.string_at(0)

    def take_memory():
        np.ones(2**40)

    fine, refused, raw, died, greedy, after = faults_of([int, refuse, say_too_much, die, take_memory, int])
    assert fine is refused is after is None
    assert "ValueError: raw" in raw
    assert died == "the process died of SIGSEGV"
    assert "MemoryError" in greedy


def test_time_is_what_a_processor_gives(monkeypatch):
    def work_for_ever():
        while True:
            pass

    monkeypatch.setattr(confined, "SECONDS", 0.5)
    waiting, working, after = faults_of([lambda: time.sleep(1.5), work_for_ever, int])
    assert waiting is after is None
    assert working == "it took more than 0.5 seconds"


def _zip(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return buffer.getvalue()


def _npy(shape):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(80)


def _png(width, height):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def _wav(claimed):
    header = struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    sizes = struct.pack("<I", claimed + 36), struct.pack("<I", claimed)
    return b"RIFF" + sizes[0] + b"WAVEfmt " + header + b"data" + sizes[1] + bytes(800)


def _arrow_with_an_offset_beyond_its_end():
    table = pa.table({"text": ["a fine film", "so dull", "no"], "label": ["a", "b", "a"]})
    buffer = io.BytesIO()
    with pa.ipc.new_file(buffer, table.schema) as writer:
        writer.write_table(table)
    offsets = struct.pack("<4i", 0, 11, 18, 20)
    assert buffer.getvalue().count(offsets) == 1
    return buffer.getvalue().replace(offsets, struct.pack("<4i", 0, 11, 18, 2**31 - 1))


_LARGE = bytes(400_000_000)
BOMBS = [
    ("a.csv.gz", lambda: gzip.compress(_LARGE, 1), "series"),
    ("a.zip", lambda: _zip(a_csv=_LARGE), "labelled"),
    ("a.npz", lambda: _zip(x_npy=_npy((10, 10**9))), "labelled"),
    ("a.npy", lambda: _npy((10**12,)), "series"),
    ("a.png", lambda: _png(60_000, 60_000), "unlabelled"),
    ("a.wav", lambda: _wav(2**32 - 40), "unlabelled"),
    (
        "a.wav",
        lambda: _wav(800).replace(struct.pack("<II", 8000, 16000), b"\x40\x1f\xff\x7f" * 2),
        "unlabelled",
    ),
    ("a.json", lambda: b"[" * 200_000, "series"),
    ("a.json", lambda: b"[" * 200_000, "rolls"),
    ("a.jsonl", lambda: b'{"text": ' + b"9" * 5_000 + b"}\n", "labelled"),
    ("a.csv", lambda: b'text,label\n"' + b"[" * 200_000 + b'",a\n', "labelled"),
]


@pytest.mark.parametrize(("name", "made", "reader"), BOMBS, ids=[f"{each[0]} {each[2]}" for each in BOMBS])
def test_bombs_are_refused_within_a_bound_of_memory(name, made, reader):
    assert Batch([FileCase(name, made(), reader)]).faults() == []


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("a.csv.gz", lambda: gzip.compress(bytes(2**20))),
        ("a.csv.bz2", lambda: bz2.compress(bytes(2**20))),
        ("a.csv.xz", lambda: lzma.compress(bytes(2**20))),
        ("a.zip", lambda: _zip(a_csv=bytes(2**20))),
        ("a.npz", lambda: _zip(x_npy=_npy((2**17,)) + bytes(2**20))),
        ("a.xlsx", lambda: _zip(x_xml=bytes(2**20))),
    ],
)
def test_what_unpacks_to_very_many_times_its_size_is_refused(name, made, tmp_path, monkeypatch):
    monkeypatch.setattr(compressed, "_LARGEST", 2**19)
    (tmp_path / name).write_bytes(made())
    with pytest.raises(DataError, match=r"bytes unpack to more than 524,288; if that is meant, unpack it"):
        READERS["labelled"](tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b"[" * 200_000),
        ("a.jsonl", b'{"text": "a"}\n' + b"[" * 200_000),
        ("a.jsonl", b'{"text": "a"}\n{"text": ' + b"9" * 5_000 + b"}\n"),
    ],
)
def test_json_that_no_parser_takes_is_a_sentence_with_its_row(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"{name}, row {1 + content.count(b'a')}: expected JSON"):
        READERS["unlabelled"](tmp_path / name)


def test_offsets_of_an_arrow_file_are_checked_before_they_are_followed(tmp_path):
    (tmp_path / "a.arrow").write_bytes(_arrow_with_an_offset_beyond_its_end())
    with pytest.raises(DataError, match=r"expected an Arrow file, but Column 0: In chunk 0: Invalid"):
        READERS["labelled"](tmp_path / "a.arrow")


FOUND = [
    FileCase("a.toml", b"a." * 100_000 + b"b = 1", "settings"),
    FileCase("a.arrow", b"ARROW1\x00\x00\xff\xff\xff\xff\xb8\x04\x00\x00" + bytes(64), "pairs"),
    FileCase("a.csv.bz2", b"BZh91AY&SY\x9e\xe7\x1aG\x00\x00\x90\xd9\x8c\x00", "series"),
    FileCase("a.txt", b"__label__good a fine f\x15m\n__lab dull\n", "labelled"),
    FileCase("a.csv", b"shop,2001,2002," + b"[" * 5_000 + b"\nwest,1,2,3\n", "series"),
]
"""What the harness once found."""


@pytest.mark.parametrize("case", FOUND, ids=[case.name for case in FOUND])
def test_what_was_found_is_mended(case):
    assert Batch([case]).faults() == []
