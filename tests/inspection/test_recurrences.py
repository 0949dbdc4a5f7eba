import pytest
import torch

import unrolled
from unrolled.errors import ConfigError
from unrolled.inspection.system import default_layers, layer_of, recurrences
from unrolled.layers.engines import kernels


def runs(layer):
    (row,) = recurrences([("", layer)])
    return row["runs"], row["why"]


def test_a_covered_layer_runs_on_the_fastest_library(monkeypatch):
    monkeypatch.setattr(kernels, "choices", lambda: ("avx2", "portable"))
    assert runs(unrolled.GRU(2, 3))[0] == "compiled (avx2)"


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (unrolled.LSTM(2, 3, proj_size=2), "projection"),
        (unrolled.RNN(2, 3).to(torch.float16), "float16"),
        (unrolled.RNN(2, 3, device="meta"), "meta"),
    ],
)
def test_the_reason_for_the_reference_is_given(layer, why, monkeypatch):
    monkeypatch.setattr(kernels, "choices", lambda: ("portable",))
    assert runs(layer)[0].startswith("reference")
    assert why in runs(layer)[1]


def test_without_a_library_the_remedy_is_a_compiler(monkeypatch):
    monkeypatch.setattr(kernels, "library", lambda: None)
    assert runs(unrolled.LSTM(2, 3)) == (
        "reference (plain torch)",
        "no compiled library was installed; a C++ compiler and a new install bring it",
    )


def test_a_layer_is_asked_for_by_a_networks_options(monkeypatch):
    monkeypatch.setattr(kernels, "choices", lambda: ("portable",))
    assert runs(layer_of({"cell": "gru", "layer_norm": True}))[0] == "compiled (portable)"
    assert "projection" in runs(layer_of({"hidden_size": 8, "projection_size": 4}))[1]
    with pytest.raises(ConfigError, match="peepholes"):
        layer_of({"cell": "gru", "peepholes": True})
    with pytest.raises(ConfigError, match="device='nowhere'"):
        default_layers("nowhere")
