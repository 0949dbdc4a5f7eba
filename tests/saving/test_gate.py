"""What a model folder holds is checked against schemas, and against the weights, before anything is built."""

import hashlib
import json
import os
import re

import pytest
import safetensors.torch
import torch

from unrolled import load
from unrolled.errors import ModelFolderError
from unrolled.saving.folder import read_folder, write_folder
from unrolled.tasks.classify import Classifier

DATA = [(f"{word} {other}", word) for word in ("red", "blue") for other in "abcdefghij"]


@pytest.fixture(scope="module")
def model():
    return Classifier(hidden_size=3, embedding_size=3, epochs=1).fit(DATA, dev=DATA)


@pytest.fixture
def folder(model, tmp_path):
    model.save(tmp_path / "model")
    return tmp_path / "model"


def _mended(folder, name, content):
    """Put other content into a file, and its sum into the manifest."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _changed(folder, name, change):
    value = json.loads((folder / name).read_text())
    change(value)
    _mended(folder, name, json.dumps(value).encode())


def _set(*path, to):
    def change(value):
        for key in path[:-1]:
            value = value[key]
        value[path[-1]] = to

    return change


def _gone(*path):
    def change(value):
        for key in path[:-1]:
            value = value[key]
        del value[path[-1]]

    return change


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("config.json", _gone("task"), "config.json: expected an entry at 'task', found none"),
        ("config.json", _set("more", to=1), "config.json: expected no entry at 'more'"),
        (
            "config.json",
            _set("options", "hidden_size", to=-1),
            "'hidden_size': expected greater",
        ),
        ("config.json", _set("notices", to="one"), "expected a valid list at 'notices', got 'one'"),
        ("vocabulary.json", _gone("inputs"), "vocabulary.json: expected an entry at 'inputs'"),
        (
            "vocabulary.json",
            _set("inputs", "kind", to="smells"),
            "expected one of .*text, pair, symbols.* got 'smells'",
        ),
        (
            "vocabulary.json",
            _set("targets", "vocabulary", "symbols", to=["a", 3]),
            "string at .*, got 3",
        ),
        (
            "vocabulary.json",
            _set("targets", "vocabulary", "symbols", to=["a", "a"]),
            "label once, got 'a'",
        ),
        ("history.json", _set("epochs", to=7), "history.json: expected a valid list at 'epochs'"),
        ("evaluation.json", _set("scores", to={"accuracy": "high"}), "valid number at 'scores.accuracy'"),
        ("baselines.json", _set("majority class", "label", to=7), "expected a valid string at .label"),
        (
            "baselines.json",
            _set("bag-of-words logistic regression", "features", "words", to=["a", "red", "a"]),
            "each word that is counted once",
        ),
        ("baselines.json", _set("oracle", to={}), "expected no baseline 'oracle', but of majority class"),
    ],
)
def test_entries_are_as_their_schema_says(folder, name, change, message):
    _changed(folder, name, change)
    with pytest.raises(ModelFolderError, match=message):
        load(folder)


@pytest.mark.parametrize(
    ("option", "claimed"), [("hidden_size", 10**8), ("num_layers", 10**9), ("embedding_size", 10**12)]
)
def test_sizes_are_those_of_the_weights_before_memory_is_taken(folder, option, claimed):
    _changed(folder, "config.json", _set("options", option, to=claimed))
    with pytest.raises(ModelFolderError, match=r"(expected .*(weights|shape)|Storage size)"):
        load(folder)


def test_a_vocabulary_of_another_size_than_the_weights_is_refused(folder):
    _changed(folder, "vocabulary.json", _set("inputs", "vocabulary", "symbols", to=["<pad>", "<unk>", "red"]))
    with pytest.raises(ModelFolderError, match=r"of shape \(3, 3\)"):
        load(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors, name: tensors.pop(name), "expected the weight .*, found none"),
        (lambda tensors, name: tensors.update(more=torch.ones(1)), "expected no weight 'more'"),
        (lambda tensors, name: tensors.update({name: tensors[name].double()}), "got .* as torch.float64"),
        (lambda tensors, name: tensors[name].fill_(torch.nan), "expected finite numbers"),
    ],
)
def test_weights_are_those_of_the_network(folder, change, message):
    tensors = safetensors.torch.load((folder / "model.safetensors").read_bytes())
    change(tensors, next(name for name, tensor in tensors.items() if tensor.is_floating_point()))
    _mended(folder, "model.safetensors", safetensors.torch.save(tensors))
    with pytest.raises(ModelFolderError, match=message):
        load(folder)


def test_what_is_no_file_of_the_folder_is_not_opened(folder, tmp_path):
    (folder / "model.safetensors").rename(tmp_path / "elsewhere")
    (folder / "model.safetensors").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelFolderError, match="expected a file, got a link or something else"):
        load(folder)
    (folder / "model.safetensors").unlink()
    os.mkfifo(folder / "model.safetensors")  # reading it would wait for ever
    with pytest.raises(ModelFolderError, match="expected a file, got a link or something else"):
        load(folder)


def test_a_baseline_of_sets_of_labels_where_examples_have_one_is_refused(folder):
    _changed(folder, "baselines.json", _set("majority class", "label", to=[]))
    with pytest.raises(ModelFolderError, match="one label each or of sets of labels"):
        load(folder).evaluate(DATA)


def test_a_direct_connection_from_what_has_no_symbols_is_refused(tmp_path):
    numbers = [(torch.rand(4, 2).numpy(), label) for label in "ab" * 4]
    Classifier(hidden_size=3, epochs=1).fit(numbers, dev=numbers).save(tmp_path / "model")
    _changed(tmp_path / "model", "vocabulary.json", _set("direct", to=2))
    with pytest.raises(ModelFolderError, match="no places of a direct connection from"):
        load(tmp_path / "model")


def test_more_than_there_is_memory_for_is_refused(folder, monkeypatch):
    os.truncate(folder / "manifest.json", 2**40)  # of which the disk holds nothing
    with pytest.raises(ModelFolderError, match="expected at most 16,777,216 bytes, got 1,099,511,627,776"):
        load(folder)

    def read(path):
        raise MemoryError

    monkeypatch.setattr("unrolled.saving.folder._MOST", 2**41)
    monkeypatch.setattr("pathlib.Path.read_bytes", read)
    with pytest.raises(ModelFolderError, match="more than there is memory for"):
        load(folder)


@pytest.mark.parametrize("name", ["../config.json", "/etc/passwd", "a/b", ""])
def test_names_lead_nowhere_else(folder, name):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = {"size": 1, "sha256": "0" * 64}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelFolderError, match=re.escape(f"names of files in the folder, got {name!r}")):
        load(folder)


def test_a_folder_as_deep_as_it_gets_is_one_sentence(folder):
    _mended(folder, "vocabulary.json", b"[" * 100_000)
    with pytest.raises(ModelFolderError, match=r"vocabulary\.json: "):
        load(folder)


def test_names_as_long_as_they_may_be_are_written_and_read(tmp_path):
    folder = tmp_path / ("n" * 255)
    for number in (1, 2):
        write_folder(folder, {"a.json": {"number": number}}, {})
    assert read_folder(folder).files["a.json"] == {"number": 2}
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_half_a_character_is_read_as_it_was_written(tmp_path):
    write_folder(tmp_path / "m", {"a.json": {"text": "\ud800"}, "b.md": "\ud800"}, {})
    assert read_folder(tmp_path / "m").files["a.json"] == {"text": "\ud800"}
