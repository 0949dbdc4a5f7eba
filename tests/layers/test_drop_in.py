"""The same call with the same weights gives what torch.nn gives: values, states, all gradients by name."""

import itertools

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

import unrolled
from tests.tolerances import tolerance

# torch.nn says on a CPU that it will not use oneDNN for a projection.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")

RELU, PROJECTED = {"nonlinearity": "relu"}, {"proj_size": 2}
CELLS = [("RNN", {}), ("RNN", RELU), ("GRU", {}), ("LSTM", {}), ("LSTM", PROJECTED)]
CELL_NAMES = ["RNN", "RNN relu", "GRU", "LSTM", "LSTM projected"]
WIRINGS = [
    {},
    {"num_layers": 2, "bidirectional": True},
    {"num_layers": 2, "batch_first": True, "bias": False},
    {"bidirectional": True, "batch_first": True},
]
WIRING_NAMES = ["plain", "deep, both ways", "deep, batch first, no bias", "both ways, batch first"]
LENGTHS = torch.tensor([2, 6, 4])


def pair(cell, **options):
    layers = []
    for module in (torch.nn, unrolled):
        torch.manual_seed(3)
        layers.append(getattr(module, cell)(4, 5, **options))
    return layers


def batch(theirs, dtype=torch.float32):
    torch.manual_seed(4)
    return torch.randn((3, 6, 4) if theirs.batch_first else (6, 3, 4), dtype=dtype)


def some_state(layer, dtype=torch.float32):
    torch.manual_seed(5)
    state = layer.initial_state(3)
    if isinstance(state, tuple):
        return tuple(torch.randn_like(part) for part in state)
    return torch.randn_like(state)


def assert_same(ours, theirs, dtype=torch.float32, purpose="value"):
    torch.testing.assert_close(ours, theirs, **tolerance(dtype, purpose))


@pytest.mark.parametrize("options", WIRINGS, ids=WIRING_NAMES)
@pytest.mark.parametrize(("cell", "own"), CELLS, ids=CELL_NAMES)
def test_the_same_seed_gives_the_same_parameters(cell, own, options):
    theirs, ours = pair(cell, **own, **options)
    assert list(theirs.state_dict()) == list(ours.state_dict())
    for name, parameter in theirs.state_dict().items():
        assert torch.equal(parameter, ours.state_dict()[name]), name


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("options", WIRINGS, ids=WIRING_NAMES)
@pytest.mark.parametrize(("cell", "own"), CELLS, ids=CELL_NAMES)
def test_values_and_every_gradient(cell, own, options, dtype):
    theirs, ours = pair(cell, dtype=dtype, **own, **options)
    grads = []
    results = []
    for layer in (theirs, ours):
        inputs = batch(theirs, dtype).requires_grad_()
        state = some_state(ours, dtype)
        starts = state if isinstance(state, tuple) else (state,)
        for start in starts:
            start.requires_grad_()
        output, final = layer(inputs, state)
        finals = final if isinstance(final, tuple) else (final,)
        (output.square().sum() + sum(part.sin().sum() for part in finals)).backward()
        grads.append(
            {"inputs": inputs.grad}
            | {f"initial state {index}": start.grad for index, start in enumerate(starts)}
            | {name: parameter.grad for name, parameter in layer.named_parameters()}
        )
        results.append((output, final))
    assert_same(results[1], results[0], dtype)
    for name, expected in grads[0].items():
        torch.testing.assert_close(
            grads[1][name],
            expected,
            **tolerance(dtype, "gradient"),
            msg=lambda text, name=name: f"{name}: {text}",
        )


@pytest.mark.parametrize("extreme", [torch.inf, -torch.inf, torch.nan, 3e38, -1e20, 1e-40])
@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_an_extreme_input_is_answered_as_torch_answers(cell, extreme):
    theirs, ours = pair(cell)
    inputs = batch(theirs)
    inputs[2, 1, 1] = extreme
    found = []
    for layer in (theirs, ours):
        given = inputs.clone().requires_grad_()
        output, _ = layer(given)
        output.sum().backward()
        found.append([output, given.grad, *(parameter.grad for parameter in layer.parameters())])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(other, one, equal_nan=True, **tolerance(torch.float32, "gradient"))


