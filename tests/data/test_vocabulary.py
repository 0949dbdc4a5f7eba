"""Vocabularies of symbols."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.example import Source
from unrolled.data.vocabulary import PADDING, UNKNOWN, Vocabulary, split_words
from unrolled.errors import DataError


@given(st.lists(st.lists(st.text(max_size=5)), min_size=1))
def test_encoding_and_decoding_known_symbols_changes_nothing(sequences):
    vocabulary = Vocabulary.build(sequences)
    again = Vocabulary.from_dict(json.loads(json.dumps(vocabulary.to_dict())))
    assert again == vocabulary
    for sequence in sequences:
        symbols = [symbol for symbol in sequence if symbol not in (PADDING, UNKNOWN)]
        assert again.decode(vocabulary.encode(symbols)) == symbols


def test_rare_symbols_are_unknown():
    vocabulary = Vocabulary.build(["aaabbc"], min_count=2)
    assert vocabulary.symbols == (PADDING, UNKNOWN, "a", "b")
    assert vocabulary.encode("cab").tolist() == [1, 2, 3]
    assert Vocabulary.build(["aaabbc"], max_size=1).symbols == (PADDING, UNKNOWN, "a")


def test_ties_are_in_alphabetical_order():
    assert Vocabulary.build(["zxy"], special=False).symbols == ("x", "y", "z")


def test_labels_are_sorted_as_numbers_first():
    assert Vocabulary.of_labels(["b", "10", "9", "nan", "b"]).symbols == ("9", "10", "b", "nan")


def test_an_unseen_label_names_file_row_and_column():
    labels = Vocabulary.of_labels(["neg", "pos"])
    with pytest.raises(DataError) as caught:
        labels.number("meh", Source("dev.tsv", 7, "label"))
    assert str(caught.value) == (
        "dev.tsv, row 7, column 'label': expected a label seen in training ('neg', 'pos'), got 'meh'; "
        "correct it, or train on data that has this label."
    )


def test_an_unseen_tag_names_the_row_of_its_step():
    tags = Vocabulary.of_labels(["NOUN", "VERB"], kind="tag")
    source = Source("dev.conllu", 3, "upos", step_rows=(3, 5, 6))
    with pytest.raises(
        DataError, match=r"dev\.conllu, row 5, column 'upos': expected a tag seen in training"
    ):
        tags.encode(["NOUN", "NUON", "VERB"], source)


def test_a_repeated_symbol_is_refused():
    with pytest.raises(ValueError, match="'a' more than once"):
        Vocabulary(["a", "b", "a"])


def test_long_words_lose_their_ends():
    characters = Vocabulary.build(["abc"])
    assert characters.encode_characters(["abcab", "b"], max_length=3).tolist() == [[2, 3, 4], [3, 0, 0]]
    assert characters.encode_characters([]).shape == (0, 0)


def test_the_smallest_type_that_fits_is_used():
    assert Vocabulary.build([map(str, range(254))]).encode(["0"]).dtype == "uint8"
    assert Vocabulary.build([map(str, range(255))]).encode(["0"]).dtype == "uint16"


def test_splitting_words_keeps_tokenised_clitics():
    assert split_words("Wo n't it 's FINE!", lower=True) == ["wo", "n't", "it", "'s", "fine", "!"]
