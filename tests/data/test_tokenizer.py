"""Tokenizers of running text."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.tokenizer import UNITS, fit_tokenizer, tokenizer_from_dict
from unrolled.errors import ConfigError

TEXT = "The cat  sat.\n\n  It's 2 o'clock;\tétait-ce 😀 là?\r\nThe cat sat again on the mat, the cat.\n"
TOKENIZERS = {unit: fit_tokenizer([[TEXT]], unit) for unit in UNITS}
written = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def encode(tokenizer, chunks):
    return np.concatenate(list(tokenizer.encode_document(chunks))).tolist()


@pytest.mark.parametrize("unit", UNITS)
def test_decoding_gives_the_text_back(unit):
    tokenizer = TOKENIZERS[unit]
    assert tokenizer.decode(tokenizer.encode(TEXT)) == TEXT


@pytest.mark.parametrize("unit", ["byte", "bpe"])
@given(text=written)
def test_bytes_and_byte_pairs_know_every_text(unit, text):
    tokenizer = TOKENIZERS[unit]
    assert tokenizer.unknown is None
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(st.lists(written, min_size=1))
def test_characters_of_the_training_text_come_back(texts):
    tokenizer = fit_tokenizer([[text] for text in texts], "character")
    for text in texts:
        tokens = tokenizer.encode(text)
        assert tokenizer.unknown not in tokens
        assert tokenizer.decode(tokens) == text
        assert len(tokens) == len(text)


@pytest.mark.parametrize("unit", UNITS)
@given(cuts=st.lists(st.integers(0, len(TEXT)), max_size=6))
def test_chunks_do_not_change_the_tokens(unit, cuts):
    tokenizer = TOKENIZERS[unit]
    bounds = [0, *sorted(cuts), len(TEXT)]
    chunks = [TEXT[start:stop] for start, stop in pairwise(bounds)]
    assert encode(tokenizer, chunks) == [*tokenizer.encode(TEXT).tolist(), tokenizer.end]


@pytest.mark.parametrize("unit", UNITS)
def test_a_tokenizer_survives_json(unit):
    tokenizer = TOKENIZERS[unit]
    again = tokenizer_from_dict(json.loads(json.dumps(tokenizer.to_dict())))
    assert (again.unit, again.size, again.end, again.unknown) == (
        unit,
        tokenizer.size,
        tokenizer.end,
        tokenizer.unknown,
    )
    assert again.encode(TEXT).tolist() == tokenizer.encode(TEXT).tolist()
    assert [again.symbol(token) for token in range(again.size)] == [
        tokenizer.symbol(token) for token in range(again.size)
    ]


@pytest.mark.parametrize("unit", UNITS)
def test_text_that_spells_the_end_does_not_end_the_document(unit):
    tokenizer = fit_tokenizer([["a <end> b"]], unit)
    tokens = tokenizer.encode("a <end> b")
    assert tokenizer.end not in tokens
    assert tokenizer.decode([*tokens, tokenizer.end]) == "a <end> b"


def test_unseen_characters_and_words_are_unknown():
    characters = fit_tokenizer([["abc"]], "character")
    assert characters.encode("aéz😀").tolist() == [2, 1, 1, 1]
    assert characters.decode([2, 1]) == "a\N{REPLACEMENT CHARACTER}"
    words = fit_tokenizer([["one two"]], "word")
    assert words.encode("one three").tolist()[1] == words.unknown


def test_rare_characters_are_left_out():
    tokenizer = fit_tokenizer([["aabbc"]], "character", min_count=2)
    assert [tokenizer.symbol(token) for token in range(tokenizer.size)] == ["<end>", "<unk>", "a", "b"]
    assert fit_tokenizer([["aabbc"]], "character", max_size=3).size == 3


@pytest.mark.parametrize("unit", ["word", "bpe"])
def test_the_size_is_bounded(unit):
    most = {"word": 5, "bpe": 260}[unit]
    assert fit_tokenizer([[TEXT]], unit, max_size=most).size == most


def test_bytes_that_are_no_text_pass():
    tokenizer = fit_tokenizer([], "byte")
    assert tokenizer.encode(b"\xff\x00").tolist() == [256, 1]
    assert tokenizer.decode([66, 256]) == "A\N{REPLACEMENT CHARACTER}"
    assert tokenizer.symbol(256) == r"\xff"


def test_an_unknown_unit_names_the_known_ones():
    with pytest.raises(ConfigError, match="one of character, byte, word, bpe, got 'syllable'"):
        fit_tokenizer([["a"]], "syllable")
