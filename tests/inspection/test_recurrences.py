import pytest
import torch

import unrolled
from unrolled.inspection import system
from unrolled.inspection.system import recurrences


def runs(layer):
    (row,) = recurrences([("", layer)])
    return row["runs"], row["why"]


def test_a_covered_layer_runs_on_the_fastest_library(monkeypatch):
    monkeypatch.setattr(system, "choices", lambda: ("avx2", "portable"))
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
    monkeypatch.setattr(system, "choices", lambda: ("portable",))
    assert runs(layer)[0].startswith("reference")
    assert why in runs(layer)[1]


def test_without_a_library_the_remedy_is_a_compiler(monkeypatch):
    monkeypatch.setattr(system, "choices", tuple)
    assert runs(unrolled.LSTM(2, 3)) == (
        "reference (plain torch)",
        "no compiled library was installed; a C++ compiler and a new install bring it",
    )
