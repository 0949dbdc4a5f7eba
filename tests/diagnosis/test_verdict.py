"""Constructed networks whose verdict is forced, at rates that are known."""

import math
from dataclasses import replace

import pytest
import torch

import unrolled
from unrolled.diagnosis import (
    ClippingUse,
    Evidence,
    Gates,
    GateUse,
    Learning,
    Need,
    OrderTest,
    Remedy,
    clipping_use,
    conclude,
    course_of,
    jacobians,
    judged,
    order_test,
    reorder,
    triangles,
    watch,
    weight_faults,
)
from unrolled.diagnosis.decay import rate_of
from unrolled.diagnosis.remedies import worth_trying
from unrolled.tasks.classify import Classifier
from unrolled.tasks.config import TaskConfig
from unrolled.tasks.options import overridden

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
    near = Need("a probe", (1, 30), (0.4, 0.0), loss=1.0)
    stuck = {"spectra": spectra, "learning": STUCK, "need": near}
    assert conclude({"l0": flow.decay}, RNN_SETTINGS, **stuck).kind == "vanishing"
    # One whose training ended on the way may yet learn what lies near.
    more = conclude({"l0": flow.decay}, RNN_SETTINGS, **stuck, course=UNFINISHED)
    assert more.kind == "undecided"
    assert "more epochs would decide" in more.sentence


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


@pytest.mark.parametrize("kind", ["order not needed", "vanishing"])
def test_data_without_order_does_not_need_a_recurrent_network(kind):
    torch.manual_seed(2)
    inputs = torch.rand(64, 20, 1) - 0.5
    # Each target is of its own input, or of the one before.
    targets = inputs if kind == "order not needed" else inputs.roll(1, 1)
    layer = trained(inputs, targets)
    found = order_test(lambda order: mean_loss(layer, inputs, targets, order), torch.full((64,), 20), 20)
    assert found.nothing_lost == (kind == "order not needed")
    decay = [0.5**lag for lag in range(20)]
    verdict = conclude({"l0": decay}, RNN_SETTINGS, order=found)
    assert verdict.kind == kind
    assert verdict.numbers["loss when shuffled"] == pytest.approx(found.ordered + found.lost)


def test_a_network_no_better_than_chance_has_no_order_to_lose():
    stuck = OrderTest(ordered=0.167, shuffled=(0.167, 0.167), chance=0.167)
    assert not stuck.learned
    assert conclude({"l0": [0.5**lag for lag in range(99)]}, {}, order=stuck).kind == "vanishing"
    solved = OrderTest(ordered=0.001, shuffled=(0.001, 0.001), chance=0.167)
    assert conclude({"l0": [0.5**lag for lag in range(99)]}, {}, order=solved).kind == "order not needed"


OPTIONS = (
    {"cell": "rnn", "recurrent_init": "uniform", "clip": "none", "clip_threshold": None},
    {"cell": "rnn", "activation": "relu", "recurrent_init": "identity", "clip_threshold": 100.0},
    {"cell": "rnn", "activation": "relu", "learning_rate": 0.1},
    {"cell": "lstm", "window": 8, "epochs": 3, "learning_rate": 1e-5},
    {"cell": "gru", "window": 8, "reach": 16, "layer_norm": True},
    {"cell": "lstm", "chrono": 20.0},
)
UNFINISHED = course_of([2.0, 1.5, 1.0], [1.0] * 9, [1.0] * 9)
STUCK, LEARNED = Learning(1.0, chance=1.0), Learning(0.5, chance=1.0)
FAR = Need("a probe", (1, 30), (0.0, 0.4), loss=1.0)


def every_remedy():
    """The remedies of many settings in every kind of case, and what would be tried."""
    spiked = clipping_use([5.0, 7.0, 6.0, 1e4], [False] * 4)
    units = Gates("l0", "rnn", {}, None, None, 0.9)
    for options in OPTIONS:
        settings = dict(Classifier.Config(pooling="last", **options))
        usual = dict(Classifier.Config())
        for rate in (0.5, 0.99, 1.2):
            decays = {"l0": [rate**lag for lag in range(60)]}
            for learning in (None, STUCK, LEARNED):
                for more in (
                    {},
                    {"clipping": spiked},
                    {"course": UNFINISHED},
                    {"gates": [units]},
                    {"need": FAR},
                ):
                    evidence = Evidence(decays, settings, usual=usual, learning=learning, **more)
                    verdict = judged(evidence)
                    tried = worth_trying(evidence, verdict.remedies, 6)
                    assert len(tried) <= 6
                    yield from ((settings, verdict.kind, each) for each in (*verdict.remedies, *tried))


