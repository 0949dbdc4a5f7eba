"""What torch.nn lacks: each option against its equations written out, in training and in evaluation."""

import pytest
import torch
from torch.nn import functional

import unrolled
from tests.tolerances import tolerance
from unrolled.layers.regularisation import zoneout_weights

VALUE = tolerance(torch.float64, "value")
CELLS = ["RNN", "GRU", "LSTM"]


@pytest.fixture
def inputs():
    torch.manual_seed(0)
    return torch.randn(6, 3, 4, dtype=torch.float64)


def built(cell, **options):
    torch.manual_seed(1)
    layer = getattr(unrolled, cell)(4, 5, dtype=torch.float64, **options)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if "norm" in name or "peephole" in name or "initial" in name:
                parameter.uniform_(0.5, 1.5)
    return layer


def normed(values, gain):
    centred = values - values.mean(-1, keepdim=True)
    return gain * centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()


@pytest.mark.parametrize(
    ("nonlinearity", "act"),
    [
        ("tanh", torch.tanh),
        ("relu", torch.relu),
        ("sigmoid", torch.sigmoid),
        ("identity", lambda values: values),
    ],
)
def test_rnn_activations(inputs, nonlinearity, act):
    layer = built("RNN", nonlinearity=nonlinearity)
    h = torch.zeros(3, 5, dtype=torch.float64)
    for t, x in enumerate(inputs):
        h = act(x @ layer.weight_ih_l0.t() + layer.bias_ih_l0 + h @ layer.weight_hh_l0.t() + layer.bias_hh_l0)
        torch.testing.assert_close(layer(inputs)[0][t], h, **VALUE)


def test_peepholes(inputs):
    layer = built("LSTM", peepholes=True)
    p_i, p_f, p_o = layer.peephole_l0
    h = c = torch.zeros(3, 5, dtype=torch.float64)
    expected = []
    for x in inputs:
        gates = functional.linear(x, layer.weight_ih_l0, layer.bias_ih_l0)
        gates = gates + functional.linear(h, layer.weight_hh_l0, layer.bias_hh_l0)
        i, f, g, o = gates.chunk(4, -1)
        c = torch.sigmoid(f + p_f * c) * c + torch.sigmoid(i + p_i * c) * torch.tanh(g)
        h = torch.sigmoid(o + p_o * c) * torch.tanh(c)
        expected.append(h)
    output, (h_n, c_n) = layer(inputs)
    torch.testing.assert_close(output, torch.stack(expected), **VALUE)
    torch.testing.assert_close((h_n[0], c_n[0]), (h, c), **VALUE)


def test_layer_norm_of_an_rnn(inputs):
    layer = built("RNN", layer_norm=True)
    h = torch.zeros(3, 5, dtype=torch.float64)
    for x in inputs:
        below = normed(x @ layer.weight_ih_l0.t(), layer.norm_ih_gain_l0)
        beside = normed(h @ layer.weight_hh_l0.t(), layer.norm_hh_gain_l0)
        h = torch.tanh(below + beside + layer.bias_ih_l0 + layer.bias_hh_l0)
    torch.testing.assert_close(layer(inputs)[1][0], h, **VALUE)


def test_layer_norm_of_a_gru(inputs):
    layer = built("GRU", layer_norm=True)

    def grouped(values, gain):
        return torch.cat([normed(values[:, :10], gain[:10]), normed(values[:, 10:], gain[10:])], 1)

    h = torch.zeros(3, 5, dtype=torch.float64)
    for x in inputs:
        below = grouped(x @ layer.weight_ih_l0.t(), layer.norm_ih_gain_l0) + layer.bias_ih_l0
        beside = grouped(h @ layer.weight_hh_l0.t(), layer.norm_hh_gain_l0) + layer.bias_hh_l0
        (x_r, x_z, x_n), (h_r, h_z, h_n) = below.chunk(3, 1), beside.chunk(3, 1)
        update = torch.sigmoid(x_z + h_z)
        h = update * h + (1 - update) * torch.tanh(x_n + torch.sigmoid(x_r + h_r) * h_n)
    torch.testing.assert_close(layer(inputs)[1][0], h, **VALUE)


