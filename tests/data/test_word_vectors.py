"""Files of word vectors, in every form that they come in."""

import gzip
import io
import struct

import numpy as np
import pytest

from unrolled.data.fasttext_model import MAGIC, hashed
from unrolled.data.word_vectors import read_word_vectors
from unrolled.errors import DataError

WORDS = ("the", "of", "Zürich", "a\u00a0b", "東京")
VALUES = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def as_text(header, separator=" "):
    rows = [
        separator.join([word, *map(repr, map(float, row))]) for word, row in zip(WORDS, VALUES, strict=True)
    ]
    return "\n".join([*(["5 4"] if header else []), *rows]).encode() + b"\n"


def as_binary(newline):
    rows = (word.encode() + b" " + row.tobytes() + newline for word, row in zip(WORDS, VALUES, strict=True))
    return b"5 4\n" + b"".join(rows)


def as_fasttext(words=WORDS, longest=0, buckets=0, rows=VALUES, quantised=False):
    """As fastText's saveModel writes it."""
    file = io.BytesIO()
    file.write(MAGIC + struct.pack("<i", 12))
    file.write(
        struct.pack("<12id", rows.shape[1], 5, 5, 1, 5, 1, 1, 2, buckets, min(3, longest), longest, 100, 1e-4)
    )
    file.write(struct.pack("<3i2q", len(words), len(words), 0, 99, -1))
    for word in words:
        file.write(word.encode() + b"\0" + struct.pack("<qb", 7, 0))
    file.write(struct.pack("<?", quantised) + struct.pack("<2q", *rows.shape) + rows.astype("<f4").tobytes())
    return file.getvalue()


FORMS = {
    "word2vec.txt": as_text(header=True),
    "glove.txt": as_text(header=False),
    "wiki.vec": as_text(header=True),
    "word2vec.bin": as_binary(b""),
    "with-newlines.bin": as_binary(b"\n"),
    "wiki.bin": as_fasttext(),
    "glove.txt.gz": gzip.compress(as_text(header=False)),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_read(tmp_path, name):
    (tmp_path / name).write_bytes(FORMS[name])
    read = read_word_vectors(tmp_path / name, most=10)
    assert read.words == WORDS
    np.testing.assert_array_equal(read.values, VALUES)


@pytest.mark.parametrize("name", FORMS)
def test_the_first_words_and_the_wanted_ones(tmp_path, name):
    (tmp_path / name).write_bytes(FORMS[name])
    read = read_word_vectors(tmp_path / name, most=1, wanted={"東京", "elsewhere"})
    assert read.words == ("the", "東京")
    np.testing.assert_array_equal(read.values, VALUES[[0, 4]])


def test_words_of_several_parts(tmp_path):
    (tmp_path / "v.txt").write_text("the 1 2\n. . . 3 4\nat name@example.com 5 6\n")
    assert read_word_vectors(tmp_path / "v.txt", 9).words == ("the", ". . .", "at name@example.com")


def test_fasttexts_words_are_the_mean_of_their_parts(tmp_path):
    """Of the word itself and of its n-grams, by buckets; the n-grams of 3 characters are written out here."""
    buckets, rows = 7, np.random.default_rng(1).normal(size=(1 + 7, 3)).astype(np.float32)
    (tmp_path / "m.bin").write_bytes(as_fasttext(("word",), 3, buckets, rows))
    places = [0, *(1 + hashed(part) % buckets for part in ("<wo", "wor", "ord", "rd>"))]
    read = read_word_vectors(tmp_path / "m.bin", 9)
    np.testing.assert_allclose(read.values[0], rows[places].mean(0), rtol=1e-6)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"the 1 2 3\nof 1 2\n", "row 2: expected a word and 3 numbers as in the first row, got 2"),
        (b"the 1 2 3\nof 1 2 3 4\n", "row 2: expected a word and 3 numbers as in the first row, got 4"),
        (b"2 3\nthe 1 2 3\nof 1 x 3\n", "row 3: expected a word and 3 numbers, got 'x' among them"),
        (b"the 1 2 3\nof 1 nan 3\n", "row 2: expected finite numbers"),
        (b"the 1 2\nlonely\n", "row 2: expected a word and its numbers, got one word"),
        (as_binary(b"")[:-5], "row 5: expected 5 words of 4 numbers, the file ends"),
        (as_fasttext()[:-5], "expected a whole fastText model, the file ends early"),
        (as_fasttext(quantised=True), "got a quantised one"),
        (b"", "found an empty file"),
        (b"0 3\n", "expected words with their vectors, found none"),
    ],
)
def test_broken_files(tmp_path, content, message):
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_word_vectors(tmp_path / "v", 9)
    with pytest.raises(DataError, match="found none"):
        read_word_vectors(tmp_path / "nowhere.txt", 9)
