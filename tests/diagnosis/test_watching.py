"""Watching a module leaves it as it was, and counts distances rightly however its layers are called."""

import copy

import pytest
import torch
from torch import nn

import unrolled
from unrolled.diagnosis import gate_use, jacobians, watch


class Model(nn.Module):
    """A torch.nn layer and one of ours, somewhere inside."""

    def __init__(self):
        super().__init__()
        self.lower = nn.LSTM(3, 4, batch_first=True)
        self.upper = nn.ModuleDict({"top": unrolled.GRU(4, 5, batch_first=True)})
        self.output = nn.Linear(5, 2)

    def forward(self, inputs):
        return self.output(self.upper["top"](self.lower(inputs)[0])[0])


def gradients(module):
    return {name: parameter.grad.clone() for name, parameter in module.named_parameters()}


def test_watching_changes_nothing_that_the_module_computes():
    torch.manual_seed(0)
    model = Model()
    before = copy.deepcopy(model.state_dict())
    inputs = torch.randn(2, 6, 3)
    output = model(inputs)
    output.square().sum().backward()
    expected = gradients(model)
    model.zero_grad()
    with watch(model) as watched:
        seen = model(inputs)
        seen.square().sum().backward()
    torch.testing.assert_close(seen, output)
    for name, gradient in gradients(model).items():
        torch.testing.assert_close(gradient, expected[name])
    assert [flow.layer for flow in watched.flows()] == ["lower.l0", "upper.top.l0"]
    # Closed: nothing is seen any more, and the module is whole again.
    model(inputs).sum().backward()
    assert [flow.updates for flow in watched.flows()] == [1, 1]
    assert "forward" not in vars(model.lower)
    assert model.upper["top"].observers == ()
    assert list(model.state_dict()) == list(before)


def test_a_packed_sequence_goes_through_a_watched_layer_of_torch():
    layer = nn.GRU(3, 4)
    packed = nn.utils.rnn.pack_padded_sequence(torch.randn(5, 2, 3), torch.tensor([5, 2]))
    with watch(layer) as watched:
        output, _ = layer(packed)
        output.data.sum().backward()
    assert watched.flows()[0].rows == (2, 2, 1, 1, 1)


def test_distances_count_from_the_end_of_each_row():
    torch.manual_seed(0)
    layer = unrolled.LSTM(3, 4).double()
    inputs = torch.randn(6, 3, 3, dtype=torch.float64)
    with watch(layer) as watched:
        layer(inputs, lengths=torch.tensor([6, 4, 0]))[0].square().sum().backward()
    (both,) = watched.flows()
    norms, gains = [], []
    for row, length in ((0, 6), (1, 4)):
        with watch(layer) as watched:
            layer(inputs[:length, row : row + 1])[0].square().sum().backward()
        (flow,) = watched.flows()
        norms.append(flow.norm)
        gains.append(flow.gain)
    assert both.rows == (2, 2, 2, 2, 1, 1)
    for distance in range(6):
        expected = [norm[distance] for norm in norms if distance < len(norm)]
        assert both.norm[distance] == pytest.approx(sum(expected) / len(expected))
    for distance in range(5):
        expected = torch.tensor([gain[distance] for gain in gains if distance < len(gain)])
        assert both.gain[distance] == pytest.approx(float(expected.log().mean().exp()))


@pytest.mark.parametrize("cell", [unrolled.RNN, unrolled.LSTM])
def test_distances_go_on_over_calls_that_hand_on_their_state(cell):
    torch.manual_seed(0)
    layer = cell(3, 4).double()
    inputs = torch.randn(9, 2, 3, dtype=torch.float64)
    with watch(layer) as watched:
        layer(inputs)[0][-1].square().sum().backward()
    (whole,) = watched.flows()
    with watch(layer) as watched:
        _, state = layer(inputs[:4])
        _, state = layer(inputs[4:6], state)
        layer(inputs[6:], state)[0][-1].square().sum().backward()
    (parts,) = watched.flows()
    assert parts.rows == whole.rows
    assert parts.norm == pytest.approx(whole.norm)
    assert parts.gain == pytest.approx(whole.gain)


def test_a_state_without_gradient_begins_anew():
    layer = unrolled.RNN(3, 4)
    with watch(layer) as watched:
        _, state = layer(torch.randn(4, 2, 3))
        layer(torch.randn(3, 2, 3), state.detach())[0].sum().backward()
    assert watched.flows()[0].rows == (2, 2, 2)


