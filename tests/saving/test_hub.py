"""Models pushed to a stand-in of the Hub, and had from there, with and without a network."""

import json
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard, PyTorchModelHubMixin, constants
from torch import nn
from typer.testing import CliRunner

import unrolled
from tests.saving.hub_stand_in import hub_stand_in
from tests.tasks.every_task import HANDED_OVER, MADE, model_of
from unrolled.cli.main import app
from unrolled.errors import ConfigError, ModelFolderError, StorageError


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with hub_stand_in() as (hub, address):
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_TOKEN", "hf_of_the_test")
        yield hub


def test_a_model_goes_there_and_comes_back(hub, monkeypatch):
    model = model_of("reviews")
    assert model.push("somebody/reviews", language="en").endswith("/somebody/reviews")
    again = unrolled.load("hf://somebody/reviews")
    given = [HANDED_OVER["reviews"]]
    assert again.predict(given) == model.predict(given)
    assert type(model).load("hf://somebody/reviews").predict(given) == model.predict(given)
    assert "optimizer.safetensors" not in list(hub.repositories["somebody/reviews"].values())[-1]
    # Without a network it is what was had before.
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.asked.clear()
    assert unrolled.load("hf://somebody/reviews").predict(given) == model.predict(given)
    assert not hub.asked
    with pytest.raises(ModelFolderError, match="hf://somebody/else"):
        unrolled.load("hf://somebody/else")


def test_a_later_commit_is_had_and_an_earlier_one_by_its_name(hub):
    first, second = model_of("reviews"), model_of("ratings")
    first.push("somebody/model")
    (commit,) = hub.repositories["somebody/model"]
    assert unrolled.load("hf://somebody/model").task == "classify"
    second.push("somebody/model")
    assert unrolled.load("hf://somebody/model").task == "regress"
    assert unrolled.load(f"hf://somebody/model@{commit}").task == "classify"


@pytest.mark.parametrize("name", MADE)
def test_the_card_says_to_the_hub_what_the_model_is(name, tmp_path):
    model = model_of(name)
    model._write(tmp_path / "m", None, optimizer=False, language="en")
    card = ModelCard((tmp_path / "m" / "README.md").read_text())
    data = card.data.to_dict()
    assert (data["library_name"], data["language"]) == ("unrolled", ["en"])
    assert model.task in data["tags"]
    assert data.get("pipeline_tag") == model.hub_task
    measured = {result.metric_name: result.metric_value for result in card.data.eval_results}
    assert measured == pytest.approx(dict(model.dev_evaluation.scores))
    assert f"# A model of the task `{model.task}`" in card.text


def test_from_the_command_line(hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model_of("reviews").save("m")
    run = CliRunner()
    pushed = run.invoke(app, ["push", "m", "somebody/m", "--private", "--json"])
    assert json.loads(pushed.stdout)["address"].endswith("/somebody/m")
    said = run.invoke(app, ["predict", "hf://somebody/m"], input="a fine film\n")
    assert said.stdout.split() == model_of("reviews").predict(["a fine film"])
    missing = run.invoke(app, ["predict", "hf://somebody/else"], input="a fine film\n")
    assert "Error: hf://somebody/else: the Hub did not do it" in missing.stderr


def test_what_the_hub_refuses_is_one_sentence(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody_else")
    with pytest.raises(StorageError, match="somebody/reviews"):
        model_of("reviews").push("somebody/reviews")
    for place in ("somebody", "a/b/c", "some body/x", "../x"):
        with pytest.raises(ConfigError, match="user/name"):
            model_of("reviews").push(place)
        with pytest.raises(ModelFolderError, match="user/name"):
            unrolled.load(f"hf://{place}")
    with pytest.raises(ModelFolderError, match="hf://somebody/none"):
        unrolled.load("hf://somebody/none")


def test_what_comes_from_there_goes_through_the_gate(hub):
    model_of("reviews").push("somebody/reviews")
    files = dict(list(hub.repositories["somebody/reviews"].values())[-1])
    manifest = json.loads(files["manifest.json"])

    def refused(match, **changed):
        hub.commit(
            "somebody/reviews", {name.replace("__", "."): content for name, content in changed.items()}
        )
        with pytest.raises(ModelFolderError, match=match):
            unrolled.load("hf://somebody/reviews")

    refused("corrupt", model__safetensors=bytes(len(files["model.safetensors"])))
    refused("bytes, got", model__safetensors=b"x")
    refused("valid dictionary", manifest__json=b"[]")
    for name in ("model.pkl", "run.py", "../../etc/passwd", "/etc/passwd"):
        listed = {**manifest, "files": {**manifest["files"], name: {"size": 1, "sha256": "0" * 64}}}
        refused("expected", manifest__json=json.dumps(listed).encode())
        assert not [path for path in hub.asked if "pkl" in path or "passwd" in path]


class _Own(nn.Module, PyTorchModelHubMixin):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.layer = unrolled.LSTM(3, size)

    def forward(self, inputs):
        return self.layer(inputs)[0]


def test_a_module_with_our_layers_is_saved_by_the_hubs_own_mixin(tmp_path):
    own = _Own(4)
    own.save_pretrained(tmp_path)
    again = _Own.from_pretrained(Path(tmp_path))
    inputs = torch.randn(5, 2, 3)
    assert torch.equal(own(inputs), again(inputs))
