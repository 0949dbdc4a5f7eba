"""What is measured equals what torch's autograd says of the same network unrolled by hand, in float64."""

import pytest
import torch
from torch import nn

import unrolled
from tests.diagnosis.by_hand import unrolled_by_hand, whole
from tests.tolerances import tolerance
from unrolled.diagnosis import jacobians, triangles, watch, weight_parts

STEPS = 6
EXACT = tolerance(torch.float64, "gradient")
LAYERS = [
    pytest.param(lambda: unrolled.RNN(3, 4), id="rnn"),
    pytest.param(lambda: unrolled.RNN(3, 4, nonlinearity="relu", num_layers=2), id="relu-2"),
    pytest.param(lambda: unrolled.GRU(3, 4), id="gru"),
    pytest.param(lambda: unrolled.LSTM(3, 4), id="lstm"),
    pytest.param(lambda: unrolled.GRU(3, 4, bidirectional=True), id="gru-both"),
    pytest.param(lambda: unrolled.LSTM(3, 4, num_layers=2), id="lstm-2"),
    pytest.param(lambda: unrolled.LSTM(3, 4, num_layers=2, bidirectional=True), id="lstm-2-both"),
    pytest.param(lambda: nn.RNN(3, 4), id="torch-rnn"),
    pytest.param(lambda: nn.GRU(3, 4, num_layers=2), id="torch-gru-2"),
    pytest.param(lambda: nn.LSTM(3, 4, bidirectional=True), id="torch-lstm-both"),
]
SINGLE = [each for each in LAYERS if each.id in ("rnn", "gru", "lstm", "torch-rnn")]


@pytest.fixture
def sequence():
    torch.manual_seed(5)
    return torch.randn(STEPS, 1, 3, dtype=torch.float64)


def made(make):
    torch.manual_seed(3)
    return make().double()


def losses(output):
    """One loss a step, ``(T, B)``, of outputs ``(T, B, H)``."""
    return (output.sin() * torch.arange(1, output.shape[-1] + 1)).sum(-1)


def loss_at_of(layer, sequence):
    def loss_at(steps):
        output, _ = layer(sequence.expand(-1, len(steps), -1))
        return losses(output)[steps, torch.arange(len(steps))].sum()

    return loss_at


def gradients(loss, nodes):
    found = torch.autograd.grad(loss, nodes, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(node) if grad is None else grad for node, grad in zip(nodes, found, strict=True)]


def equal(found, expected):
    found, expected = (torch.as_tensor(each, dtype=torch.float64) for each in (found, expected))
    torch.testing.assert_close(found, expected, **EXACT)


@pytest.mark.parametrize("make", LAYERS)
def test_triangle(make, sequence):
    layer = made(make)
    hand = unrolled_by_hand(layer, sequence)
    found = triangles(layer, loss_at_of(layer, sequence), range(STEPS), rows=4)
    assert [each.layer for each in found] == list(hand.states)
    for each in found:
        hidden = [state[0] for state in hand.states[each.layer]]
        for step in range(STEPS):
            expected = gradients(losses(hand.output)[step].sum(), hidden)
            equal(each.norms[step], [grad.norm() for grad in expected])


@pytest.mark.parametrize("make", LAYERS)
def test_watched_norms(make, sequence):
    layer = made(make)
    inputs = torch.cat([sequence, sequence.flip(0)], 1)
    hand = unrolled_by_hand(layer, inputs)
    with watch(layer) as watched:
        for _ in range(2):
            losses(layer(inputs)[0]).sum().backward()
    assert [flow.layer for flow in watched.flows()] == list(hand.states)
    for flow in watched.flows():
        hidden = [state[0] for state in hand.states[flow.layer]]
        norms = torch.stack(gradients(losses(hand.output).sum(), hidden)).norm(dim=-1)
        norms = norms if flow.layer.endswith("reverse") else norms.flip(0)
        assert (flow.updates, flow.rows) == (2, (4,) * STEPS)
        equal(flow.norm, norms.mean(1))
        equal(flow.deviation, norms.std(1, correction=0))


@pytest.mark.parametrize("make", SINGLE)
def test_gains_multiply_to_what_is_left_of_an_error(make, sequence):
    layer = made(make)
    hand = unrolled_by_hand(layer, sequence)
    with watch(layer) as watched:
        losses(layer(sequence)[0])[-1].sum().backward()
    (flow,) = watched.flows()
    error = gradients(losses(hand.output)[-1].sum(), [hand.output])[0][-1]
    error = torch.nn.functional.pad(error, (0, whole(hand.states["l0"][0]).shape[-1] - error.shape[-1]))
    left = [error.norm()]
    for step in range(STEPS - 1, 0, -1):
        error = error @ hand.jacobian("l0", step)
        left.append(error.norm())
    equal(flow.decay, torch.stack(left) / left[0])


