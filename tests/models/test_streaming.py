"""A model that goes on step by step says what it says of whole sequences."""

import pytest
import torch

from tests.tolerances import tolerance
from unrolled.layers import map_state
from unrolled.models.config import NetworkConfig
from unrolled.models.ensemble import Ensemble
from unrolled.models.inputs import ValueInput
from unrolled.models.many_to_many import ManyToMany
from unrolled.models.many_to_one import ManyToOne
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


@pytest.mark.parametrize("average", [None, "outputs", "probabilities"])
@pytest.mark.parametrize("kind", [ManyToMany, ManyToOne])
@pytest.mark.parametrize("network", NETWORKS, ids=["plain", "options"])
def test_networks_of_whole_sequences_go_on_step_by_step(network, kind, average):
    torch.manual_seed(0)
    members = [kind(ValueInput(3, dropout=0.5, noise=1.0), network, 4) for _ in range(2)]
    model = (members[0] if average is None else Ensemble(members, average)).double().eval()
    sequence = torch.randn(2, 6, 3, dtype=torch.float64)
    _, state = model({"values": sequence[:, :2]})
    stream = model.stream(state)
    for step in range(2, 6):
        outputs = stream.step({"values": sequence[:, step]})
        expected = model({"values": sequence[:, : step + 1]})[0].detach()
        expected = expected[:, -1] if model.every_step else expected
        torch.testing.assert_close(outputs, expected, **tolerance(torch.float64, "value"))


def test_networks_that_see_the_whole_have_no_stream():
    network = NetworkConfig(hidden_size=3)
    for model in (
        ManyToMany(ValueInput(2), network, 3, crf=True),
        ManyToOne(ValueInput(2), network, 3, pooling="max"),
        Ensemble([ManyToOne(ValueInput(2), network, 3, pooling="mean")] * 2, "outputs"),
    ):
        assert model.stream(model.initial_state(1)) is None
