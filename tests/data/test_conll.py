"""Tagged sentences from files."""

import pytest

from unrolled.data.conll import read_tagged
from unrolled.errors import ConfigError, DataError

CONLLU = """# sent_id = 1
1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tvamos\tir\tVERB\tVB\t_\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\tPP\tCase=Acc\t1\tobj\t_\t_
2.1\tahora\tahora\tADV\t_\t_\t_\t_\t_\t_

# sent_id = 2
1\tNew York\tNew York\tPROPN\tNP\t_\t0\troot\t_\t_
"""


@pytest.fixture
def write(tmp_path):
    def write_file(name, text):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write_file


def test_conllu_words_without_ranges_and_empty_nodes(write):
    first, second = read_tagged(write("t.conllu", CONLLU))
    assert (first.inputs, first.target) == (("vamos", "nos"), ("VERB", "PRON"))
    assert (first.source.row, first.source.step_rows, first.source.column) == (3, (3, 4), "upos")
    assert (second.inputs, second.source.row) == (("New York",), 8)


def test_conllu_other_columns(write):
    path = write("t.conllu", CONLLU)
    assert read_tagged(path, tag="deprel")[0].target == ("root", "obj")
    assert read_tagged(path, tag="feats")[0].target == ("_", "Case=Acc")
    assert read_tagged(path, tagged=False)[0].target is None
    with pytest.raises(ConfigError, match="got 'postag'"):
        read_tagged(path, tag="postag")


@pytest.mark.parametrize("separator", ["\t", " ", "  "])
def test_two_columns_with_document_lines(write, separator):
    lines = ["-DOCSTART- -X- O", "", "EU NNP B-ORG", "rejects VBZ O", "", "", "Peter NNP B-PER"]
    path = write("t.conll", "\r\n".join(line.replace(" ", separator) for line in lines))
    first, second = read_tagged(path)
    assert (first.inputs, first.target, first.source.row) == (("EU", "rejects"), ("B-ORG", "O"), 3)
    assert (second.inputs, second.target, second.source.row) == (("Peter",), ("B-PER",), 7)


def test_tokens_alone_for_prediction(write):
    (only,) = read_tagged(write("t.txt", "Ada\nran\n"), tagged=False)
    assert (only.inputs, only.target) == (("Ada", "ran"), None)


def test_json_lines_with_lists_or_strings(write):
    path = write(
        "t.jsonl",
        '{"tokens": ["New York", "is"], "ner_tags": [1, 0]}\n{"tokens": "so big", "ner_tags": "0 0"}\n',
    )
    first, second = read_tagged(path)
    assert (first.inputs, first.target) == (("New York", "is"), ("1", "0"))
    assert (second.inputs, second.target) == (("so", "big"), ("0", "0"))
    assert read_tagged(path, word="ner_tags", tagged=False)[0].inputs == ("1", "0")


def test_a_table_with_strings_of_tokens_and_tags(write):
    (only,) = read_tagged(write("t.csv", "sentence,pos\nAda ran,NOUN VERB\n"))
    assert (only.inputs, only.target, only.source.row) == (("Ada", "ran"), ("NOUN", "VERB"), 2)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.conll", "a O\nb\n", "row 2, column 'tag': expected a token and its tag, got 'b'"),
        ("t.tsv", "a\tO\nb\t\n", "row 2, column 'tag': expected a token and its tag"),
        ("t.conllu", "1\ta\tb\n", "row 1: expected 10 cells with tabs between them, got 3"),
        ("t.conllu", CONLLU.replace("PRON", "_"), "row 4, column 'upos': expected a tag, got '_'"),
        (
            "t.conllu",
            CONLLU.replace("\n1\tvamos", "\nx\tvamos"),
            "row 3, column 'id': expected a word's number",
        ),
        ("t.conllu", "# only a comment\n", "expected sentences, found none"),
        (
            "t.jsonl",
            '{"tokens": ["a"], "tags": ["x"]}\n{"tokens": ["a", "b"], "tags": ["x"]}\n',
            "row 2, column 'tags': expected as many tags as tokens, got 2 tokens and 1 tags",
        ),
        ("t.jsonl", '{"tokens": 3, "tags": []}', "row 1, column 'tokens': expected a list of strings, got 3"),
        (
            "t.jsonl",
            '{"tokens": ["a"], "tags": [null]}',
            "row 1, column 'tags': expected a list of strings, got None",
        ),
        ("t.jsonl", '{"a": ["a"], "tags": ["x"]}', "expected a column of words, the columns are a, tags"),
    ],
)
def test_bad_input_is_refused_with_the_place(write, name, text, message):
    with pytest.raises(DataError, match=message):
        read_tagged(write(name, text))


def test_lines_within_cells_are_no_empty_lines_between_sentences(write):
    path = write("a.csv", 'id,text,labels\n0,"\n,","[[1, 2, ""PER""]]"\n1,Mira),[]\n')
    assert [each.inputs for each in read_tagged(path, tagged=False, marks=True)] == [(",",), ("Mira", ")")]
    rows = 'word,tag\n"a\n",X\nb,Y\n\nc,Z\n'
    assert [each.inputs for each in read_tagged(write("b.csv", rows))] == [("a", "b"), ("c",)]


def test_texts_that_are_to_be_cut_are_no_numbers(write):
    path = write("a.jsonl", '{"id": 0, "text": "-"}\n{"id": 1, "text": "10"}\n')
    assert [each.inputs for each in read_tagged(path, tagged=False, marks=True)] == [("-",), ("10",)]
