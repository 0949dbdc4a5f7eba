"""Files of tokens: comments, counters, tags before words, whatever the file is called."""

import pytest

from unrolled.data.conll import read_tagged, read_with_layout
from unrolled.errors import ConfigError, DataError


@pytest.fixture
def read(tmp_path):
    def read_text(text, name="t.conll", **options):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return [(each.inputs, each.target) for each in read_tagged(path, **options)]

    return read_text


EXPECTED = [(("Mira", "sings"), ("B-PER", "O")), (("Oslo",), ("B-LOC",))]


@pytest.mark.parametrize(
    "text",
    [
        "# id 7 lang=en\nMira _ _ B-PER\nsings _ _ O\n\n# id 8 lang=en\nOslo _ _ B-LOC\n",
        "# sent_id = 1\n# text = Mira sings\nMira\tB-PER\nsings\tO\n\nOslo\tB-LOC\n",
        "#begin document (a); part 000\nMira B-PER\nsings O\n\nOslo B-LOC\n#end document\n",
        "1\tMira\tB-PER\n2\tsings\tO\n\n1\tOslo\tB-LOC\n",
        "0 Mira _ B-PER\n1 sings _ O\n\n0 Oslo _ B-LOC\n",
        "B-PER\tMira\nO\tsings\n\nB-LOC\tOslo\n",
        "Mira/B-PER sings/O\nOslo/B-LOC\n",
        "-DOCSTART- O\nMira B-PER\nsings O\n-DOCSTART- O\nOslo B-LOC\n",
        "Mira\tB-PER\t\nsings\tO\t\n\nOslo\tB-LOC\t\n",
    ],
)
def test_what_surrounds_tokens_is_no_token(read, text):
    assert read(text) == EXPECTED


def test_a_hash_may_be_a_token(read):
    assert read("# O\n#oslo B-LOC\nrocks O\n") == [(("#", "#oslo", "rocks"), ("O", "B-LOC", "O"))]


def test_names_above_the_columns_say_what_they_hold(read):
    assert read("tag\ttoken\nB-PER\tMira\nO\tsings\n\nB-LOC\tOslo\n", "t.tsv") == EXPECTED
    assert read("# global.columns = ID FORM NER\n1\tMira\tB-PER\n2\tsings\tO\n\n1\tOslo\tB-LOC\n") == EXPECTED


@pytest.mark.parametrize("name", ["t.conll", "t.txt", "t.tsv"])
def test_conllu_under_another_name(read, name):
    rest = "\t_\t_\t0\troot\t_\t_"
    text = f"# text = Va\n1-2\tdel\t_\t_\t_\t_\t_\t_\t_\t_\n1\tde\t_\tADP{rest}\n2\tel\t_\tDET{rest}\n"
    assert read(text, name) == [(("de", "el"), ("ADP", "DET"))]
    assert read(text, name, tag="8") == [(("de", "el"), ("root", "root"))]


def test_a_space_that_does_not_break_stays_in_its_word(read):
    assert read("10\u00a0000 NUM\n") == [(("10\u00a0000",), ("NUM",))]


@pytest.mark.parametrize(
    "cell", ["\"['a', 'b']\"", "\"['a' 'b']\"", "\"('a', 'b')\"", '"[""a"", ""b""]"', "a b"]
)
def test_lists_in_cells(read, cell):
    assert read(f"tokens,tags\n{cell},X Y\n", "t.csv") == [(("a", "b"), ("X", "Y"))]


def test_a_broken_list_is_named_with_its_row(read):
    with pytest.raises(DataError, match="row 3, column 'tokens': expected a list as in the other rows"):
        read("tokens,tags\n\"['a', 'b']\",X Y\n\"['a', 'b\",X Y\n", "t.csv")


def test_a_word_a_row(read):
    named = "Sentence #,Word,Tag\nSentence: 1,Mira,B-PER\n,sings,O\nSentence: 2,Oslo,B-LOC\n"
    assert read(named, "t.csv") == EXPECTED
    assert read("word,tag\nMira,B-PER\nsings,O\n\nOslo,B-LOC\n", "t.csv") == EXPECTED


def test_columns_by_number(read):
    assert read("x Mira B-PER q\nx sings O q\n\nx Oslo B-LOC q\n", word="2", tag="-2") == EXPECTED
    with pytest.raises(ConfigError, match=r"expected the name or the number of a column, 1 to 2, got 'pos'"):
        read("a X\n", tag="pos")


def test_a_line_of_another_length_is_named(read):
    with pytest.raises(DataError, match="row 2, column 'tag': expected 2 cells with spaces between them"):
        read("Ada B-PER\nNew York B-LOC\nran O\n")


def test_later_files_are_read_as_the_training_data(tmp_path):
    train, later = tmp_path / "train.txt", tmp_path / "later.txt"
    train.write_text("B-PER\tMira\nO\tsings\n")
    later.write_text("O\tsings\n")
    layout = read_with_layout(train).layout
    assert layout.described() == "words in column 2, tags in column 1 of 2"
    for tagged in (True, False):
        (example,) = read_tagged(later, known=layout, tagged=tagged)
        assert example.inputs == ("sings",)


def test_a_sentence_a_line_for_prediction(read):
    assert read("Mira sings\nOslo\n", tagged=False) == [(("Mira", "sings"), None), (("Oslo",), None)]
