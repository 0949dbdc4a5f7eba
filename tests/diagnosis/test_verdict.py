"""Constructed networks whose verdict is forced, at rates that are known."""

import math

import pytest
import torch

import unrolled
from unrolled.diagnosis import (
    ClippingUse,
    OrderTest,
    Remedy,
    clipping_use,
    conclude,
    jacobians,
    order_test,
    reorder,
    triangles,
    watch,
)
from unrolled.tasks.classify import Classifier
from unrolled.tasks.config import TaskConfig

STEPS, SIZE = 40, 5
RNN_SETTINGS = dict(TaskConfig(cell="rnn", recurrent_init="uniform"))


def network(weight):
    layer = unrolled.RNN(2, SIZE, nonlinearity="identity", bias=False).double()
    with torch.no_grad():
        layer.weight_hh_l0.copy_(weight)
    return layer


def rotation():
    torch.manual_seed(1)
    return torch.linalg.qr(torch.randn(SIZE, SIZE, dtype=torch.float64)).Q


def measured(layer, per_step):
    torch.manual_seed(0)
    inputs = torch.randn(STEPS, 3, 2, dtype=torch.float64)
    with watch(layer) as watched:
        output = layer(inputs)[0]
        (output.square().sum() if per_step else output[-1].square().sum()).backward()
    (flow,) = watched.flows()
    return flow, jacobians(layer, lambda: layer(inputs))


CONSTRUCTED = {
    "half": (lambda: 0.5 * torch.eye(SIZE), 0.5, "vanishing"),
    "enlarging rotation": (lambda: 1.1 * rotation(), 1.1, "exploding"),
    "rotation": (rotation, 1.0, "healthy"),
}


@pytest.mark.parametrize("per_step", [False, True], ids=["loss at the end", "loss at every step"])
@pytest.mark.parametrize("case", CONSTRUCTED)
def test_the_verdict_is_forced_at_the_known_rate(case, per_step):
    weight, rate, kind = CONSTRUCTED[case]
    flow, spectra = measured(network(weight()), per_step)
    assert flow.gain == pytest.approx([rate] * (STEPS - 1))
    assert flow.decay == pytest.approx([rate**lag for lag in range(STEPS)])
    (each,) = spectra
    assert each.largest == pytest.approx([rate] * len(each.largest))
    assert each.product_largest == pytest.approx([rate**lag for lag in each.lags])
    assert each.lyapunov == pytest.approx([math.log(rate)] * SIZE, abs=1e-12)
    assert each.matrix.bound(10) == pytest.approx(rate**10)
    verdict = conclude({flow.layer: flow.decay}, RNN_SETTINGS, spectra=spectra)
    assert verdict.kind == kind
    assert verdict.numbers["factor per step"] == pytest.approx(rate)
    assert verdict.numbers["left at that lag"] == pytest.approx(rate ** (STEPS - 1))
    assert bool(verdict.remedies) == (kind != "healthy")


def test_the_scalar_case_grows_by_powers_exactly():
    layer = unrolled.RNN(1, 1, nonlinearity="identity", bias=False)
    with torch.no_grad():
        layer.weight_ih_l0.fill_(1.0)
        layer.weight_hh_l0.fill_(2.0)
    inputs = torch.zeros(5, 1, 1)
    inputs[0] = 3.0
    assert layer(inputs)[0].flatten().tolist() == [3.0, 6.0, 12.0, 24.0, 3.0 * 2**4]

    def loss_at(steps):
        output, _ = layer(inputs.expand(-1, len(steps), -1))
        return output[steps, torch.arange(len(steps))].sum()

    (triangle,) = triangles(layer, loss_at, range(5))
    assert triangle.norms[4] == (16.0, 8.0, 4.0, 2.0, 1.0)
    assert triangle.decay == pytest.approx((1.0, 2.0, 4.0, 8.0, 16.0))


def test_an_error_that_lives_on_in_one_direction_only_vanishes():
    size = 12
    layer = unrolled.RNN(2, size, nonlinearity="identity", bias=False).double()
    weight = 0.5 * torch.eye(size, dtype=torch.float64)
    weight[0, 0] = 1.0
    with torch.no_grad():
        layer.weight_hh_l0.copy_(weight)
    flow, spectra = measured(layer, per_step=False)
    assert flow.decay[-1] > 0.01
    assert conclude({"l0": flow.decay}, RNN_SETTINGS).kind == "healthy"
    verdict = conclude({"l0": flow.decay}, RNN_SETTINGS, spectra=spectra)
    assert verdict.kind == "vanishing"
    assert verdict.numbers["factor per step in the second direction"] == pytest.approx(0.5, rel=1e-3)


def mean_loss(layer, inputs, targets, order):
    if order is not None:
        inputs, targets = reorder(inputs, order), reorder(targets, order)
    with torch.no_grad():
        output, _ = layer(inputs)
    return float((output[..., :1] - targets).square().mean())


