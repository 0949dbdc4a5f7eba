"""A small valid file of every kind that is read, and what reads it."""

import bz2
import functools
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.io
from PIL import Image

from unrolled.cli.settings import read_settings
from unrolled.data.loading import (
    load_captions,
    load_documents,
    load_labelled,
    load_pairs,
    load_series,
    load_tagged,
)
from unrolled.data.parts import parts_of
from unrolled.data.roll_files import read_rolls
from unrolled.data.sound import LogMel, Recording, sampling_rates


@dataclass(frozen=True)
class Sample:
    """A file's name and content, and the names of its readers."""

    name: str
    content: bytes
    readers: tuple[str, ...]


def _labelled(path: Path) -> None:
    examples = load_labelled(path)
    recordings = [each.inputs for each in examples if isinstance(each.inputs, Recording)]
    if recordings:
        _hear(recordings)


def _unlabelled(path: Path) -> None:
    examples = load_labelled(path, labelled=False)
    recordings = [each.inputs for each in examples if isinstance(each.inputs, Recording)]
    if recordings:
        _hear(recordings)


def _hear(recordings: list[Recording]) -> None:
    (rate, _), *_ = sampling_rates(recordings).most_common(1)
    LogMel(rate, 8).fitting().of(recordings)


def _documents(path: Path) -> None:
    for document in load_documents(path):
        for chunk in document:
            len(chunk)


def _bytes(path: Path) -> None:
    for document in load_documents(path, unit="byte"):
        for chunk in document:
            len(chunk)


READERS: Mapping[str, Callable[[Path], Any]] = {
    "labelled": _labelled,
    "unlabelled": _unlabelled,
    "tagged": load_tagged,
    "untagged": lambda path: load_tagged(path, tagged=False),
    "pairs": load_pairs,
    "sources": lambda path: load_pairs(path, paired=False),
    "captions": load_captions,
    "subjects": lambda path: load_captions(path, captioned=False),
    "documents": _documents,
    "bytes": _bytes,
    "series": load_series,
    "rolls": read_rolls,
    "parts": parts_of,
    "settings": lambda path: read_settings(path, "classify"),
}
_TABLE = (
    "labelled",
    "unlabelled",
    "pairs",
    "sources",
    "captions",
    "subjects",
    "documents",
    "series",
    "tagged",
)


@functools.cache
def samples() -> tuple[Sample, ...]:
    """All of them."""
    frame = pd.DataFrame(
        {
            "text": ["a fine film", "so dull", "fine, and fun", "no"] * 2,
            "label": ["good", "bad", "good", "bad"] * 2,
            "target": ["schön", "fade", "gut", "nein"] * 2,
            "date": [f"2024-01-{day:02}" for day in range(1, 9)],
            "y": [1.5, 2, 3, 4.25, 5, 6, 7, 8],
        }
    )
    tokens = "the\tD\ncat\tN\n\na\tD\ndog\tN\n"
    lists = pd.DataFrame({"tokens": [["a", "b"], ["c"]], "tags": [["X", "Y"], ["X"]]})
    numbers = pd.DataFrame({"values": [[1.0, 2.0], [3.0, 4.0]] * 2, "label": ["a", "b"] * 2})
    csv = frame.to_csv(index=False).encode()
    found = [
        Sample("a.csv", csv, _TABLE),
        Sample("a.tsv", frame.to_csv(index=False, sep="\t").encode(), _TABLE),
        Sample("a.csv", frame.to_csv(index=False, sep=";", decimal=",").encode("utf-16"), _TABLE),
        Sample("a.csv", b'ds,y\n"2024-03-30T00:00+01:00",1\n"2024-03-31T00:00+01:00",2\n', ("series",)),
        Sample("a.csv", b"shop,2001,2002,2003,2004\nwest,1,2,3,4\neast,5,6,,8\n", ("series",)),
        Sample("a.jsonl", frame.to_json(orient="records", lines=True).encode(), _TABLE),
        Sample("a.json", frame.to_json(orient="records").encode(), _TABLE),
        Sample("b.jsonl", lists.to_json(orient="records", lines=True).encode(), ("tagged", "untagged")),
        Sample("c.jsonl", numbers.to_json(orient="records", lines=True).encode(), ("labelled", "unlabelled")),
        Sample("a.parquet", _written(frame.to_parquet), _TABLE),
        Sample("b.parquet", _written(lists.to_parquet), ("tagged", "untagged")),
        Sample("a.arrow", _written(frame.to_feather, compression="uncompressed"), _TABLE),
        Sample("a.xlsx", _written(frame.to_excel, index=False), _TABLE),
        Sample("a.npz", _written(np.savez, x=np.ones((4, 5, 2)), y=np.arange(4) % 2), ("labelled", "parts")),
        Sample("a.npz", _written(np.savez, y=np.arange(9.0)), ("series", "parts")),
        Sample("a.npy", _written(np.save, np.ones((6, 2))), ("labelled", "unlabelled", "series")),
        Sample("a.csv.gz", gzip.compress(csv), ("labelled", "series")),
        Sample("a.csv.bz2", bz2.compress(csv), ("labelled", "series")),
        Sample("a.csv.xz", lzma.compress(csv), ("labelled", "series")),
        Sample("a.zip", _zipped({"a.csv": csv}), ("labelled", "series")),
        Sample("a.conllu", _CONLLU, ("tagged", "untagged")),
        Sample("a.conll", tokens.encode(), ("tagged", "untagged")),
        Sample("a.txt", b"the/D cat/N\na/D dog/N\n", ("tagged", "untagged")),
        Sample(
            "a.txt", b"a fine film\nso dull\n", ("documents", "bytes", "unlabelled", "subjects", "sources")
        ),
        Sample("a.txt", b"__label__good a fine film\n__label__bad so dull\n", ("labelled",)),
        Sample("a.txt", b"IN: jump twice OUT: JUMP JUMP\nIN: run OUT: RUN\n", ("pairs", "sources")),
        Sample(
            "a.ts", b"@classLabel true a b\n@data\n1,2,3:4,5,6:a\n7,8:9,0:b\n", ("labelled", "unlabelled")
        ),
        Sample("a.abc", _TUNES, ("documents",)),
        Sample("a.json", json.dumps([[[60, 64], [-1], [67]], [[60]]]).encode(), ("rolls",)),
        Sample("a.jsonl", b"[[60, 64], [67]]\n[[60]]\n", ("rolls",)),
        Sample("a.mat", _matlab(), ("rolls",)),
        Sample("a.mat", _matlab(compressed=True), ("rolls",)),
        Sample("a.npz", _written(np.savez, train=np.eye(88)[:5], test=np.eye(88)[:3]), ("rolls",)),
        Sample("a.mid", _MIDI, ("rolls",)),
        Sample("a.wav", _sound("WAV"), ("unlabelled",)),
        Sample("a.flac", _sound("FLAC"), ("unlabelled",)),
        Sample("a.ogg", _sound("OGG"), ("unlabelled",)),
        *(
            Sample(f"a.{kind}", _picture(kind), ("unlabelled", "subjects"))
            for kind in ("png", "jpg", "gif", "bmp", "tiff", "webp")
        ),
        Sample("a.mp4", _video(), ("unlabelled",)),
        Sample("a.json", b'{"hidden_size": 8, "epochs": 2}', ("settings",)),
        Sample("a.toml", b'hidden_size = 8\ncell = "gru"\n', ("settings",)),
    ]
    return tuple(found)