@pytest.mark.parametrize("make", SINGLE)
def test_where_every_step_has_a_loss_gains_are_those_of_an_error_from_a_later_step(make, sequence):
    layer = made(make)
    hand = unrolled_by_hand(layer, sequence)
    with watch(layer) as watched:
        losses(layer(sequence)[0]).sum().backward()
    (flow,) = watched.flows()
    direct = gradients(losses(hand.output).sum(), [hand.output])[0]
    width = whole(hand.states["l0"][0]).shape[-1]
    direct = torch.nn.functional.pad(direct, (0, width - direct.shape[-1]))
    # Before the last step nothing has come from a later one: there it is what the loss adds.
    arriving, old, gains = torch.zeros_like(direct[-1]), direct[-1], []
    for step in range(STEPS - 1, 0, -1):
        jacobian = hand.jacobian("l0", step)
        gains.append((old @ jacobian).norm() / old.norm())
        arriving = (arriving + direct[step]) @ jacobian
        old = arriving
    equal(flow.gain, torch.stack(gains))


@pytest.mark.parametrize("make", LAYERS)
def test_jacobians(make, sequence):
    layer = made(make)
    hand = unrolled_by_hand(layer, sequence)
    found = jacobians(layer, lambda: layer(sequence))
    assert [each.layer for each in found] == list(hand.states)
    for each in found:
        known = [index for index, step in enumerate(each.steps) if step != hand.order(each.layer)[0]]
        assert len(known) == STEPS - 1
        for index in known:
            values = torch.linalg.svdvals(hand.jacobian(each.layer, each.steps[index]))
            equal([each.largest[index], each.smallest[index]], values[[0, -1]])


def test_products_of_jacobians_over_lag(sequence):
    layer = made(lambda: unrolled.LSTM(3, 4))
    hand = unrolled_by_hand(layer, sequence)
    (found,) = jacobians(layer, lambda: layer(sequence))
    ends = [3, 4, 5, 6]
    assert found.lags[:3] == (1, 2, 3)
    for index, lag in enumerate(found.lags[:2]):
        logs = []
        for end in ends:
            product = torch.eye(8, dtype=torch.float64)
            for step in range(end - 1, end - 1 - lag, -1):
                product = product @ hand.jacobian("l0", step)
            logs.append(torch.linalg.matrix_norm(product, 2).log())
        equal(found.product_largest[index], torch.stack(logs).mean().exp())


@pytest.mark.parametrize("make", LAYERS)
def test_weight_parts(make, sequence):
    layer = made(make)
    hand = unrolled_by_hand(layer, sequence)
    chosen = [2, STEPS - 1]
    for each in weight_parts(layer, loss_at_of(layer, sequence), chosen):
        back = 1 if each.layer.endswith("reverse") else -1
        weights = [cell.weight_hh for cell in hand.cells[each.layer]]
        parts = [torch.zeros_like(weights[0]) for _ in each.explicit]
        for step in chosen:
            found = gradients(losses(hand.output)[step].sum(), weights)
            for lag, part in enumerate(parts):
                if 0 <= step + back * lag < STEPS:
                    part += found[step + back * lag]
        equal(each.explicit, [part.norm() for part in parts])
        equal(each.accumulated, [torch.stack(parts[: lag + 1]).sum(0).norm() for lag in range(len(parts))])


def test_one_loss_of_the_whole_sequence(sequence):
    layer = made(lambda: unrolled.GRU(3, 4, bidirectional=True))
    hand = unrolled_by_hand(layer, sequence)

    def ends(output):
        return losses(output[-1:, :, :4]).sum() + losses(output[:1, :, 4:]).sum()

    def loss_at(steps):
        assert steps.tolist() == [-1]
        return ends(layer(sequence)[0])

    forward, reverse = triangles(layer, loss_at, None)
    assert (forward.loss_steps, reverse.loss_steps) == ((STEPS - 1,), (0,))
    for each in (forward, reverse):
        hidden = [state[0] for state in hand.states[each.layer]]
        equal(each.norms[0], [grad.norm() for grad in gradients(ends(hand.output), hidden)])
        assert len(each.decay) == STEPS
    assert [len(each.explicit) for each in weight_parts(layer, loss_at, None)] == [STEPS, STEPS]
