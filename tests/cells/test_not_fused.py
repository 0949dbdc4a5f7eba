"""Cells whose own step is run: as their programs where they have one, and what a program cannot say."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import unrolled
from tests.tolerances import tolerance
from unrolled.cells import Cell, constant, library, sigmoid, tanh
from unrolled.diagnosis.gates import gate_use
from unrolled.errors import ConfigError
from unrolled.inspection.equations import cell_equations
from unrolled.layers.implementation import implementation

TOLERANCE = tolerance(torch.float64, "gradient")
SUMS = ("janet", "minimal_gated_unit", "ugrnn", "long_short_term_memory", "leaky")
"""Cells whose gates are sums of what they are given, so that clamping either is the same."""


def plain(name):
    """A cell of the library, with its own step and the parameters of its program."""
    own, program = library.cell(name), library.cell(name)().program()
    changed = {"fused": False, "input_gates": program.inputs, "recurrent_gates": program.products}
    return type(own.__name__, (own,), changed)()


def both(name, *sizes, **options):
    torch.manual_seed(0)
    fused = unrolled.Recurrent(name, *sizes, dtype=torch.float64, **options)
    own = unrolled.Recurrent(plain(name), *sizes, dtype=torch.float64, **options)
    with torch.no_grad():
        for parameter in fused.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    own.load_state_dict(fused.state_dict())
    return fused, own


def ran(layer, values, **how):
    torch.manual_seed(1)
    output, state = layer(values, **how)
    parts = state if isinstance(state, tuple) else (state,)
    loss = output.square().sum() + sum((index + 1) * part.sum() for index, part in enumerate(parts))
    wanted = [values, *(parameter for parameter in layer.parameters() if parameter.numel())]
    found = torch.autograd.grad(loss, wanted, allow_unused=True)
    zeros = [torch.zeros_like(of) if one is None else one for one, of in zip(found, wanted, strict=True)]
    return [output, *parts, *zeros]


@settings(max_examples=60)
@given(
    cell=st.sampled_from(library.names()),
    layers=st.integers(1, 2),
    options=st.fixed_dictionaries(
        {},
        optional={
            "bias": st.just(False),
            "bidirectional": st.just(True),
            "batch_first": st.just(True),
            "layer_norm": st.just(True),
            "zoneout": st.just(0.3),
            "recurrent_dropout": st.just(0.4),
            "weight_drop": st.just(0.3),
            "state_noise": st.just(0.1),
            "initial_state": st.sampled_from(["learned", "random"]),
            "clip_step": st.just(0.05),
        },
    ),
    steps=st.integers(1, 6),
    hidden=st.integers(1, 9),
    ragged=st.booleans(),
    anew=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_a_step_run_as_it_stands_is_its_program(cell, layers, options, steps, hidden, ragged, anew, seed):
    if cell not in SUMS:
        options.pop("clip_step", None)
    fused, own = both(cell, 3, hidden, layers, **options)
    torch.manual_seed(seed)
    shape = (3, steps) if options.get("batch_first") else (steps, 3)
    values = torch.randn(*shape, 3, dtype=torch.float64, requires_grad=True)
    how = {"resets": torch.rand(shape) < 0.3} if anew else {}
    if ragged:
        how["lengths"] = torch.randint(0, steps + 1, (3,))
    for one, other in zip(ran(own, values, **how), ran(fused, values, **how), strict=True):
        torch.testing.assert_close(one, other, **TOLERANCE)


@pytest.mark.parametrize("cell", ["lem", "min_gru", "indrnn", "antisymmetric"])
def test_it_is_streamed_unrolled_and_heard(cell):
    fused, own = both(cell, 3, 4, 2)
    values = torch.randn(5, 2, 3, dtype=torch.float64)
    stream = own.eval().stream(2)
    outputs = torch.stack([stream.step(each) for each in values])
    torch.testing.assert_close(outputs, fused(values)[0], **TOLERANCE)
    errors = []
    for layer in (own, fused):
        heard = []
        layer.listeners = (lambda call, heard=heard: heard.append,)
        layer(values, lengths=[5, 3])[0].square().sum().backward()
        unrolling = layer.unroll(values, lengths=[5, 3], gates=True, probe=True)
        unrolling.output.square().sum().backward()
        assert unrolling.directions[0].gates.keys() == set(layer.gate_names)
        first = [each.probe_hidden.grad for each in unrolling.directions]
        torch.testing.assert_close(heard[1], first[0].norm(dim=-1), **TOLERANCE)
        errors.append(first)
    torch.testing.assert_close(*errors, **TOLERANCE)


class Settling(Cell):
    """What a program cannot say: as many turns as the values take, and a function of torch's own."""

    states = ("h", "turns")
    gates = ("drive", "settle")
    parameters = {"pull": constant(0.5)}  # noqa: RUF012
    recurrent_gates = ("settle",)
    fused = False

    def step(self, x, u, h, turns):
        drive, count = torch.sin(x.drive), 0
        while count < 8:
            new = tanh(drive + self.pull * u.settle(h) + x.settle)
            count += 1
            if (new - h).abs().max() < 0.05:
                break
            h = new
        return h, turns + count


def by_hand(layer, values):
    drive, settle = (values @ layer.weight_ih_l0.t() + layer.bias_ih_l0).chunk(2, -1)
    h, total = values.new_zeros(values.shape[1], 4), 0
    outputs = []
    for t in range(len(values)):
        for _ in range(8):
            total += 1
            product = h @ layer.weight_hh_l0.t() + layer.bias_hh_l0
            new = torch.tanh(torch.sin(drive[t]) + layer.pull_l0 * product + settle[t])
            if (new - h).abs().max() < 0.05:
                break
            h = new
        outputs.append(h)
    return torch.stack(outputs), total