def test_every_remedy_is_a_change_that_the_configuration_takes():
    names = set()
    for settings, _, remedy in every_remedy():
        changed = Classifier.Config(**overridden(settings, dict(remedy.options)))
        assert any(settings[name] != getattr(changed, name) for name in remedy.options)
        assert remedy.why
        assert remedy.why.endswith((".", "it."))
        names.update(remedy.name.split(", "))
    assert {
        "LSTM with chrono initialisation",
        "GRU with chrono initialisation",
        "identity initialisation with ReLU",
        "orthogonal initialisation",
        "attention over the steps",
        "chrono initialisation",
        "gradient clipping",
        "clipping threshold",
        "lower learning rate",
        "usual learning rate",
        "higher learning rate",
        "more epochs",
        "longer window",
        "as many updates",
        "longer reach",
        "tanh in place of ReLU",
        "more units",
        "LSTM",
        "GRU",
    } <= names


def test_flags_are_those_of_the_command_line():
    from unrolled.cli.options import flags

    offered = {f"--{parameter.name.replace('_', '-')}" for parameter in flags(Classifier.Config)}
    for _, _, remedy in every_remedy():
        words = [word for word in remedy.flag.split() if word.startswith("--")]
        assert {word.replace("--no-", "--") for word in words} <= offered


def test_a_window_that_cuts_off_what_there_is_to_use_is_too_short():
    settings = dict(TaskConfig(window=8, epochs=3))
    verdict = conclude({"l0": [0.97**lag for lag in range(60)]}, settings, learning=LEARNED, need=FAR)
    assert verdict.kind == "short-sighted"
    assert "window of 8 steps" in verdict.sentence
    assert "30 steps back would lower the loss of 1 by 0.4" in verdict.sentence
    # Twice as far as what is needed, and as many updates as before: patience counts epochs of fewer of them.
    assert [remedy.flag for remedy in verdict.remedies] == [
        "--window 64 --epochs 24 --patience 40",
        "--window 64",
        "--reach 64",
    ]
    long = conclude(
        {"l0": [0.97**lag for lag in range(60)]}, settings | {"window": 40}, learning=LEARNED, need=FAR
    )
    assert long.kind != "short-sighted"


def test_what_is_left_at_the_longest_lag_means_nothing_where_it_is_not_needed():
    faded = {"l0": [0.5**lag for lag in range(60)]}
    for learned in (LEARNED, Learning(0.5, chance=1.0, score=0.9, mode="max", baselines={"majority": 0.5})):
        sound = conclude(faded, RNN_SETTINGS, learning=learned)
        assert sound.kind == "healthy"
        assert "faded to a hundredth after 7 steps" in sound.sentence
        missing = conclude(faded, RNN_SETTINGS, learning=learned, need=FAR)
        assert missing.kind == "vanishing"
        assert "30 steps back, where a probe lowers the loss by 0.4" in missing.sentence
        near = Need("a probe", (1, 30), (0.4, 0.0), loss=1.0)
        assert conclude(faded, RNN_SETTINGS, learning=learned, need=near).kind == "healthy"


def test_what_has_not_learned_is_vanishing_only_where_the_error_does_not_come_through():
    faded, kept = {"l0": [0.5**lag for lag in range(60)]}, {"l0": [1.0] * 60}
    assert conclude(faded, RNN_SETTINGS, learning=STUCK).kind == "vanishing"
    assert conclude(kept, RNN_SETTINGS, learning=STUCK).kind == "undecided"
    assert conclude(faded, RNN_SETTINGS, learning=STUCK, direct=True).kind == "undecided"
    more = conclude(kept, RNN_SETTINGS, learning=STUCK, course=UNFINISHED)
    assert more.kind == "undecided"
    assert "more epochs" in more.sentence
    assert more.remedies[0].flag == "--epochs 80"


