"""A network that is run on from states that go through anybody's hands."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from unrolled.models.config import NetworkConfig
from unrolled.models.inputs import ValueInput
from unrolled.models.many_to_many import ManyToMany
from unrolled.tasks.network_steps import network_steps
from unrolled.tasks.stream_state import StreamState


def tagger():
    torch.manual_seed(0)
    return ManyToMany(ValueInput(3), NetworkConfig(cell="lstm", hidden_size=5), 4).eval()


def test_streams_side_by_side_do_not_hear_of_each_other():
    model = tagger()
    sequences = np.random.default_rng(0).normal(size=(8, 40, 3)).astype(np.float32)

    def fed(sequence):
        steps, state, said = network_steps(model), None, []
        for at in range(40):
            outputs, after = steps.run({"values": sequence[at : at + 1]}, state)
            state = StreamState(after)
            said.append(outputs[0])
        return torch.stack(said)

    with ThreadPoolExecutor(4) as threads:
        made = torch.stack(list(threads.map(fed, sequences)))
    with torch.no_grad():
        torch.testing.assert_close(made, model({"values": torch.from_numpy(sequences)})[0])


def test_what_is_packed_once_is_shared_until_a_weight_changes():
    model = tagger()
    steps = network_steps(model)
    assert network_steps(model) is steps
    given = {"values": np.ones((1, 3))}
    before = steps.run(given, None)[0]
    model.output.bias.data += 1  # as who loads weights by hand
    torch.testing.assert_close(network_steps(model).run(given, None)[0], before + 1)
    torch.testing.assert_close(steps.run(given, None)[0], before)


def test_steps_and_pieces_of_several_steps_give_the_same():
    steps, values = network_steps(tagger()), np.random.default_rng(1).normal(size=(9, 3))
    whole, end = steps.run({"values": values}, None)
    begun, state = steps.run({"values": values[:4]}, None)
    said = [begun]
    for at in (4, 5):
        outputs, state = steps.run({"values": values[at : at + 1]}, StreamState(state))
        said.append(outputs)
    rest, state = steps.run({"values": values[6:]}, StreamState(state))
    torch.testing.assert_close(torch.cat([*said, rest]), whole)
    for name, array in end.items():
        np.testing.assert_allclose(state[name], array, atol=1e-6)
