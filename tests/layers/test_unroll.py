"""Everything of every step, on request."""

import pytest
import torch

import unrolled
from tests.tolerances import tolerance

VALUE, GRADIENT = tolerance(torch.float64, "value"), tolerance(torch.float64, "gradient")
LENGTHS = torch.tensor([5, 0, 3])


def built(cell, **options):
    torch.manual_seed(0)
    return getattr(unrolled, cell)(2, 4, dtype=torch.float64, **options)


def batch(layer):
    torch.manual_seed(1)
    return torch.randn((3, 5, 2) if layer.batch_first else (5, 3, 2), dtype=torch.float64)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_unroll_agrees_with_the_call(cell, batch_first):
    layer = built(cell, num_layers=2, bidirectional=True, batch_first=batch_first)
    result = layer.unroll(batch(layer), lengths=LENGTHS)
    output, state = layer(batch(layer), lengths=LENGTHS)
    torch.testing.assert_close(result.output, output)
    torch.testing.assert_close(result.state, state)
    assert [(each.layer, each.reverse) for each in result.directions] == [
        (0, False),
        (0, True),
        (1, False),
        (1, True),
    ]
    assert torch.equal(torch.cat([each.hidden for each in result.directions[2:]], -1), result.output)
    assert all(each.gates == {} and each.probe_hidden is None for each in result.directions)


def test_the_gates_of_an_lstm_make_its_states():
    layer = built("LSTM")
    (steps,) = layer.unroll(batch(layer), lengths=LENGTHS, gates=True).directions
    gates = steps.gates
    assert list(gates) == ["input_gate", "forget_gate", "candidate", "output_gate"]
    before = torch.cat([torch.zeros(1, 3, 4, dtype=torch.float64), steps.cell[:-1]])
    cell = gates["forget_gate"] * before + gates["input_gate"] * gates["candidate"]
    torch.testing.assert_close(steps.cell, cell, **VALUE)
    torch.testing.assert_close(steps.hidden, gates["output_gate"] * torch.tanh(cell), **VALUE)


def test_the_gates_of_a_gru_make_its_states():
    layer = built("GRU")
    (steps,) = layer.unroll(batch(layer), gates=True).directions
    assert list(steps.gates) == ["reset_gate", "update_gate", "candidate"]
    before = torch.cat([torch.zeros(1, 3, 4, dtype=torch.float64), steps.hidden[:-1]])
    update = steps.gates["update_gate"]
    torch.testing.assert_close(
        steps.hidden, update * before + (1 - update) * steps.gates["candidate"], **VALUE
    )
    reset = before @ layer.weight_hh_l0[:4].t() + layer.bias_hh_l0[:4] + layer.bias_ih_l0[:4]
    reset = torch.sigmoid(reset + batch(layer) @ layer.weight_ih_l0[:4].t())
    torch.testing.assert_close(steps.gates["reset_gate"], reset, **VALUE)
    assert steps.cell is None


def test_the_candidate_of_an_rnn_is_its_state():
    layer = built("RNN", batch_first=True)
    (steps,) = layer.unroll(batch(layer), gates=True).directions
    assert list(steps.gates) == ["candidate"]
    assert torch.equal(steps.gates["candidate"], steps.hidden)


def test_gates_carry_gradients():
    layer = built("LSTM")
    (steps,) = layer.unroll(batch(layer), gates=True).directions
    steps.gates["forget_gate"].sum().backward()
    blocks = layer.bias_ih_l0.grad.chunk(4)
    assert all(block.abs().sum() > 0 for block in blocks)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_probes_hold_the_total_gradient_of_every_state(cell, batch_first):
    layer = built(cell, num_layers=2, batch_first=batch_first)
    result = layer.unroll(batch(layer), lengths=LENGTHS, probe=True)
    torch.testing.assert_close(result.output, layer(batch(layer), lengths=LENGTHS)[0])
    result.output.square().sum().backward()
    for steps in result.directions:
        assert steps.probe_hidden is not None
        assert steps.probe_hidden.shape == steps.hidden.shape
        assert steps.probe_hidden.untyped_storage().nbytes() == 8
        assert (steps.probe_cell is None) == (cell != "LSTM")
    # By finite differences: a nudge of one hidden state of the lower layer.
    inputs = batch(layer).transpose(0, 1) if batch_first else batch(layer)
    top, low = result.directions[1].probe_hidden.grad, result.directions[0].probe_hidden.grad
    top, low = (top.transpose(0, 1), low.transpose(0, 1)) if batch_first else (top, low)
    assert not top[:, 1].any()
    assert not low[3:, 2].any()
    other = built(cell, num_layers=2)
    torch.testing.assert_close(low[2, 0], _nudged(other, inputs, 3, 0), rtol=1e-5, atol=1e-8)


def _nudged(layer, inputs, step, row):
    """dL/dh of the lower layer after ``step`` steps, through the upper layer and through the future."""
    first = layer.unroll(inputs[:step])
    grads = []
    for unit in range(4):
        losses = []
        for nudge in (1e-5, -1e-5):
            moved = first.directions[0].hidden.detach().clone()
            moved[-1, row, unit] += nudge
            losses.append(_loss_with(layer, inputs, moved, step, row))
        grads.append((losses[0] - losses[1]) / 2e-5)
    return torch.stack(grads)


def _loss_with(layer, inputs, low, step, row):
    """The loss of one row where the lower layer's first ``step`` hidden states are as given."""
    lower = type(layer)(2, 4, dtype=torch.float64)
    upper = type(layer)(4, 4, dtype=torch.float64)
    state = layer.state_dict()
    lower.load_state_dict({name: value for name, value in state.items() if name.endswith("l0")})
    upper.load_state_dict({name[:-1] + "0": value for name, value in state.items() if name.endswith("l1")})
    with torch.no_grad():
        if isinstance(layer, unrolled.LSTM):
            _, (_, c_n) = lower(inputs[:step])
            rest, _ = lower(inputs[step:], (low[-1:], c_n))
        else:
            rest, _ = lower(inputs[step:], low[-1:])
        output, _ = upper(torch.cat([low, rest]))
    return output[:, row].square().sum()


def test_a_single_sequence():
    layer = built("LSTM")
    result = layer.unroll(batch(layer)[:, 0], gates=True, probe=True)
    assert result.directions[0].gates["candidate"].shape == (5, 4)
    result.output.sum().backward()
    assert result.directions[0].probe_cell.grad.shape == (5, 4)
