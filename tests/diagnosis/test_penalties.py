"""Omega and gradient flossing: values by hand, gradients by differences, and their use in training."""

import copy

import pytest
import torch
from torch import nn

import unrolled
from tests.diagnosis.by_hand import unrolled_by_hand, whole
from unrolled.data.batches import Batch
from unrolled.diagnosis.penalties import flossing, omega
from unrolled.diagnosis.probes import caught
from unrolled.layers import build_recurrent
from unrolled.models.base import SequenceModel
from unrolled.training import CrossEntropy, SquaredError, TrainingConfig
from unrolled.training.trainer import Trainer

STEPS = 6
CELLS = [unrolled.RNN, unrolled.GRU, unrolled.LSTM]


def made(cell, **options):
    torch.manual_seed(0)
    return cell(3, 4, **options).double(), torch.randn(STEPS, 2, 3, dtype=torch.float64)


def at_the_end(layer, inputs):
    return caught(layer, lambda: layer(inputs)[0][-1].sin().sum())[0]


@pytest.mark.parametrize("cell", CELLS)
def test_omega_is_the_mean_departure_from_keeping_the_error(cell):
    layer, inputs = made(cell)
    found = omega(at_the_end(layer, inputs))
    terms = []
    for row in range(2):
        hand = unrolled_by_hand(layer, inputs[:, row : row + 1])
        error = hand.output[-1, 0].detach().cos()
        error = nn.functional.pad(error, (0, whole(hand.states["l0"][0]).shape[-1] - 4))
        for step in range(STEPS - 1, -1, -1):
            jacobian = hand.jacobian("l0", step)
            if jacobian is None:
                jacobian = first_jacobian(layer, inputs[:1, row : row + 1])
            arriving = error @ jacobian
            terms.append((arriving.norm() / error.norm() - 1) ** 2)
            error = arriving
    torch.testing.assert_close(found, torch.stack(terms).mean())


def first_jacobian(layer, inputs):
    """Of the first step by the initial state, which by hand is no node of the graph."""
    parts = 2 if isinstance(layer, unrolled.LSTM) else 1

    def advance(state):
        given = state.view(parts, 1, 1, -1)
        _, after = layer(inputs, tuple(given) if parts == 2 else given[0])
        return torch.cat([part.flatten() for part in after]) if parts == 2 else after.flatten()

    return torch.autograd.functional.jacobian(advance, inputs.new_zeros(4 * parts))


@pytest.mark.parametrize("term", [omega, flossing])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_the_terms_are_those_by_differences(cell, term):
    layer, inputs = made(cell)
    recurrence = at_the_end(layer, inputs)

    def value():
        torch.manual_seed(1)
        return term(recurrence)

    value().backward()
    gradient = layer.weight_hh_l0.grad
    torch.manual_seed(2)
    direction = torch.randn_like(gradient)
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            layer.weight_hh_l0 += sign * 1e-6 * direction
            values.append(float(value().detach()))
            layer.weight_hh_l0 -= sign * 1e-6 * direction
    slope = (values[0] - values[1]) / 2e-6
    if term is omega:
        assert float((gradient * direction).sum()) == pytest.approx(slope, rel=1e-5, abs=1e-8)
    else:
        # The directions turn with the weights; the term holds them fixed.
        assert float((gradient * direction).sum()) * slope > 0


def test_flossing_of_a_scaled_rotation_is_the_square_of_its_exponent():
    layer = unrolled.RNN(3, 4, nonlinearity="identity").double()
    with torch.no_grad():
        layer.weight_hh_l0.copy_(0.5 * torch.eye(4))
    recurrence = at_the_end(layer, torch.randn(STEPS, 2, 3, dtype=torch.float64))
    expected = torch.tensor(0.5, dtype=torch.float64).log() ** 2
    torch.testing.assert_close(flossing(recurrence), expected, rtol=1e-9, atol=0)


class Model(SequenceModel):
    """One recurrent layer and an output at every step."""

    def __init__(self, cell="rnn", **options):
        super().__init__()
        self.recurrent = build_recurrent(cell, 3, 12, batch_first=True, **options)
        self.output = nn.Linear(12, 1)

    @property
    def causal(self):
        return True

    def initial_state(self, batch_size):
        return self.recurrent.initial_state(batch_size)

    def forward(self, inputs, lengths=None, state=None):
        hidden, after = self.recurrent(inputs["values"], state, lengths)
        return self.output(hidden), after


