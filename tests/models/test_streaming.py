"""A model that goes on step by step says what it says of whole sequences."""

import pytest
import torch

from tests.tolerances import tolerance
from unrolled.layers import map_state
from unrolled.models.config import NetworkConfig
from unrolled.models.one_to_one import BinaryVectorModel, LanguageModel

NETWORKS = [
    NetworkConfig(hidden_size=6),
    NetworkConfig(cell="gru", hidden_size=(5, 6), num_layers=2, dropout=0.5, layer_norm=True, zoneout=0.1),
]


@pytest.mark.parametrize("network", NETWORKS, ids=["plain", "options"])
@pytest.mark.parametrize("kind", ["tokens", "values"])
def test_step_by_step_is_the_whole_sequence(kind, network):
    torch.manual_seed(0)
    if kind == "tokens":
        model, sequence = LanguageModel(5, 4, network, tied=True), torch.randint(5, (2, 7))
    else:
        model, sequence = BinaryVectorModel(3, network), torch.rand(2, 7, 3).round()
    model = model.double().eval()
    sequence = sequence if kind == "tokens" else sequence.double()
    expected, end = model({kind: sequence})
    _, state = model({kind: sequence[:, :3]})
    stream = model.stream(state)
    for step in range(3, 7):
        scores = stream.step({kind: sequence[:, step]})
        assert not scores.requires_grad
        torch.testing.assert_close(scores, expected[:, step].detach(), **tolerance(torch.float64, "value"))
    torch.testing.assert_close(
        stream.state, map_state(torch.detach, end), **tolerance(torch.float64, "value")
    )
