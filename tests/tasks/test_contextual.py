"""Words beside what language models of characters know of them, and such models that read backwards."""

import importlib.util
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import unrolled
from unrolled.errors import ConfigError, DataError, ModelFolderError
from unrolled.export import c, onnx
from unrolled.saving.folder import read_folder
from unrolled.tasks.classify import Classifier
from unrolled.tasks.generate import Generator
from unrolled.tasks.inputs import language_reader
from unrolled.tasks.inputs.language_reader import LanguageReader, read_together
from unrolled.tasks.tag import Tagger

SMALL = {"hidden_size": 6, "embedding_size": 4, "epochs": 1, "batch_size": 2, "window": 16}
TINY = {"hidden_size": 5, "epochs": 2}
TEXTS = ["the cat runs home", "a Dog sits", "the dog runs", "a cat sits there now"] * 4
SENTENCES = [(text.split(), ["D", "N", *["V"] * (len(text.split()) - 2)]) for text in TEXTS]
WORDS = [words for words, _ in SENTENCES[:4]]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Folders of language models by name: lines of a file that end with a newline, and texts that do not."""
    home = tmp_path_factory.mktemp("language")
    lines = home / "raw.txt"
    lines.write_text("\n".join(TEXTS) + "\n")
    for name, data, options in (
        ("forwards", str(lines), {"cell": "lstm"}),
        ("backwards", str(lines), {"cell": "gru", "backwards": True, "num_layers": 2}),
        ("texts", TEXTS, {"cell": "janet", "tied": True}),
    ):
        Generator(**SMALL, **options).fit(data, dev=data).save(home / name)
    return home


@pytest.fixture(scope="module")
def tagger(models):
    both = [models / "forwards", models / "backwards"]
    return Tagger(**TINY, features=both).fit(SENTENCES, dev=SENTENCES[:4])


def known(folder, words):
    """What a saved language model knows at each word, a character at a time by torch's own cells."""
    model = unrolled.load(folder)
    weights, config = model.model.state_dict(), model.effective
    tokenizer, size = model._medium.tokenizer, config.hidden_size
    text = "\n" + " ".join(words)[:: -1 if config.backwards else 1]
    cells = []
    for layer in range(config.num_layers):
        made = torch.nn.LSTMCell if config.cell == "lstm" else torch.nn.GRUCell
        cells.append(made(weights[f"recurrent.weight_ih_l{layer}"].shape[1], size))
        for name, weight in cells[-1].named_parameters():
            weight.data.copy_(weights[f"recurrent.{name}_l{layer}"])
    states, after = [None] * len(cells), []
    for token in tokenizer.encode(text).tolist():
        read = weights["embedding.weight"][token][None]
        for layer, cell in enumerate(cells):
            states[layer] = cell(read, states[layer])
            read = states[layer][0] if config.cell == "lstm" else states[layer]
        after.append(read[0].detach())
    found, start = [], 0
    for word in words:
        at = len(text) - 1 - start if config.backwards else start + len(word)
        found.append(after[at])
        start += len(word) + 1
    return torch.stack(found).numpy() if found else np.zeros((0, size))


DRAWN = st.lists(st.lists(st.text("abthe é🙂", max_size=6), max_size=5), min_size=1, max_size=4)