def test_a_sound_network_whose_training_ended_on_the_way_is_undecided():
    kept, settings = {"l0": [1.0] * 60}, dict(TaskConfig(epochs=2))
    usual = dict(TaskConfig())

    def of(scores, loss=0.5, **options):
        course = course_of(scores, [1.0] * 9, [1.0] * 9, **options)
        learning = Learning(loss, chance=1.0, score=loss, baselines={"mean": 1.0})
        return judged(Evidence(kept, settings, usual=usual, learning=learning, course=course))

    cut = of([0.9, 0.5])
    assert cut.kind == "undecided"
    assert "the last of its 2 epochs brought 100% of what it has gained since the first" in cut.sentence
    assert cut.remedies[0].flag == "--epochs 20"
    assert of([0.5]).kind == "undecided"
    # A little more at the end is no reason, nor is a pause before it, nor what has all but solved its task.
    slow = [0.9, 0.8, 0.7, 0.6, 0.55, 0.52, 0.5]
    assert of(slow).kind == "healthy"
    assert of([0.9, 0.51, 0.8, 0.5]).kind == "healthy"
    assert of([0.9, 0.05], loss=0.05).kind == "healthy"
    assert of([0.9, 0.5], stopped_early=True).kind == "healthy"
    assert of([0.1, 0.5], mode="max").kind == "undecided"


def test_what_reaches_the_loss_on_a_way_of_its_own_is_not_out_of_reach():
    faded = {"l0": [0.5**lag for lag in range(60)]}
    sound = conclude(faded, RNN_SETTINGS, learning=LEARNED, need=FAR, direct=True)
    assert sound.kind == "healthy"
    assert "past the recurrence" in sound.sentence
    assert "no probe" not in sound.sentence


def test_a_simple_method_that_does_better_leaves_it_undecided():
    below = Learning(0.5, chance=1.0, score=2.0, monitor="RMSE", baselines={"ridge": 1.0})
    verdict = conclude({"l0": [1.0] * 60}, RNN_SETTINGS, learning=below)
    assert verdict.kind == "undecided"
    assert "ridge, a simple method, does better (RMSE 1 against 2)" in verdict.sentence


def test_what_is_far_better_than_the_plainest_method_has_learned():
    baselines = {"persistence": 1.37, "linear autoregression": 0.341}
    found = Learning(1.0, score=0.351, monitor="rmse", baselines=baselines)
    assert (found.level, found.learned) == ("below", True)
    faded = {"l0": [0.5**lag for lag in range(60)]}
    assert conclude(faded, RNN_SETTINGS, learning=found).kind == "undecided"
    assert not replace(found, score=1.3).learned
    assert not replace(found, baselines={"persistence": 0.2}).learned


def test_order_is_not_called_needless_where_only_what_needs_memory_does_as_well():
    strewn = OrderTest(ordered=0.01, shuffled=(0.01, 0.01), chance=1.0)
    better = Learning(
        0.01, chance=1.0, score=0.1, monitor="RMSE", baselines={"mean": 1.0}, unordered=("mean",)
    )
    decays = {"l0": [1.0] * 60}
    assert conclude(decays, RNN_SETTINGS, order=strewn, learning=better).kind == "healthy"
    alike = replace(better, baselines={"mean": 0.1})
    assert conclude(decays, RNN_SETTINGS, order=strewn, learning=alike).kind == "order not needed"
    ordered = Need("a probe", (1,), (0.0,), loss=0.01, order_gain=0.005)
    verdict = conclude(decays, RNN_SETTINGS, order=strewn, learning=alike, need=ordered)
    assert verdict.kind == "order not used"
    assert "this model does not use" in verdict.sentence


def test_what_training_went_through_comes_before_what_an_error_meets():
    kept = {"l0": [1.0] * 60}
    unclipped = RNN_SETTINGS | {"clip": "none", "clip_threshold": None}
    norms = [1.0] * 40 + [4.8e13] + [1.0] * 40
    losses = [1.0] * 41 + [3.0] * 40
    use, course = clipping_use(norms, [False] * 81), course_of([1.0, 3.0], norms, losses)
    verdict = conclude(kept, unclipped, learning=STUCK, clipping=use)
    assert verdict.kind == "exploding"
    # The typical norm, not the mean of 5.9e11.
    assert verdict.remedies[0].flag == "--clip norm --clip-threshold 1"
    assert conclude(kept, unclipped, learning=STUCK, course=course).kind == "diverged"
    clipped = clipping_use(norms, [norm > 5 for norm in norms])
    assert conclude(kept, RNN_SETTINGS, learning=LEARNED, clipping=clipped).kind == "healthy"