_CONLLU = (
    b"# sent_id = 1\n1\tthe\tthe\tDET\t_\t_\t2\tdet\t_\t_\n2\tcat\tcat\tNOUN\t_\t_\t0\troot\t_\t_\n\n"
    b"1-2\tdel\t_\t_\t_\t_\t_\t_\t_\t_\n1\tde\tde\tADP\t_\t_\t2\tcase\t_\t_\n2\tel\tel\tDET\t_\t_\t0\troot\t_\t_\n"
)
_TUNES = b"X:1\nT:One\nM:4/4\nL:1/8\nK:C\nCDEF GABc|\n\nX:2\nT:Two\nM:3/4\nL:1/8\nK:G\nGAB cde|\n"
_EVENTS = b"\x00\x90\x3c\x40\x60\x80\x3c\x40\x00\x90\x40\x40\x60\x80\x40\x40\x00\xff\x2f\x00"
_MIDI = b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x00\x60MTrk" + len(_EVENTS).to_bytes(4, "big") + _EVENTS


def _written(write: Callable[..., Any], *args: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    write(buffer, *args, **options)
    return buffer.getvalue()


def _zipped(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _matlab(compressed: bool = False) -> bytes:
    cells = np.empty((1, 2), dtype=object)
    cells[0, 0], cells[0, 1] = np.eye(88)[:6], np.eye(88)[:4].astype(np.uint8)
    content = {"traindata": cells, "validdata": cells, "testdata": cells}
    return _written(lambda buffer: scipy.io.savemat(buffer, content, do_compression=compressed))


def _sound(kind: str) -> bytes:
    import soundfile

    samples = np.sin(np.arange(800) / 5).astype(np.float32)
    return _written(lambda buffer: soundfile.write(buffer, samples, 8000, format=kind))


def _picture(kind: str) -> bytes:
    pixels = (np.arange(9 * 7 * 3) % 251).astype(np.uint8).reshape(9, 7, 3)
    image = Image.fromarray(pixels)
    return _written(lambda buffer: image.save(buffer, format={"jpg": "jpeg"}.get(kind, kind)))


def _video() -> bytes:
    import av

    buffer = io.BytesIO()
    with av.open(buffer, mode="w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        for shade in (0, 90, 200):
            frame = av.VideoFrame.from_ndarray(np.full((16, 16, 3), shade, dtype=np.uint8))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()