@pytest.mark.parametrize("name", ["forwards", "backwards"])
@settings(max_examples=15, deadline=None)
@given(sentences=DRAWN, window=st.sampled_from([2, 7, 512]), rows=st.sampled_from([1, 3, 64]))
def test_a_word_has_the_state_after_it_was_read(models, name, sentences, window, rows):
    reader = LanguageReader.of_folder(str(models / name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language_reader, "_WINDOW", window)
        patch.setattr(language_reader, "_ROWS", rows)
        found = read_together([reader], sentences)
    for words, vectors in zip(sentences, found, strict=True):
        np.testing.assert_allclose(vectors, known(models / name, words), atol=2e-6)


def test_what_is_kept_in_a_file_is_the_same(models, monkeypatch):
    readers = [LanguageReader.of_folder(str(models / name)) for name in ("forwards", "texts", "backwards")]
    in_memory = read_together(readers, WORDS)
    monkeypatch.setattr(language_reader, "_IN_MEMORY", 0)
    in_file = read_together(readers, WORDS)
    assert isinstance(in_file[0].base, np.memmap)
    for one, other in zip(in_memory, in_file, strict=True):
        assert one.shape[1] == 18
        np.testing.assert_array_equal(one, other)


def test_a_model_folder_needs_no_other(models, tagger, tmp_path):
    home = shutil.copytree(models, tmp_path / "language")
    both = [str(home / "forwards"), str(home / "backwards")]
    made = Tagger(**TINY, features=both).fit(SENTENCES, dev=SENTENCES[:4])
    made.save(tmp_path / "model")
    shutil.rmtree(home)
    loaded = unrolled.load(tmp_path / "model")
    asked = [*WORDS, [], ["ünseen", ""]]
    for one, other in zip(made.predict_proba(asked), loaded.predict_proba(asked), strict=True):
        np.testing.assert_array_equal(one, other)
    assert loaded.evaluate(SENTENCES).scores == made.evaluate(SENTENCES).scores
    assert [each.value for (each,) in loaded.predictions_of_each(asked)] == made.predict(asked)
    loaded.partial_fit(SENTENCES, dev=SENTENCES[:4]).save(tmp_path / "again")
    assert unrolled.load(tmp_path / "again").predict(WORDS) == loaded.predict(WORDS)
    notices = "\n".join(made.notices)
    assert "6 numbers of the language model" in notices
    assert "which reads backwards" in notices
    # The language models are no part of what is trained.
    assert not [name for name in made.model.state_dict() if "language" in name]
    assert all(
        not weight.requires_grad for net in made.input_networks().values() for weight in net.parameters()
    )


def test_what_the_weights_do_not_fit_is_no_model(tagger, tmp_path):
    tagger.save(tmp_path / "model")
    folder = read_folder(tmp_path / "model")
    assert {name.partition(".")[0] for name in folder.tensors["inputs.safetensors"]} == {"0", "1"}
    (tmp_path / "model" / "inputs.safetensors").unlink()
    with pytest.raises(ModelFolderError, match="missing"):
        unrolled.load(tmp_path / "model")


def test_words_are_tagged_as_they_come_where_all_reads_forwards(models, tagger):
    one = Tagger(**TINY, features=models / "forwards", bidirectional=False, crf=False)
    one.fit(SENTENCES, dev=SENTENCES[:4])
    stream, state, said = one.stream(), None, []
    for piece in (["a"], ["cat", "sits"], [], ["there", "now"]):
        step = stream.step(piece, state)
        state = unrolled.tasks.stream_state.StreamState.from_json(step.state.to_json())
        said += [] if step.prediction is None else step.prediction.value
    assert said == one.predict([["a", "cat", "sits", "there", "now"]])[0]
    whole = one._encode(one._read_inputs([["a", "cat", "sits"]]))[0].inputs["features"]
    first, state = one._inputs.encode_on(one._read_inputs([["a"]])[0], {})
    second, _ = one._inputs.encode_on(one._read_inputs([["cat", "sits"]])[0], state)
    np.testing.assert_allclose(np.concatenate([first["features"], second["features"]]), whole, atol=1e-6)
    with pytest.raises(DataError, match="with its arrays"):
        stream.step(["a"], unrolled.tasks.stream_state.StreamState({"state.0": np.zeros((1, 1, 5))}))
    with pytest.raises(ConfigError, match="read as a whole, and not step by step"):
        tagger.stream()


def test_texts_are_classified_with_them_too(models, tmp_path):
    rows = [(text, "cat" if "cat" in text else "dog") for text in TEXTS]
    options = {**TINY, "features": (str(models / "texts"), str(models / "backwards"))}
    made = Classifier(**options).fit(rows, dev=rows[:4])
    made.save(tmp_path / "model")
    asked = ["The CAT, perhaps", "", "İ ß"]
    assert unrolled.load(tmp_path / "model").predict(asked) == made.predict(asked)
    several = [({"text": text, "age": len(text)}, label) for text, label in rows]
    both = Classifier(**options, feature_columns=["age"]).fit(several, dev=several[:4])
    both.save(tmp_path / "both")
    asked = [several[0][0]]
    assert unrolled.load(tmp_path / "both").predict(asked) == both.predict(asked)


@pytest.mark.parametrize("task", ["tag", "classify"])
def test_run_py_reads_with_the_same_language_models(models, task, tmp_path):
    if task == "classify":
        rows = [(text, "cat" if "cat" in text else "dog") for text in TEXTS]
        model = Classifier(**TINY, direct=False, features=models / "backwards").fit(rows, dev=rows[:4])
        asked = ["The CAT perhaps", "dog!", ""]
    else:
        model = Tagger(**TINY, features=models / "forwards").fit(SENTENCES, dev=SENTENCES[:4])
        asked = [*WORDS, ["ünseen", "word"]]
    onnx(model, tmp_path)
    spec = importlib.util.spec_from_file_location("contextual_run", tmp_path / "run.py")
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    exported = run.Model()
    for given_input in asked:
        (own,) = model.encode([given_input])
        np.testing.assert_allclose(
            run.inputs_of(exported, given_input)["features"][0], own["features"], atol=1e-5
        )
    assert exported.predict(asked) == model.predict(asked)
    with pytest.raises(ConfigError, match="train without --features"):
        c(model, tmp_path / "c")


def test_what_is_no_language_model_of_characters_is_refused(models, tagger, tmp_path):
    def learned(folder, data=SENTENCES):
        return Tagger(**TINY, features=[folder]).fit(data, dev=data)

    with pytest.raises(ModelFolderError, match="expected a model folder, got nothing there"):
        learned(str(tmp_path / "nowhere"))
    with pytest.raises(ModelFolderError, match=r"manifest\.json"):
        learned(tmp_path)
    tagger.save(tmp_path / "tagger")
    with pytest.raises(ConfigError, match="a model of the task 'tag'; make one with"):
        learned(tmp_path / "tagger")
    Generator(**SMALL, unit="word").fit(TEXTS, dev=TEXTS).save(tmp_path / "words")
    with pytest.raises(ConfigError, match="whose unit is 'word'"):
        learned(tmp_path / "words")
    numbers = [(np.arange(4.0), ["a", "b", "a", "b"])] * 6
    with pytest.raises(ConfigError, match=r"features: expected texts or sentences, .* got numbers"):
        learned(models / "forwards", numbers)
    with pytest.raises(ConfigError, match="features"):
        Tagger(features=3)


def test_characters_that_it_has_not_seen_are_said(models):
    odd = [(["ça", "va"], ["N", "V"])] * 6
    made = Tagger(**TINY, features=models / "forwards").fit(odd, dev=odd)
    assert any("50.0% of the characters it has not seen: 'ç', 'v'." in each for each in made.notices)


def test_reading_backwards_is_reading_what_is_written_backwards(tmp_path):
    backwards = Generator(**SMALL, backwards=True).fit(TEXTS, dev=TEXTS[:4])
    forwards = Generator(**SMALL).fit([text[::-1] for text in TEXTS], dev=[text[::-1] for text in TEXTS[:4]])
    for one, other in zip(
        backwards.model.state_dict().values(), forwards.model.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    assert backwards.dev_evaluation.baselines == forwards.dev_evaluation.baselines
    written = backwards.predict(["dog sits", "home"], length=12, seed=3)
    assert written == [each[::-1] for each in forwards.predict(["stis god", "emoh"], length=12, seed=3)]
    assert backwards.predict(["home"], length=5, beam=2) == [
        each[::-1] for each in forwards.predict(["emoh"], length=5, beam=2)
    ]
    backwards.save(tmp_path / "model")
    assert unrolled.load(tmp_path / "model").predict(["dog sits", "home"], length=12, seed=3) == written
    for refused in (
        lambda: list(backwards.write_on("home")),
        backwards.stream,
        lambda: backwards.predict(["home"], stop="a"),
    ):
        with pytest.raises(ConfigError, match="expected a model that reads forwards"):
            refused()
    with pytest.raises(ConfigError, match="backwards: expected text with it, got notes"):
        Generator(**SMALL, backwards=True).fit([[[60], [62]] * 8] * 4)
    onnx(backwards, tmp_path / "onnx")
    spec = importlib.util.spec_from_file_location("backwards_run", tmp_path / "onnx" / "run.py")
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    assert run.Model().predict(["home"], length=8) == backwards.predict(["home"], length=8, temperature=0)