def test_layer_norm_of_an_lstm(inputs):
    layer = built("LSTM", layer_norm=True)
    h = c = torch.zeros(3, 5, dtype=torch.float64)
    for x in inputs:
        below = normed(x @ layer.weight_ih_l0.t(), layer.norm_ih_gain_l0)
        beside = normed(h @ layer.weight_hh_l0.t(), layer.norm_hh_gain_l0)
        i, f, g, o = (below + beside + layer.bias_ih_l0 + layer.bias_hh_l0).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(normed(c, layer.norm_cell_gain_l0) + layer.norm_cell_bias_l0)
    _, (h_n, c_n) = layer(inputs)
    torch.testing.assert_close((h_n[0], c_n[0]), (h, c), **VALUE)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "option",
    [
        {"recurrent_dropout": 0.5},
        {"zoneout": 0.5},
        {"weight_drop": 0.5},
        {"initial_state": "random"},
        {"num_layers": 2, "dropout": 0.5, "variational_dropout": True},
    ],
    ids=lambda option: next(reversed(option)),
)
def test_training_draws_evaluation_does_not_and_a_seed_repeats(inputs, cell, option):
    layer = built(cell, **option)
    torch.manual_seed(5)
    first, second = layer(inputs)[0], layer(inputs)[0]
    torch.manual_seed(5)
    assert torch.equal(layer(inputs)[0], first)
    assert not torch.equal(first, second)
    layer.eval()
    assert torch.equal(layer(inputs)[0], layer(inputs)[0])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "option", [{"recurrent_dropout": 0.5}, {"weight_drop": 0.5}, {"initial_state": "random"}]
)
def test_dropping_leaves_no_trace_in_evaluation(inputs, cell, option):
    torch.testing.assert_close(built(cell, **option).eval()(inputs), built(cell)(inputs), rtol=0, atol=0)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("option", ["recurrent_dropout", "weight_drop"])
def test_dropping_everything_cuts_the_recurrence(inputs, cell, option):
    layer = built(cell, **{option: 1.0})
    reference = built(cell)
    with torch.no_grad():
        reference.weight_hh_l0.zero_()
    torch.testing.assert_close(layer(inputs), reference(inputs), **VALUE)


def test_recurrent_dropout_hides_the_same_units_at_every_step():
    layer = built("RNN", nonlinearity="identity", bias=False, recurrent_dropout=0.5)
    with torch.no_grad():
        layer.weight_hh_l0.copy_(torch.eye(5))
        layer.weight_ih_l0.fill_(1.0)
    ones = torch.ones(4, 200, 4, dtype=torch.float64)
    increments = layer(ones)[0].diff(dim=0) - 4
    # What is shown of h_{t-1} is doubled, what is hidden is gone: h_t is 4 + 2 h_{t-1} throughout, or 4.
    kept = increments[0] > 0
    grown = torch.tensor([4.0, 12.0, 28.0, 60.0], dtype=torch.float64)
    hidden = layer.eval()(ones)[0]
    assert torch.equal(hidden[:, 0, 0], torch.tensor([4.0, 8.0, 12.0, 16.0], dtype=torch.float64))
    torch.manual_seed(0)
    hidden = layer.train()(ones)[0]
    is_kept = hidden[1] > 4
    assert torch.equal(hidden.where(is_kept, 0.0), (grown.view(-1, 1, 1) * is_kept))
    assert torch.equal(hidden.where(~is_kept, 0.0), (4.0 * ~is_kept).expand_as(hidden))
    assert 0.45 < is_kept.double().mean() < 0.55
    assert 0.45 < kept.double().mean() < 0.55


