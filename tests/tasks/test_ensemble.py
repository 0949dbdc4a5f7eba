"""Several networks as one: averaged, saved together, each with first weights of its own."""

import numpy as np
import pytest
import torch

from unrolled.errors import ConfigError, ModelFolderError
from unrolled.tasks.classify import Classifier
from unrolled.tasks.registry import load
from unrolled.tasks.tag import Tagger

TINY = {"hidden_size": 4, "embedding_size": 4, "epochs": 2, "learning_rate": 0.02}
TEXTS = [(f"{colour} {thing}", colour) for colour in ("red", "green") for thing in ("car", "tree", "cat")] * 4
SENTENCES = [(["the", "cat", "runs"], ["D", "N", "V"]), (["a", "dog", "sits"], ["D", "N", "V"])] * 4
SPANS = [(["Dr", "May", ","], ["B-PER", "I-PER", "O"]), (["may", ",", "Dr"], ["O", "O", "B-PER"])] * 4


def test_probabilities_are_those_of_all_networks_averaged(tmp_path):
    together = Classifier(**TINY, ensemble=3).fit(TEXTS, dev=TEXTS)
    texts = ["red cat", "green", "blue"]
    alone = [Classifier(**TINY, seed=seed).fit(TEXTS, dev=TEXTS).predict_proba(texts) for seed in range(3)]
    np.testing.assert_allclose(together.predict_proba(texts), np.mean(alone, axis=0), rtol=1e-5)
    together.save(tmp_path / "model")
    assert np.array_equal(load(tmp_path / "model").predict_proba(texts), together.predict_proba(texts))


@pytest.mark.parametrize("data", [SENTENCES, SPANS])
def test_taggers_too_with_a_crf_and_without(data, tmp_path):
    tagger = Tagger(**TINY, ensemble=2).fit(data, dev=data)
    tagger.save(tmp_path / "model")
    words = [row for row, _ in data]
    assert load(tmp_path / "model").predict(words) == tagger.predict(words)
    assert tagger.predict_proba(words)[0].shape == (3, 3)


def test_numbers_are_averaged_as_they_are():
    data = [(np.full((4, 1), value), value) for value in np.linspace(0.05, 1, 20)]
    together = Classifier(hidden_size=4, epochs=2, target="numbers", ensemble=2).fit(data, dev=data)
    members = [
        Classifier(hidden_size=4, epochs=2, target="numbers", seed=s).fit(data, dev=data) for s in (0, 1)
    ]
    asked = [data[3][0]]
    assert together.predict(asked)[0] == pytest.approx(
        np.mean([m.predict(asked)[0] for m in members]), abs=1e-5
    )


def test_the_same_seed_gives_the_same_networks():
    first, again = (Classifier(**TINY, ensemble=2, seed=5).fit(TEXTS).model.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["members.0.output.weight"], first["members.1.output.weight"])


def test_what_does_not_fit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 2**14})())
    with pytest.raises(ConfigError, match=r"ensemble: expected networks that fit into .* got 900 of .* MiB"):
        Classifier(**TINY, ensemble=900).fit(TEXTS)
    monkeypatch.undo()
    with pytest.raises(ConfigError, match="resume: expected one network, got an ensemble"):
        Classifier(**TINY, ensemble=2).fit(TEXTS, run_folder=tmp_path / "run", resume=True)
    Classifier(**TINY, ensemble=2).fit(TEXTS, run_folder=tmp_path / "run")
    config = tmp_path / "run" / "config.json"
    assert '"ensemble": 2' in config.read_text()
    config.write_text(config.read_text().replace('"ensemble": 2', '"ensemble": 999'))
    with pytest.raises(ModelFolderError):
        load(tmp_path / "run")


def test_an_ensemble_is_trained_on():
    together = Classifier(**TINY, ensemble=2).fit(TEXTS, dev=TEXTS)
    before = together.model.state_dict()["members.1.output.weight"].clone()
    together.partial_fit([*TEXTS, ("blue car", "blue"), ("blue cat", "blue")], dev=TEXTS, new_labels="add")
    assert together.labels == ("green", "red", "blue")
    assert together.model.state_dict()["members.1.output.weight"].shape == (3, before.shape[1])
    assert together.predict(["red cat"])[0] in together.labels