def test_what_cannot_be_measured_is_named():
    layer = unrolled.LSTM(2, 3)
    with torch.no_grad():
        layer.weight_hh_l0[0, 0] = math.nan
    (fault,) = weight_faults(layer)
    assert fault.startswith("1 of the 36 numbers in weight_hh_l0")
    assert conclude({}, faults=[fault]).kind == "cannot be measured"
    assert conclude({}).kind == "cannot be measured"
    assert conclude({"l0": [1.0]}).kind == "cannot be measured"
    assert conclude({"l0": [1.0, math.nan, math.nan]}).kind == "cannot be measured"


@pytest.mark.parametrize(
    ("gates", "words"),
    [
        (Gates("l0", "rnn", {}, None, None, 0.61), "61% of the ReLU units of l0 are dead"),
        (Gates("l0", "rnn", {}, None, 0.97, None), "97% of the values of l0 are saturated"),
        (Gates("l0", "lstm", {"input_gate": GateUse(1e-9, 0, 1, ())}, (1.0,), 0.0, None), "input gate"),
        (Gates("l0", "lstm", {"output_gate": GateUse(1e-9, 0, 1, ())}, (1.0,), 0.0, None), "output gate"),
        (Gates("l0", "gru", {"update_gate": GateUse(1.0, 1, 0, ())}, (1.0,), 0.0, None), "update gate"),
    ],
)
def test_units_that_do_nothing_are_named_unless_the_network_works(gates, words):
    kept = {"l0": [1.0] * 60}
    verdict = conclude(kept, dict(TaskConfig(cell="rnn", activation="relu")), gates=[gates])
    assert verdict.kind == "saturated or dead"
    assert words in verdict.sentence
    assert conclude(kept, RNN_SETTINGS, gates=[gates], learning=LEARNED).kind == "healthy"


def test_humps_and_dips_on_the_way_are_seen():
    way = [math.sin(math.pi * lag / 60) for lag in range(61)]
    hump = conclude({"l0": [10 ** (6 * height) for height in way]}, {})
    assert hump.kind == "exploding"
    assert "after 30 steps an error is 1e+06 times as large" in hump.sentence
    dip = conclude({"l0": [10 ** (-8 * height) for height in way]}, {})
    assert dip.kind == "vanishing"
    assert "after 30 steps 1.0e-08 of an error is left, and after 60 steps 100%" in dip.sentence


def test_of_two_layers_the_better_counts_and_of_two_directions_each():
    faded, kept = [0.5**lag for lag in range(60)], [1.0] * 60
    assert conclude({"l0": faded, "l1": kept}).kind == "healthy"
    one = conclude({"l0": faded, "l0_reverse": kept})
    assert one.kind == "vanishing"
    assert "read backwards it does not: 100% of an error is left (l0_reverse)" in one.sentence


def test_the_evidence_is_printed_in_the_order_in_which_it_is_weighed():
    verdict = conclude(
        {"l0": [1.0] * 60},
        RNN_SETTINGS,
        learning=LEARNED,
        course=UNFINISHED,
        order=OrderTest(0.5, (0.9,), 1.0),
        need=FAR,
    )
    begins = ("All weights", "It has learned", "Training took 3 epochs", "A probe", "After 59 steps")
    assert [ground.startswith(begin) for ground, begin in zip(verdict.grounds, begins, strict=True)] == [
        True
    ] * 5


def test_remedies_are_named_only_where_their_options_exist():
    verdict = conclude({"l0": [0.5**lag for lag in range(50)]}, {"cell": "rnn", "recurrent_init": "uniform"})
    assert [remedy.name for remedy in verdict.remedies] == ["orthogonal initialisation"]


def test_a_few_long_sequences_do_not_decide_for_all():
    torch.manual_seed(0)
    layer = network(0.9 * rotation())
    inputs = torch.randn(80, 64, 2, dtype=torch.float64)
    lengths = torch.tensor([20] * 63 + [80])
    with watch(layer) as watched:
        layer(inputs, lengths=lengths)[1].sum().backward()
    (flow,) = watched.flows()
    assert len(flow.norm) == 80
    assert flow.decay == pytest.approx([0.9**lag for lag in range(20)])