def test_variational_dropout_between_layers_drops_the_same_units_at_every_step():
    layer = built("RNN", num_layers=2, dropout=0.5, variational_dropout=True)
    with torch.no_grad():
        for name in ("weight_ih_l1", "weight_hh_l1", "bias_ih_l1", "bias_hh_l1"):
            getattr(layer, name).zero_()
        layer.weight_ih_l1.copy_(torch.eye(5))
    output = layer(torch.ones(6, 50, 4, dtype=torch.float64))[0]
    dropped = output == 0
    assert torch.equal(dropped, dropped[0].expand_as(dropped))
    assert 0.4 < dropped.double().mean() < 0.6


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_zoneout_weights(share):
    like = torch.zeros(50, 20)
    torch.manual_seed(0)
    drawn = zoneout_weights(40, like, share, training=True)
    if not share:
        assert drawn is None
        return
    assert drawn is not None
    assert set(drawn.unique().tolist()) <= {0.0, 1.0}
    assert abs(float(drawn.mean()) - share) < 0.01
    expected = zoneout_weights(40, like, share, training=False)
    assert expected is not None
    assert expected.unique().tolist() == pytest.approx([share])


def test_zoneout_of_an_lstm_takes_one_share_for_each_part(inputs):
    layer = built("LSTM", zoneout=(0.0, 1.0))
    output, (_, c_n) = layer(inputs)
    assert not c_n.any()
    assert output.abs().sum() > 0
    assert not built("LSTM", zoneout=(1.0, 0.0))(inputs)[0].any()


@pytest.mark.parametrize("cell", CELLS)
def test_a_learned_initial_state_is_used_and_learns(inputs, cell):
    layer = built(cell, initial_state="learned", num_layers=2, bidirectional=True)
    state = layer.initial_state(3)
    output, _ = layer(inputs)
    torch.testing.assert_close(layer(inputs, state)[0], output)
    output.sum().backward()
    learned = {name: each for name, each in layer.named_parameters() if name.startswith("initial")}
    assert len(learned) == (8 if cell == "LSTM" else 4)
    assert all(each.grad is not None and each.grad.abs().sum() > 0 for each in learned.values())


@pytest.mark.parametrize("cell", CELLS)
def test_layers_of_different_widths(inputs, cell):
    torch.manual_seed(2)
    layer = getattr(unrolled, cell)(4, (5, 3), 2, bidirectional=True, dtype=torch.float64)
    output, state = layer(inputs)
    assert output.shape == (6, 3, 6)
    hidden = state[0] if cell == "LSTM" else state
    assert [tuple(part.shape) for part in hidden] == [(2, 3, 5), (2, 3, 3)]
    torch.testing.assert_close(output[-1, :, :3], hidden[1][0], **VALUE)
    again, _ = layer(inputs, layer.initial_state(3))
    assert torch.equal(again, output)
    layer(inputs, state)


def test_equal_widths_in_a_sequence_are_torchs_layout(inputs):
    torch.manual_seed(1)
    layer = unrolled.GRU(4, (5, 5), 2, dtype=torch.float64)
    torch.testing.assert_close(layer(inputs), built("GRU", num_layers=2)(inputs), rtol=0, atol=0)


@pytest.mark.parametrize("cell", CELLS)
def test_clip_step_can_be_set_later_and_changes_gradients_only(inputs, cell):
    layer = built(cell)
    grads, outputs = [], []
    for bound in (None, 1e-3):
        layer.clip_step = bound
        output, _ = layer(inputs)
        (grad,) = torch.autograd.grad(output.sum(), layer.bias_ih_l0)
        grads.append(grad)
        outputs.append(output)
    assert torch.equal(*outputs)
    # A bias is added at 6 steps of 3 rows; the factor leaves room for the rounding of their sum.
    assert grads[1].abs().max() <= 1e-3 * 6 * 3 * (1 + 1e-9) < grads[0].abs().max()
