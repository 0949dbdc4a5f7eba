"""What the recurrences compute, where a few lines on paper give the answer."""

import pytest
import torch

from tests.ops.cases import CASES, GRU, LENGTHS, LSTM, NAMES, RNN, T
from tests.tolerances import tolerance

VALUE, GRADIENT = tolerance(torch.float64, "value"), tolerance(torch.float64, "gradient")


def test_a_linear_scalar_shows_powers_of_its_weight():
    w, steps = 0.9, 20
    probe = torch.zeros(steps, 1, 1, dtype=torch.float64, requires_grad=True)
    hidden, h_n, _ = RNN.call(
        gates_x=torch.zeros(steps, 1, 1, dtype=torch.float64),
        h_0=torch.ones(1, 1, dtype=torch.float64),
        weight_hh=torch.tensor([[w]], dtype=torch.float64),
        probe_h=probe,
        activation="identity",
    )
    h_n.sum().backward()
    powers = torch.tensor([w**t for t in range(steps + 1)], dtype=torch.float64)
    torch.testing.assert_close(hidden.flatten(), powers[1:], **VALUE)
    assert probe.grad is not None
    torch.testing.assert_close(probe.grad.flatten(), powers[:-1].flip(0), **VALUE)


@pytest.mark.parametrize(("recurrence", "option"), CASES, ids=NAMES)
def test_nothing_past_a_rows_end_is_read_and_all_there_is_zero(recurrence, option):
    arguments = recurrence.arguments(option) | {"lengths": LENGTHS}
    clean = recurrence.call(**arguments)
    past = torch.arange(T)[:, None] >= LENGTHS
    with torch.no_grad():
        arguments["gates_x"][past] = float("nan")
    for result, expected in zip(recurrence.call(**arguments), clean, strict=True):
        assert torch.equal(result, expected)
        if result.dim() == 3:
            assert not result[past].any()
    total = sum(result.sum() for result in recurrence.call(**arguments))
    total.backward()
    assert all(
        value.grad.isfinite().all()
        for value in arguments.values()
        if isinstance(value, torch.Tensor) and value.requires_grad
    )
    assert not arguments["gates_x"].grad[past].any()


@pytest.mark.parametrize("recurrence", [RNN, GRU, LSTM], ids=lambda each: each.name)
def test_a_row_without_steps_returns_its_initial_state(recurrence):
    arguments = recurrence.arguments("lengths")
    empty = int((LENGTHS == 0).nonzero())
    results = recurrence.call(**arguments)
    finals = results[2:4] if recurrence is LSTM else results[1:2]
    starts = [arguments[name] for name in ("h_0", "c_0") if name in arguments]
    for final, start in zip(finals, starts, strict=True):
        assert torch.equal(final[empty], start[empty])


@pytest.mark.parametrize("recurrence", [RNN, GRU, LSTM], ids=lambda each: each.name)
def test_reverse_is_forward_over_flipped_time(recurrence):
    arguments = recurrence.arguments("plain")
    backwards = recurrence.call(**(arguments | {"reverse": True}))
    flipped = recurrence.call(**(arguments | {"gates_x": arguments["gates_x"].flip(0)}))
    for ours, expected in zip(backwards, flipped, strict=True):
        torch.testing.assert_close(ours, expected.flip(0) if ours.dim() == 3 else expected, **VALUE)


@pytest.mark.parametrize("recurrence", [RNN, GRU, LSTM], ids=lambda each: each.name)
def test_the_probes_gradient_is_the_total_gradient_of_every_hidden_state(recurrence):
    arguments = recurrence.arguments("probe")
    weights = torch.randn(T, *arguments["h_0"].shape, dtype=torch.float64)
    (recurrence.call(**arguments)[0] * weights).sum().backward()
    # The same through a chain of one-step calls, whose hidden states autograd can be asked about.
    states = [arguments[key].detach().requires_grad_() for key in ("h_0", "c_0") if key in arguments]
    carried, hidden = states, []
    for t in range(T):
        step = {key: arguments[key][t : t + 1].detach() for key in arguments if key.startswith("probe")}
        step |= {"gates_x": arguments["gates_x"][t : t + 1].detach()}
        step |= dict(zip(("h_0", "c_0"), carried, strict=False))
        step |= {"weight_hh": arguments["weight_hh"].detach()}
        results = recurrence.call(**step)
        carried = list(results[2:4] if recurrence is LSTM else results[1:2])
        hidden.append(carried[0])
    total = sum((h * weight).sum() for h, weight in zip(hidden, weights, strict=True))
    expected = torch.autograd.grad(total, hidden)
    torch.testing.assert_close(arguments["probe_h"].grad, torch.stack(expected), **GRADIENT)


@pytest.mark.parametrize("recurrence", [RNN, GRU, LSTM], ids=lambda each: each.name)
def test_clipping_bounds_every_gradient_that_enters_a_gate(recurrence):
    bound = 0.05
    arguments = recurrence.arguments("plain") | {"clip_step": bound}
    (recurrence.call(**arguments)[0].sum() * 10).backward()
    grad = arguments["gates_x"].grad
    assert grad.abs().max() == bound
    free = recurrence.arguments("plain")
    (recurrence.call(**free)[0].sum() * 10).backward()
    assert free["gates_x"].grad.abs().max() > bound
    # At the last step nothing has been clipped yet: there it is the free gradient clamped. (Not so a GRU's
    # reset gate, which is reached through the candidate.)
    begin = free["h_0"].shape[1] if recurrence is GRU else 0
    last, free_last = grad[-1, :, begin:], free["gates_x"].grad[-1, :, begin:]
    torch.testing.assert_close(last, free_last.clamp(-bound, bound), **GRADIENT)


def test_a_bound_above_every_gradient_changes_nothing():
    grads = []
    for bound in (0.0, 1e6):
        arguments = LSTM.arguments("plain") | {"clip_step": bound}
        LSTM.call(**arguments)[0].sum().backward()
        grads.append(arguments["weight_hh"].grad)
    assert torch.equal(*grads)


def test_full_zoneout_holds_the_state():
    arguments = LSTM.arguments("plain")
    ones = torch.ones(1, 1, 1, dtype=torch.float64)
    hidden, cell, *_ = LSTM.call(**arguments, zoneout_h=ones, zoneout_c=ones)
    assert torch.equal(hidden, arguments["h_0"].expand_as(hidden))
    assert torch.equal(cell, arguments["c_0"].expand_as(cell))


def test_zoneout_mixes_old_and_new():
    arguments = GRU.arguments("plain")
    one = {"gates_x": arguments["gates_x"][:1]}
    new = GRU.call(**(arguments | one))[1]
    mixed = GRU.call(**(arguments | one), zoneout_h=torch.full((1, 1, 1), 0.25, dtype=torch.float64))[1]
    torch.testing.assert_close(mixed, 0.25 * arguments["h_0"] + 0.75 * new, **VALUE)