def test_a_step_may_loop_on_values_and_call_torch():
    torch.manual_seed(0)
    layer = unrolled.Recurrent(Settling, 3, 4, dtype=torch.float64)
    values = torch.randn(6, 2, 3, dtype=torch.float64)
    output, (_, turns) = layer(values)
    expected, total = by_hand(layer, values)
    assert 6 < total < 48
    assert (turns == total).all()
    torch.testing.assert_close(output, expected, **TOLERANCE)
    wanted = list(layer.parameters())
    found = torch.autograd.grad(output.square().sum(), wanted)
    right = torch.autograd.grad(expected.square().sum(), wanted)
    torch.testing.assert_close(found, right, **TOLERANCE)
    assert [name for name, _ in layer.named_parameters()][-1] == "pull_l0"
    assert layer.weight_hh_l0.shape == (4, 4)


def test_what_needs_a_program_says_that_there_is_none():
    layer = unrolled.Recurrent(Settling, 3, 4)
    with pytest.raises(ConfigError, match=r"Settling runs its step as plain torch .*expected a fused cell"):
        _ = layer.program
    assert cell_equations(layer) == {}
    assert implementation(layer).why == "Settling runs its own step (fused = False)"
    (gates,) = gate_use(layer, lambda: layer(torch.randn(4, 2, 3)))
    assert (gates.time_constant, gates.saturated, gates.dead) == (None, None, None)


def test_numbers_drawn_in_a_step_do_not_shift_those_of_the_layer():
    class Noisy(Settling):
        def step(self, x, u, h, turns):
            return tanh(x.drive + x.settle + u.settle(h)) + torch.randn_like(h), turns

    torch.manual_seed(0)
    first = unrolled.Recurrent(Noisy, 3, 4).weight_ih_l0
    after = torch.rand(1)
    torch.manual_seed(0)
    second = unrolled.Recurrent(Settling, 3, 4).weight_ih_l0
    assert torch.equal(first, second)
    assert torch.equal(after, torch.rand(1))


def step_of(step):
    return type("Wrong", (Settling,), {"step": step})


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (lambda self, x, u, h, turns: h, r"return its 2 states \(h, turns\), got 1 \(line \d+ of .*py\)"),
        (lambda self, x, u, h, turns: (h[:, :2], turns), r"return h of shape \(2, 4\), got \(2, 2\) \(line"),
        (
            lambda self, x, u, h, turns: (h.mean(-1, keepdim=True), turns),
            r"h of shape \(2, 4\), got \(2, 1\)",
        ),
        (lambda self, x, u, h, turns: (h.float(), turns), r"h of torch.float64 on cpu, got torch.float32"),
        (lambda self, x, u, h, turns: (h, "turns"), r"return turns, a tensor, got str"),
        (lambda self, x, u, h, turns: (x.settling, turns), r"one of the gates drive, settle, got 'settling'"),
        (lambda self, x, u, h, turns: (u.drive(h), turns), r"one of the gates settle, got 'drive'"),
        (lambda self, x, u, h, turns: (u.settle(h[0, :3]), turns), r"u.settle.*shape \(2, 4\), got \(3,\)"),
        (lambda self, x, u, h, turns: (h @ h, turns), r"line \d+ of .*RuntimeError: mat1 and mat2"),
        (lambda self, x, u, h: h, r"cannot be called.*expected step\(self, x, u, h, turns\)"),
    ],
)
def test_a_step_that_does_not_fit_is_refused_before_anything_runs(step, said):
    with pytest.raises(ConfigError, match=said):
        unrolled.Recurrent(step_of(step), 3, 4, dtype=torch.float64)


def test_a_description_that_does_not_fit_is_refused():
    def changed(**attributes):
        return unrolled.Recurrent(type("Wrong", (Settling,), attributes), 3, 4)

    with pytest.raises(ConfigError, match=r"gates among .* in their order, got \['other'\]"):
        changed(recurrent_gates=("other",))
    with pytest.raises(ConfigError, match="recurrent_gates of Wrong to be a tuple of names"):
        changed(recurrent_gates="settle")
    with pytest.raises(ConfigError, match=r"gates with a recurrent matrix, \['settle'\], got \['drive'\]"):
        changed(matrices={"drive": "antisymmetric"})
    with pytest.raises(ConfigError, match="have a step"):
        changed(step=Cell.step)
    fused = type("Fused", (library.cell("janet"),), {"input_gates": ("candidate",)})
    with pytest.raises(ConfigError, match=r"input_gates of Fused to be those that its step reads, \['forget"):
        fused().program()


class Switching(Cell):
    """Branches on a value of every row together."""

    gates = ("keep", "candidate")
    fused = False

    def step(self, x, u, h):
        if float(h.detach().abs().mean()) > 0.5:
            return 0.5 * h
        f = sigmoid(x.keep + u.keep(h))
        return f * h + (1 - f) * torch.erf(x.candidate + u.candidate(h))


def test_a_task_trains_it_and_does_not_save_it(tmp_path):
    rows = [([[float(index), float(step)] for step in range(4)], "ab"[index % 2]) for index in range(20)]
    estimator = unrolled.Classifier(cell=Switching, hidden_size=4, epochs=2)
    with pytest.raises(ConfigError, match=r"Switching has none .*expected a fused cell to save a model"):
        estimator.fit(rows, run_folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    estimator.fit(rows)
    assert len(estimator.predict([each for each, _ in rows[:3]])) == 3
    with pytest.raises(ConfigError, match=r"expected a fused cell to save a model or a checkpoint"):
        estimator.save(tmp_path / "model")
    assert "Switching" in estimator.effective.model_dump_json()