def trained(inputs, targets):
    torch.manual_seed(0)
    layer = unrolled.RNN(1, 8, batch_first=True)
    optimizer = torch.optim.Adam(layer.parameters(), 0.02)
    for _ in range(60):
        optimizer.zero_grad()
        (layer(inputs)[0][..., :1] - targets).square().mean().backward()
        optimizer.step()
    return layer


@pytest.mark.parametrize("kind", ["not needed", "vanishing"])
def test_data_without_order_does_not_need_a_recurrent_network(kind):
    torch.manual_seed(2)
    inputs = torch.rand(64, 20, 1) - 0.5
    # Each target is of its own input, or of the one before.
    targets = inputs if kind == "not needed" else inputs.roll(1, 1)
    layer = trained(inputs, targets)
    found = order_test(lambda order: mean_loss(layer, inputs, targets, order), torch.full((64,), 20), 20)
    assert found.nothing_lost == (kind == "not needed")
    decay = [0.5**lag for lag in range(20)]
    verdict = conclude({"l0": decay}, RNN_SETTINGS, order=found)
    assert verdict.kind == kind
    assert verdict.numbers["loss when shuffled"] == pytest.approx(found.ordered + found.lost)


def test_a_network_no_better_than_chance_has_no_order_to_lose():
    stuck = OrderTest(ordered=0.167, shuffled=(0.167, 0.167), chance=0.167)
    assert not stuck.learned
    assert conclude({"l0": [0.5**lag for lag in range(99)]}, {}, order=stuck).kind == "vanishing"
    solved = OrderTest(ordered=0.001, shuffled=(0.001, 0.001), chance=0.167)
    assert conclude({"l0": [0.5**lag for lag in range(99)]}, {}, order=solved).kind == "not needed"


def every_remedy():
    """The remedies of many settings in every kind of case."""
    clipping = clipping_use([5.0, 7.0], [True, False])
    for options in (
        {"cell": "rnn", "recurrent_init": "uniform", "clip": "none", "clip_threshold": None},
        {"cell": "rnn", "activation": "relu", "recurrent_init": "identity", "clip_threshold": 100.0},
        {"cell": "lstm", "window": 30},
        {"cell": "gru", "window": 30, "reach": 60, "layer_norm": True},
        {"cell": "lstm", "chrono": 20.0, "omega": 1.0, "flossing": 1.0},
    ):
        settings = dict(TaskConfig(**options))
        for rate in (0.5, 0.97, 1.0, 1.2):
            decay = [rate**lag for lag in range(60)]
            for use in (None, clipping):
                verdict = conclude({"l0": decay}, settings, clipping=use)
                yield from ((settings, verdict.kind, remedy) for remedy in verdict.remedies)


def test_every_remedy_is_a_change_that_the_configuration_takes():
    names = set()
    for settings, _, remedy in every_remedy():
        changed = TaskConfig(**settings | dict(remedy.options))
        assert any(settings[name] != getattr(changed, name) for name in remedy.options)
        assert remedy.why
        assert remedy.why.endswith((".", "it."))
        names.add(remedy.name)
    assert {
        "LSTM with chrono initialisation",
        "GRU with chrono initialisation",
        "identity initialisation with ReLU",
        "orthogonal initialisation",
        "layer normalisation",
        "Omega regulariser",
        "gradient flossing",
        "chrono initialisation",
        "forget gate bias",
        "gradient clipping",
        "clipping threshold",
        "lower learning rate",
        "longer window",
        "longer reach",
        "LSTM",
        "GRU",
    } == names


def test_flags_are_those_of_the_command_line():
    from unrolled.cli.options import flags

    offered = {f"--{parameter.name.replace('_', '-')}" for parameter in flags(Classifier.Config)}
    for _, _, remedy in every_remedy():
        words = [word for word in remedy.flag.split() if word.startswith("--")]
        assert {word.replace("--no-", "--") for word in words} <= offered


def test_a_window_that_cuts_a_living_error_is_too_short():
    decay = [0.958**lag for lag in range(36)]
    (remedy,) = conclude({"l0": decay}, dict(TaskConfig(window=36))).remedies
    assert remedy.why == (
        "At lag 35, the end of your window, the gradient still has 22% of its size: lengthen it."
    )
    assert remedy.flag == "--window 72"


def test_remedies_are_named_only_where_their_options_exist():
    verdict = conclude({"l0": [0.5**lag for lag in range(50)]}, {"cell": "rnn", "omega": 0.0})
    assert [remedy.name for remedy in verdict.remedies] == ["Omega regulariser"]


def test_results_become_plain_json():
    use = ClippingUse(2, 0.5, math.inf, (math.nan,), (1.0, 2.0))
    assert use.to_json() == {
        "updates": 2,
        "clipped": 0.5,
        "mean": None,
        "quantiles": [None],
        "suggested": [1.0, 2.0],
    }
    assert Remedy("LSTM", {"cell": "lstm"}, "Why.").to_json()["flag"] == "--cell lstm"
