"""Cells that mean something else than they seem to: said, or refused by name."""

import datetime

import numpy as np
import pandas as pd
import pytest

from unrolled.data.captions import captions_of_table
from unrolled.data.dates import NoDatesError, read_dates
from unrolled.data.labelled import labelled_of_table
from unrolled.data.series import series_of_table
from unrolled.data.tables import Table, table_of_frame
from unrolled.errors import DataError


def labelled(labels, **options):
    texts = [f"film number {place}" for place in range(len(labels))]
    return labelled_of_table(table_of_frame(pd.DataFrame({"text": texts, "label": labels})), **options)


@pytest.mark.parametrize("word", ["None", "NA", "null", "nan", "n/a"])
def test_a_word_for_nothing_is_a_class_beside_words_and_said(word):
    found = labelled([word, "good", word, "bad"])
    assert [each.target for each in found] == [word, "good", word, "bad"]
    assert any(repr(word) + " (2)" in note for note in found.notes)


@pytest.mark.parametrize("word", ["None", "NA"])
def test_a_word_for_nothing_is_none_among_numbers(word):
    with pytest.raises(DataError, match=r"row 2, column 'label': .*'N.*', which stands for none; .*classes"):
        labelled(["1", word, "2"])
    with pytest.raises(DataError, match="stands for none"):
        labelled(["1.5", word, "2"], targets="number")
    assert [each.target for each in labelled(["1", word, "2"], targets="class")] == ["1", word, "2"]


@pytest.mark.parametrize("cell", ["", " ", None, float("nan")])
@pytest.mark.parametrize("targets", ["auto", "class"])
def test_an_empty_cell_is_no_class(cell, targets):
    with pytest.raises(DataError, match="row 2, column 'label': expected a label, got an empty cell"):
        labelled(["good", cell, "bad"], targets=targets)


@pytest.mark.parametrize("texts", [[1, 2, 3], [None, None, None], ["", "", ""]])
def test_a_column_called_text_without_texts_does_not_swap_with_the_labels(texts):
    frame = pd.DataFrame({"text": texts, "label": ["a", "b", "a"]})
    with pytest.raises(DataError, match=r"expected texts in column 'text', found none; .*--text-column"):
        labelled_of_table(table_of_frame(frame))


@pytest.mark.parametrize(
    "cells",
    [
        ["1000-01-01", "1001-01-01"],
        ["1.1.1500", "2.1.1500"],
        ["2300-01-01", "2301-01-01"],
        [datetime.date(1000, 1, 1), datetime.date(1001, 1, 1)],
        [np.datetime64("2500-01-01"), np.datetime64("2501-01-01")],
    ],
)
def test_dates_beyond_what_is_held_do_not_become_others(cells):
    with pytest.raises(NoDatesError, match="from 1678 to 2261"):
        read_dates(cells)


@pytest.mark.parametrize("cells", [["1678-01-01", "1679-01-01"], ["2261-12-30", "2261-12-31"]])
def test_dates_at_the_ends_are_read(cells):
    assert read_dates(cells).times.astype("datetime64[D]").astype(str).tolist() == cells


def test_numbers_too_far_apart_are_refused():
    columns = {"ds": ["2024-01-01", "2024-01-02"], "y": [1e308, -1e308]}
    with pytest.raises(DataError, match=r"whose differences are numbers, got -1e.308 and 1e.308"):
        series_of_table(Table("a.csv", columns, np.array([2, 3])))


def test_a_vector_without_numbers_is_refused():
    columns = {"vector": [[], []], "text": ["hello", "you"]}
    with pytest.raises(DataError, match=r"row 1.*without numbers"):
        captions_of_table(Table("a.jsonl", columns, np.array([1, 2])))


def test_sequences_without_a_number_in_any_are_refused():
    from unrolled.tasks.classify import Classifier

    frame = pd.DataFrame({"values": [[None, None]] * 10, "label": ["a", "b"] * 5})
    with pytest.raises(DataError, match="expected numbers in some sequence, got none in any"):
        Classifier(epochs=1).fit(frame)


def test_a_sequence_without_steps_is_refused():
    frame = pd.DataFrame({"values": [[1.0, 2.0], [], [3.0]], "label": ["a", "b", "a"]})
    with pytest.raises(DataError, match=r"row 2.*got one without steps"):
        labelled_of_table(table_of_frame(frame))
