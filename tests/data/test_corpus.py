"""Encoded corpora, and the text files they come from."""

import errno
import tempfile
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

from unrolled.data.corpus import encode_corpus
from unrolled.data.text import TextFiles, text_files
from unrolled.data.tokenizer import fit_tokenizer
from unrolled.errors import DataError, StorageError

MEGABYTE = 1 << 20


def test_a_large_text_never_enters_memory(tmp_path):
    path = tmp_path / "large.txt"
    with path.open("w", encoding="ascii") as file:
        for number in range(21):
            file.write(f"line {number:>2} of a text that goes on\n" * (MEGABYTE // 31))
    size = path.stat().st_size
    assert size > 20 * MEGABYTE
    tracemalloc.start()
    files = TextFiles([path])
    tokenizer = fit_tokenizer(files, "character")
    corpus = encode_corpus(files, tokenizer, folder=tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * MEGABYTE < size
    assert isinstance(corpus.tokens, np.memmap)
    assert len(corpus) == size + 1
    assert corpus.tokens.dtype == np.uint8
    assert tokenizer.decode(corpus.tokens[:32]) == "line  0 of a text that goes on\nl"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("unit", ["character", "byte", "word", "bpe"])
def test_the_documents_can_be_read_back(tmp_path, unit):
    texts = ["one text\n", "another, with  spaces", "été"]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.txt").write_text(text, encoding="utf-8")
    files = text_files(tmp_path, encoding=None if unit == "byte" else "utf-8")
    tokenizer = fit_tokenizer(files, unit)
    corpus = encode_corpus(files, tokenizer)
    bounds = pairwise(corpus.documents)
    assert [tokenizer.decode(corpus.tokens[start:stop]) for start, stop in bounds] == texts
    assert corpus.tokens[corpus.documents[1:] - 1].tolist() == [corpus.end] * 3


def test_no_text_is_refused():
    with pytest.raises(DataError, match="expected some text, got none"):
        encode_corpus([[""]], fit_tokenizer([], "byte"))


def test_a_full_disk_is_named(monkeypatch, tmp_path):
    class FullDisk:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda dir: FullDisk())
    with pytest.raises(StorageError, match="No space left on device"):
        encode_corpus([["text"]], fit_tokenizer([], "byte"), folder=tmp_path)


def test_a_folder_gives_its_files_in_order(tmp_path):
    for name in ("b.txt", "a.txt", "sub/c.txt", "sub/d.md", ".hidden/e.txt", "empty.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("" if name == "empty.txt" else name)
    assert [path.name for path in text_files(tmp_path).paths] == ["a.txt", "b.txt", "c.txt", "d.md"]
    assert [path.name for path in text_files(tmp_path, suffixes=[".md"]).paths] == ["d.md"]
    with pytest.raises(DataError, match=r"expected files ending in \.py in the folder, found none"):
        text_files(tmp_path, suffixes=[".py"])


def test_lines_can_be_documents(tmp_path):
    path = tmp_path / "names.txt"
    path.write_bytes("Ada\r\n\r\nÉva\n".encode())
    assert [["".join(line) for line in TextFiles([path], "line")]] == [["Ada", "Éva"]]
    assert [b"".join(line) for line in TextFiles([path], "line", encoding=None)] == [b"Ada", "Éva".encode()]


def test_a_byte_order_mark_is_no_text(tmp_path):
    path = tmp_path / "bom.txt"
    path.write_bytes(b"\xef\xbb\xbfabc")
    assert ["".join(document) for document in TextFiles([path])] == ["abc"]


def test_bad_encoding_names_the_line(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"fine\nalso fine\ncaf\xe9\n")
    with pytest.raises(DataError) as caught:
        encode_corpus(TextFiles([path]), fit_tokenizer([], "byte"))
    assert str(caught.value) == (
        f"{path}, row 3: expected text in utf-8, got the byte 0xe9; save the file as UTF-8."
    )


def test_missing_and_empty_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.txt: expected a file, found none"):
        text_files(tmp_path / "gone.txt")
    (tmp_path / "empty.txt").touch()
    with pytest.raises(DataError, match=r"empty\.txt: expected data, found an empty file"):
        text_files(tmp_path / "empty.txt")
    with pytest.raises(DataError, match="expected a file, found a folder"):
        TextFiles([tmp_path])