@pytest.mark.parametrize("options", WIRINGS, ids=WIRING_NAMES)
@pytest.mark.parametrize(("cell", "own"), CELLS, ids=CELL_NAMES)
def test_lengths_give_what_packing_gives(cell, own, options):
    theirs, ours = pair(cell, **own, **options)
    padded = batch(theirs)
    packed = pack_padded_sequence(padded, LENGTHS, theirs.batch_first, enforce_sorted=False)
    expected, expected_state = theirs(packed, some_state(ours))
    output, state = ours(packed, some_state(ours))
    assert isinstance(output, PackedSequence)
    for part, of_theirs in zip(output, expected, strict=True):
        assert_same(part, of_theirs)
    assert_same(state, expected_state)
    output, state = ours(padded, some_state(ours), lengths=LENGTHS)
    assert_same(output, pad_packed_sequence(expected, theirs.batch_first)[0])
    assert_same(state, expected_state)


@pytest.mark.parametrize(("cell", "own"), CELLS, ids=CELL_NAMES)
def test_gradients_under_packing(cell, own):
    theirs, ours = pair(cell, **own, bidirectional=True)
    grads = []
    for layer in (theirs, ours):
        inputs = batch(theirs).requires_grad_()
        packed = pack_padded_sequence(inputs, LENGTHS, enforce_sorted=False)
        layer(packed)[0].data.square().sum().backward()
        grads.append({name: parameter.grad for name, parameter in layer.named_parameters()})
        grads[-1]["inputs"] = inputs.grad
    for name, expected in grads[0].items():
        assert_same(grads[1][name], expected, purpose="gradient")


def test_a_sorted_packed_sequence():
    theirs, ours = pair("LSTM")
    packed = pack_padded_sequence(batch(theirs), torch.tensor([6, 4, 2]))
    for part, expected in zip(ours(packed)[0], theirs(packed)[0], strict=True):
        if expected is None:
            assert part is None
        else:
            assert_same(part, expected)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(("cell", "own"), CELLS, ids=CELL_NAMES)
def test_a_single_sequence_without_a_batch(cell, own, batch_first):
    theirs, ours = pair(cell, **own, num_layers=2, batch_first=batch_first)
    inputs = torch.randn(6, 4)
    state = some_state(ours)
    alone = tuple(part[:, 0] for part in state) if isinstance(state, tuple) else state[:, 0]
    assert_same(ours(inputs), theirs(inputs))
    assert_same(ours(inputs, alone), theirs(inputs, alone))
    assert_same(ours(inputs, lengths=torch.tensor(4))[1], theirs(inputs[:4])[1])


@pytest.mark.parametrize(("cell", "own"), CELLS, ids=CELL_NAMES)
def test_a_state_dict_moves_both_ways(cell, own):
    theirs, ours = pair(cell, **own, num_layers=2, bidirectional=True)
    inputs = batch(theirs)
    fresh = getattr(unrolled, cell)(4, 5, **own, num_layers=2, bidirectional=True)
    fresh.load_state_dict(theirs.state_dict(), strict=True)
    assert_same(fresh(inputs), theirs(inputs))
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.mul_(0.5)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    assert_same(ours(inputs), theirs(inputs))


def test_dropout_between_layers_draws_as_torch_draws():
    theirs, ours = pair("GRU", num_layers=3, dropout=0.4)
    results = []
    for layer in (theirs, ours):
        torch.manual_seed(6)
        results.append(layer(batch(theirs)))
    assert_same(*results)
    assert not torch.equal(ours(batch(theirs))[0], ours.eval()(batch(theirs))[0])


def test_positional_arguments_stand_in_torchs_order():
    for cell, arguments in itertools.product(("GRU", "LSTM"), [(4, 5, 2, False, True, 0.1, True)]):
        theirs, ours = getattr(torch.nn, cell)(*arguments), getattr(unrolled, cell)(*arguments)
        for name in ("num_layers", "bias", "batch_first", "dropout", "bidirectional", "hidden_size"):
            assert getattr(theirs, name) == getattr(ours, name)
    assert unrolled.RNN(4, 5, 2, "relu").nonlinearity == torch.nn.RNN(4, 5, 2, "relu").nonlinearity