@pytest.mark.parametrize("per_step", [False, True], ids=["loss at the end", "loss at every step"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rates_outlive_the_smallest_number_of_a_type(dtype, per_step):
    layer = network(0.3 * rotation()).to(dtype)
    inputs = torch.randn(400, 2, 2, dtype=dtype)
    with watch(layer) as watched:
        output = layer(inputs)[0]
        (output if per_step else output[-1]).sum().backward()
    (flow,) = watched.flows()
    assert rate_of(flow.decay) == pytest.approx(0.3, rel=1e-4)

    def loss_at(steps):
        output, _ = layer(inputs[:, :1].expand(-1, len(steps), -1))
        return output[steps, torch.arange(len(steps))].sum()

    (triangle,) = triangles(layer, loss_at, [399])
    assert rate_of(triangle.decay) == pytest.approx(0.3, rel=1e-2)  # denormal numbers have few digits


def test_an_error_that_lives_in_the_cell_alone_is_left_at_every_step():
    layer = unrolled.LSTM(2, SIZE).double()
    with torch.no_grad():
        layer.weight_hh_l0.zero_()
        layer.bias_ih_l0[SIZE : 2 * SIZE] = 100.0
    inputs = torch.randn(STEPS, 1, 2, dtype=torch.float64)

    def loss_at(steps):
        output, _ = layer(inputs.expand(-1, len(steps), -1))
        return output[steps, torch.arange(len(steps))].square().sum()

    (triangle,) = triangles(layer, loss_at, range(STEPS))
    assert triangle.norms[-1][0] == 0  # h, which the next step does not read
    assert triangle.decay[-1] > 0.01
    with watch(layer) as watched:
        layer(inputs)[0].square().sum().backward()
    (flow,) = watched.flows()
    assert flow.gain[1:] == pytest.approx([1.0] * (STEPS - 2))


def test_the_course_of_a_run_is_read_off_its_history():
    steady = [1.0] * 40
    calm = course_of([3.0, 2.0, 1.0], steady, steady)
    assert (calm.spikes, calm.worst, calm.setback, calm.unfinished) == (0, 1.0, 0.0, True)
    thrown = course_of([3.0, 1.0, 2.0], [*steady, 1e6, *steady], [*steady, 1.0, *([2.5] * 40)])
    assert (thrown.spikes, thrown.worst, thrown.unfinished) == (1, 1e6, False)
    assert thrown.setback == pytest.approx(1.5)
    assert not course_of([3.0, 2.0, 1.0], [], [], stopped_early=True).unfinished
    assert not course_of([3.0, 2.0, 1.0], [], [], [0.5, 0.9, 0.9], mode="max").unfinished


def test_the_first_updates_are_no_spikes():
    falling = [100.0, 50.0, 20.0, *[1.0] * 50]
    assert course_of([1.0], falling, falling).spikes == 0


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


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("kept", [1e-9, 0.02, 0.3, 0.6, 1.0, 1.8, 3.0, 9.0])
def test_a_healthy_sentence_agrees_with_its_number(kept, direct):
    decay = [kept ** (lag / 39) for lag in range(40)]
    verdict = judged(Evidence({"l0": decay}, direct=direct))
    assert verdict.kind == ("vanishing" if kept < 0.01 and not direct else "healthy")
    assert ("keeps its size" in verdict.sentence) == (0.5 <= kept <= 2)
    assert ("a way of its own" in verdict.sentence) == (kept < 0.01 and direct)


def test_a_gain_too_small_to_count_is_told_with_its_number():
    some = Need("a probe", (1, 8), (0.02, 0.16), loss=1.09, error=0.13)
    (ground,) = [each for each in judged(Evidence({"l0": [1.0, 0.5]}, need=some)).grounds if "probe" in each]
    assert "for sure: it saves 0.16 of its loss at most, by what stood 8 steps back" in ground
    assert "less than 0.39 does not count" in ground
    none = replace(some, gains=(0.0, -0.1))
    (ground,) = [each for each in judged(Evidence({"l0": [1.0, 0.5]}, need=none)).grounds if "probe" in each]
    assert ground.endswith("finds nothing in the past that it misses.")