class Loader:
    """The same few sequences, whose targets are the first input twenty steps ago."""

    def __init__(self, batches=6):
        torch.manual_seed(4)
        values = torch.randn(8, 24, 3)
        targets = values[:, :, :1].roll(20, 1)
        self.batch = Batch({"values": values}, torch.full((8,), 24), targets, True)
        self.number = batches

    def __len__(self):
        return self.number

    def batches(self, epoch, start=0):
        return iter([self.batch] * (self.number - start))


def trained(model, **options):
    config = TrainingConfig(epochs=4, learning_rate=1e-3, device="cpu", **options)
    Trainer(model, SquaredError(), config).fit(Loader())
    return model


def whole_term(model, term):
    batch = Loader().batch
    torch.manual_seed(0)
    (recurrence,) = caught(model, lambda: model(batch.inputs)[0].square().sum())
    return float(term(recurrence).detach())


@pytest.mark.parametrize(("name", "term"), [("omega", omega), ("flossing", flossing)])
@pytest.mark.parametrize("windows", [{}, {"window": 8, "reach": 16}], ids=["full", "truncated"])
def test_training_with_a_term_lowers_it(name, term, windows):
    torch.manual_seed(0)
    model = Model()
    without = trained(copy.deepcopy(model), **windows)
    with_term = trained(copy.deepcopy(model), **{name: 30.0}, **windows)
    assert whole_term(with_term, term) < 0.9 * whole_term(without, term)
    assert with_term.recurrent.observers == ()


def test_a_term_acts_on_every_layer_and_under_dropped_weights():
    model = Model("lstm", num_layers=2, weight_drop=0.3, recurrent_dropout=0.2, zoneout=0.1, dropout=0.1)
    before = copy.deepcopy(model.state_dict())
    trained(model, omega=1.0, flossing=1.0)
    assert all(bool(weight.isfinite().all()) for weight in model.parameters())
    assert not torch.equal(before["recurrent.weight_hh_l1"], model.recurrent.weight_hh_l1)


def test_a_run_with_a_term_goes_on_to_the_bit(tmp_path):
    torch.manual_seed(0)
    start = Model()
    whole_run = copy.deepcopy(start)
    options = {"flossing": 1.0, "omega": 1.0, "learning_rate": 0.01, "device": "cpu"}
    Trainer(whole_run, SquaredError(), TrainingConfig(epochs=4, **options)).fit(Loader())
    halves = copy.deepcopy(start)
    Trainer(halves, SquaredError(), TrainingConfig(epochs=2, **options), run_folder=tmp_path).fit(Loader())
    resumed = TrainingConfig(epochs=4, **options)
    Trainer(halves, SquaredError(), resumed, run_folder=tmp_path, resume=True).fit(Loader())
    for one, other in zip(whole_run.parameters(), halves.parameters(), strict=True):
        assert torch.equal(one, other)


def test_training_tells_the_verdict_when_it_changes(capsys):
    torch.manual_seed(0)
    model = Model(recurrent_init="uniform")
    with torch.no_grad():
        model.recurrent.weight_hh_l0.mul_(0.2)
    plain = copy.deepcopy(model)
    config = TrainingConfig(epochs=6, learning_rate=1e-4, device="cpu")
    Trainer(plain, SquaredError(), config).fit(Loader(batches=64))
    watched = config.model_copy(update={"diagnose": True})
    Trainer(model, SquaredError(), watched, progress=True).fit(Loader(batches=64))
    told = capsys.readouterr().err
    assert told.count("update 256: vanishing. The error vanishes") == 1  # told once it was found twice
    assert "update 384" not in told
    # Watching changes nothing but the order in which some numbers are added.
    for one, other in zip(plain.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    assert model.recurrent.observers == ()


def test_a_model_without_a_recurrent_layer_is_not_looked_for_one():
    from tests.training.tiny import TinyLoader, make_model

    model = make_model(dtype=torch.float32)
    Trainer(model, CrossEntropy(), TrainingConfig(epochs=1, device="cpu")).fit(TinyLoader())