def test_statistics_take_the_memory_of_the_longest_sequence():
    layer = unrolled.RNN(3, 4)
    with watch(layer) as watched:
        for steps in (5, 9, 3) * 4:
            layer(torch.randn(steps, 2, 3))[0].sum().backward()
    (flow,) = watched.flows()
    assert flow.updates == 12
    assert flow.rows == (24, 24, 24, 16, 16, 8, 8, 8, 8)
    watched.reset()
    assert watched.flows() == ()


def test_a_watch_goes_on_after_a_pause():
    layer = unrolled.RNN(3, 4)
    with watch(layer) as watched:
        for steps in (5, 7, 6):
            layer(torch.randn(steps, 2, 3))[0].sum().backward()
            if steps == 5:
                watched.close()
            else:
                watched.resume()
    layer(torch.randn(9, 2, 3))[0].sum().backward()
    (flow,) = watched.flows()
    assert (flow.updates, len(flow.norm)) == (2, 6)
    assert not any(use.strip for gates in watched.gates(strips=False) for use in gates.gates.values())


def test_without_gradients_nothing_is_recorded():
    layer = unrolled.GRU(3, 4)
    with watch(layer) as watched, torch.no_grad():
        layer(torch.randn(4, 2, 3))
    assert watched.flows() == ()


def test_an_error_that_underflows_counts_as_lost():
    layer = unrolled.RNN(1, 2, nonlinearity="identity", bias=False)
    with torch.no_grad():
        layer.weight_hh_l0.copy_(1e-10 * torch.eye(2))
    with watch(layer) as watched:
        layer(torch.randn(12, 1, 1))[0][-1].sum().backward()
    (flow,) = watched.flows()
    assert flow.decay[-1] < 1e-40
    assert all(gain >= 0 for gain in flow.gain)


def test_gates_of_every_cell():
    torch.manual_seed(0)
    inputs = torch.randn(6, 3, 2)
    lengths = torch.tensor([6, 2, 0])
    lstm = unrolled.LSTM(2, 4, forget_bias=100.0)
    (found,) = gate_use(lstm, lambda: lstm(inputs, lengths=lengths))
    assert found.gates["forget_gate"].open == 1.0
    assert len(found.gates["forget_gate"].strip) == 6
    assert found.cell == "lstm"

    gru = unrolled.GRU(2, 4)
    with torch.no_grad():
        gru.weight_ih_l0.zero_()
        gru.weight_hh_l0.zero_()
        for bias in (gru.bias_ih_l0, gru.bias_hh_l0):
            bias.zero_()
    (found,) = gate_use(gru, lambda: gru(inputs))
    # Every gate is at 1/2, so a unit keeps 1/e for 1 / ln 2 steps.
    assert found.gates["update_gate"].mean == 0.5
    assert found.time_constant == pytest.approx([1 / torch.tensor(2.0).log().item()] * 4)
    assert (found.saturated, found.dead) == (0.0, None)

    relu = unrolled.RNN(2, 4, nonlinearity="relu")
    with torch.no_grad():
        relu.bias_ih_l0[:3] = torch.tensor([-100.0, -100.0, 100.0])
        relu.bias_ih_l0[3] = 100.0
        relu.weight_hh_l0.zero_()
    (found,) = gate_use(relu, lambda: relu(inputs))
    assert (found.dead, found.saturated, found.time_constant) == (0.5, None, None)

    tanh = unrolled.RNN(2, 4)
    with torch.no_grad():
        tanh.bias_ih_l0[:] = torch.tensor([50.0, -50.0, 50.0, 50.0])
    (found,) = gate_use(tanh, lambda: tanh(inputs))
    assert found.saturated == 1.0
    assert (found.gates["candidate"].open, found.gates["candidate"].shut) == (0.75, 0.25)


def test_the_bound_holds_for_what_is_measured():
    torch.manual_seed(0)
    for activation, slope in (("tanh", 1.0), ("sigmoid", 0.25)):
        layer = unrolled.RNN(2, 6, nonlinearity=activation)
        (found,) = jacobians(layer, lambda layer=layer: layer(torch.randn(20, 1, 2)))
        assert found.matrix.slope == slope
        for lag, largest in zip(found.lags, found.product_largest, strict=True):
            assert largest <= found.matrix.bound(lag) * (1 + 1e-6)
    (found,) = jacobians(unrolled_lstm := unrolled.LSTM(2, 6), lambda: unrolled_lstm(torch.randn(20, 1, 2)))
    assert found.matrix.bound(3) is None
    assert found.state_size == 12
