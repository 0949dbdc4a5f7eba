"""Whatever hands on a state, and however: what is watched equals what autograd says of the same loop."""

import copy
import io
import itertools
import math
import pickle
from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import unrolled
from tests.tolerances import tolerance
from unrolled.diagnosis import watch
from unrolled.errors import ConfigError

EXACT = tolerance(torch.float64, "gradient")
WIDTH, HIDDEN = 3, 4
drawn = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def parts(state):
    return list(state) if isinstance(state, tuple) else [state]


def like(state, tensors):
    return tuple(tensors) if isinstance(state, tuple) else tensors[0]


def changed(state, change):
    return like(state, [change(part) for part in parts(state)])


@dataclass
class Kept:
    """The states of a loop, each with a node of its own, as it was made and as it was handed on."""

    made: list = field(default_factory=list)
    handed: list = field(default_factory=list)

    def __call__(self, state):
        self.made.append(parts(state))
        state = changed(state, torch.clone)
        self.handed.append(parts(state))
        return state

    def totals(self, loss):
        """dL/ds of every state, whole."""
        every = [part for state in self.handed for part in state]
        found = iter(torch.autograd.grad(loss, every, retain_graph=True, materialize_grads=True))
        return [[next(found) for _ in state] for state in self.handed]

    def gains(self, totals):
        """By what factor the error of each row changes between a state and the one before."""
        found = []
        for before, made, total in zip(self.handed, self.made[1:], totals[1:], strict=False):
            sent = torch.autograd.grad(made, before, total, retain_graph=True, materialize_grads=True)
            found.append(size(sent) / size(total))
        return found


def size(parts_):
    return torch.cat(
        [part.reshape(len(part), -1) if part.dim() > 1 else part[None] for part in parts_], 1
    ).norm(dim=1)


def equal(found, expected):
    found, expected = (torch.as_tensor(each, dtype=torch.float64) for each in (found, expected))
    torch.testing.assert_close(found, expected, **EXACT)


def log_mean(rows):
    return rows.log().mean().exp()


CELLS = {"rnn": nn.RNNCell, "relu": nn.RNNCell, "gru": nn.GRUCell, "lstm": nn.LSTMCell}
BETWEEN = {
    "as it is": lambda part, _: part,
    "scaled": lambda part, _: 0.7 * part,
    "some units dropped": lambda part, step: part * (torch.arange(part.shape[-1]) != step % part.shape[-1]),
    "normalised": lambda part, _: nn.functional.layer_norm(part, part.shape[-1:]),
    "in place": lambda part, _: part.mul_(0.9),
}


class Loop(nn.Module):
    """A cell in a loop, as people write it."""

    def __init__(self, kind, between="as it is", by_hand=False):
        super().__init__()
        options = {"nonlinearity": "relu"} if kind == "relu" else {}
        self.cell = CELLS[kind](WIDTH, HIDDEN, dtype=torch.float64, **options)
        self.between, self.by_hand = BETWEEN[between], by_hand

    def forward(self, inputs, keep=None):
        state, outputs = None, []
        for step, x in enumerate(inputs):
            if state is not None:
                state = changed(state, lambda part, step=step: self.between(part, step))
            state = self.cell(x, state)
            if keep is not None:
                state = keep(state)
            elif self.by_hand:
                state = watch.step(state, of=self)
            outputs.append(parts(state)[0])
        return torch.stack(outputs)


@drawn
@given(
    kind=st.sampled_from(sorted(CELLS)),
    between=st.sampled_from(sorted(set(BETWEEN) - {"in place"})),
    by_hand=st.booleans(),
    steps=st.integers(1, 7),
    rows=st.integers(0, 5),
    last=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_a_cell_in_a_loop(kind, between, by_hand, steps, rows, last, seed):
    torch.manual_seed(seed)
    loop = Loop(kind, between, by_hand)
    shape = (steps, WIDTH) if rows == 0 else (steps, rows, WIDTH)
    inputs = torch.randn(shape, dtype=torch.float64)
    weight = torch.randn(steps, *shape[1:-1], HIDDEN, dtype=torch.float64)
    weight[:-1] *= not last
    kept = Kept()
    loss = (loop(inputs, kept) * weight).sum()
    totals = kept.totals(loss)
    with watch(loop) as watched:
        (loop(inputs) * weight).sum().backward()
    found = {flow.layer: flow for flow in watched.flows()}
    flow = found["state" if by_hand else "cell"]
    assert (flow.updates, flow.rows) == (1, (max(rows, 1),) * steps)
    norms = torch.stack([size(total[:1]) for total in reversed(totals)])
    equal(flow.norm, norms.mean(1))
    gains = [gain[:4] for gain in reversed(kept.gains(totals))]
    for mine, true in zip(flow.gain, gains, strict=True):
        known = true.isfinite() & (true > 0)
        if known.all():
            assert mine == pytest.approx(float(log_mean(true)), rel=1e-6)


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_state_may_be_changed_in_place(by_hand):
    torch.manual_seed(0)
    loop = Loop("gru", "in place", by_hand)
    inputs = torch.randn(5, 2, WIDTH, dtype=torch.float64)
    expected = torch.autograd.grad(loop(inputs)[-1].sum(), loop.cell.weight_hh)[0]
    with watch(loop) as watched:
        found = torch.autograd.grad(loop(inputs)[-1].sum(), loop.cell.weight_hh)[0]
    torch.testing.assert_close(found, expected)
    assert watched.flows()[0].rows == (2,) * 5


@drawn
@given(
    kind=st.sampled_from(["rnn", "gru", "lstm"]),
    ends=st.lists(st.integers(0, 6), min_size=1, max_size=4),
    seed=st.integers(0, 2**16),
)
def test_rows_that_end_early_count_from_their_own_end(kind, ends, seed):
    torch.manual_seed(seed)
    loop = Loop(kind)
    inputs = torch.randn(6, len(ends), WIDTH, dtype=torch.float64)

    def run(count, columns):
        state = None
        for step in range(count):
            new = parts(loop.cell(inputs[step, columns], state))
            if state is not None or len(columns) > 1:
                old = [torch.zeros_like(part) for part in new] if state is None else parts(state)
                alive = torch.tensor([step < ends[column] for column in columns]).unsqueeze(1)
                new = [torch.where(alive, n, o) for n, o in zip(new, old, strict=True)]
            state = new[0] if len(new) == 1 else tuple(new)
        return parts(state)[0].sin().sum()

    with watch(loop) as watched:
        run(6, list(range(len(ends)))).backward() if any(ends) else None
    alone = []
    for column, end in enumerate(ends):
        if end:
            with watch(loop) as one:
                run(end, [column]).backward()
            alone.append(one.flows()[0])
    if not alone:
        assert watched.flows() == ()
        return
    (flow,) = watched.flows()
    longest = max(len(one.norm) for one in alone)
    assert flow.rows == tuple(sum(len(one.norm) > at for one in alone) for at in range(longest))
    for at in range(len(flow.norm)):
        norms = [one.norm[at] for one in alone if at < len(one.norm)]
        assert flow.norm[at] == pytest.approx(sum(norms) / len(norms))


LAYERS = {
    "torch rnn": lambda **o: nn.RNN(WIDTH, HIDDEN, **o),
    "torch gru": lambda **o: nn.GRU(WIDTH, HIDDEN, **o),
    "torch lstm": lambda **o: nn.LSTM(WIDTH, HIDDEN, **o),
    "rnn": lambda **o: unrolled.RNN(WIDTH, HIDDEN, **o),
    "gru": lambda **o: unrolled.GRU(WIDTH, HIDDEN, **o),
    "lstm": lambda **o: unrolled.LSTM(WIDTH, HIDDEN, **o),
    "own": lambda **o: unrolled.Recurrent("minimal_gated_unit", WIDTH, HIDDEN, **o),
}


@drawn
@given(
    kind=st.sampled_from(sorted(LAYERS)),
    layers=st.integers(1, 2),
    batch_first=st.booleans(),
    batched=st.booleans(),
    cuts=st.lists(st.integers(1, 6), max_size=6, unique=True),
    by_name=st.booleans(),
    final=st.booleans(),
    last=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_a_layer_called_part_by_part_is_one_sequence(
    kind, layers, batch_first, batched, cuts, by_name, final, last, seed
):
    torch.manual_seed(seed)
    layer = LAYERS[kind](num_layers=layers, batch_first=batch_first, dtype=torch.float64)
    inputs = torch.randn(7, 2, WIDTH, dtype=torch.float64)
    weight = torch.randn(7, 2, HIDDEN, dtype=torch.float64)
    weight[:-1] *= not last
    time = 1 if batch_first and batched else 0
    if not batched:
        inputs, weight = inputs[:, 0], weight[:, 0]
    elif batch_first:
        inputs, weight = inputs.transpose(0, 1), weight.transpose(0, 1)

    def run(borders):
        state, outputs = None, []
        for begin, end in itertools.pairwise(borders):
            piece = inputs.narrow(time, begin, end - begin)
            if by_name:
                output, state = layer(piece, hx=state)
            else:
                output, state = layer(piece, state)
            outputs.append(output)
        loss = (torch.cat(outputs, time) * weight).sum()
        return loss + sum(part.sin().sum() for part in parts(state)) if final else loss

    found = []
    for borders in ([0, 7], [0, *sorted(cuts), 7]):
        with watch(layer) as watched:
            run(borders).backward()
        found.append(watched.flows())
    for whole, joined in zip(*found, strict=True):
        assert (joined.layer, joined.updates, joined.rows) == (whole.layer, 1, whole.rows)
        equal(joined.norm, whole.norm)
        equal(joined.gain, whole.gain)


def test_what_is_done_to_a_state_between_two_calls_is_part_of_the_way():
    torch.manual_seed(0)
    layer = nn.GRU(WIDTH, HIDDEN, dtype=torch.float64)
    inputs = torch.randn(6, 2, WIDTH, dtype=torch.float64)

    def run(factor):
        state = torch.zeros(1, 2, HIDDEN, dtype=torch.float64)
        for step in range(6):
            _, state = layer(inputs[step : step + 1], factor * state if step else state)
        return state.sum()

    kept = Kept()
    state = None
    cell = nn.GRUCell(WIDTH, HIDDEN, dtype=torch.float64)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    for step in range(6):
        state = kept(cell(inputs[step], None if state is None else 0.3 * state))
    totals = kept.totals(state.sum())
    with watch(layer) as watched:
        run(0.3).backward()
    (flow,) = watched.flows()
    expected = [float(log_mean(gain)) for gain in reversed(kept.gains(totals))]
    assert flow.gain == pytest.approx(expected)


def test_a_step_at_a_time_is_not_called_healthy():
    torch.manual_seed(0)
    rnn, head = nn.LSTM(4, 16), nn.Linear(16, 4)
    with watch(rnn) as watched:
        y, state = torch.randn(1, 3, 4), None
        for _ in range(40):
            output, state = rnn(y, state)
            y = head(output)
        y.sum().backward()
    (flow,) = watched.flows()
    assert flow.decay[-1] < 1e-3
    assert len(flow.norm) == 40


class Doubling(nn.LSTM):
    def forward(self, x, hx=None):
        output, state = super().forward(2 * x, hx)
        return 3 * output, state


def test_what_has_learned_is_not_said_to_vanish():
    layer = nn.RNN(3, 4)
    with watch(layer) as watched:
        layer(torch.randn(60, 2, 3))[0].sum().backward()
    alone = watched.verdict()
    assert alone.kind == "vanishing"
    assert "Whether it has learned was not told" in alone.sentence
    watched.tell(loss=0.68, chance=0.69)
    assert watched.verdict().kind == "vanishing"
    assert "was not told" not in watched.verdict().sentence
    watched.tell(loss=0.05, chance=0.69)
    assert watched.verdict().kind == "healthy"
    with pytest.raises(ConfigError, match="got loss=nan"):
        watched.tell(loss=float("nan"), chance=0.69)


def test_a_single_step_has_no_way_back_and_is_said():
    layer = nn.GRU(3, 4)
    with watch(layer) as watched:
        layer(torch.randn(1, 2, 3))[0].sum().backward()
    with pytest.raises(ConfigError, match=r"got none \(l0: it read a single step\)"):
        watched.verdict()


def test_a_subclass_keeps_its_own_forward():
    torch.manual_seed(0)
    layer, inputs = Doubling(4, 16), torch.randn(10, 3, 4)
    alone = layer(inputs)[0].square().mean()
    expected = torch.autograd.grad(alone, list(layer.parameters()))
    with watch(layer) as watched:
        seen = layer(inputs)[0].square().mean()
        seen.backward()
    torch.testing.assert_close(seen, alone)
    for parameter, gradient in zip(layer.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
    assert [len(flow.norm) for flow in watched.flows()] == [10]


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("name", ["orthogonal", "spectral_norm", "weight_norm", "old weight_norm"])
def test_parametrised_weights(name):
    torch.manual_seed(0)
    layer, inputs = nn.RNN(3, 4), torch.randn(6, 2, 3)
    if name == "old weight_norm":
        nn.utils.weight_norm(layer, "weight_hh_l0")
    else:
        getattr(nn.utils.parametrizations, name)(layer, "weight_hh_l0")
    layer.eval()  # spectral_norm goes on in training
    expected = torch.autograd.grad(layer(inputs)[0][-1].sum(), list(layer.parameters()))
    with watch(layer) as watched:
        layer(inputs)[0][-1].sum().backward()
    for parameter, gradient in zip(layer.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
    (flow,) = watched.flows()
    assert len(flow.norm) == 6


def models():
    loop = Loop("lstm")
    both = nn.ModuleList([nn.GRU(3, 4, dtype=torch.float64), unrolled.LSTM(3, 4, dtype=torch.float64)])
    return {"cells": (loop, loop), "layers": (both, lambda x: both[0](x)[0] + both[1](x)[0])}


@pytest.mark.parametrize("kind", ["cells", "layers"])
@pytest.mark.parametrize("way", ["deepcopy", "pickle", "torch.save"])
def test_it_is_copied_and_saved_as_ever(kind, way, tmp_path):
    model, run = models()[kind]
    inputs = torch.randn(4, 2, 3, dtype=torch.float64)
    before = {name: sorted(vars(module)) for name, module in model.named_modules()}
    with watch(model) as watched:
        run(inputs).sum().backward()
        if way == "deepcopy":
            copied = copy.deepcopy(model)
        elif way == "pickle" and kind == "layers":
            copied = pickle.loads(pickle.dumps(model))
        elif kind == "layers":
            torch.save(model, file := io.BytesIO())
            file.seek(0)
            copied = torch.load(file, weights_only=False)
        else:
            torch.save(model.state_dict(), file := io.BytesIO())
            return
        assert {name: sorted(vars(module)) for name, module in copied.named_modules()} == before
        updates = [flow.updates for flow in watched.flows()]
        for module in copied.modules():
            if isinstance(module, nn.GRU | unrolled.LSTM | nn.LSTMCell):
                made = module(inputs[0] if isinstance(module, nn.LSTMCell) else inputs)
                made[0].sum().backward()
        assert [flow.updates for flow in watched.flows()] == updates
    assert {name: sorted(vars(module)) for name, module in model.named_modules()} == before


def test_several_watches_at_once_each_see_it_and_close_in_any_order():
    torch.manual_seed(0)
    model, inputs = nn.ModuleDict({"a": nn.GRU(3, 4), "b": nn.GRUCell(3, 4)}), torch.randn(5, 2, 3)

    def run():
        state = None
        for x in inputs:
            state = model["b"](x, state)
        (model["a"](inputs)[0].sum() + state.sum()).backward()

    first, second = watch(model), watch(model["b"])
    run()
    first.close()
    run()
    third = watch(model)
    second.close()
    run()
    third.close()
    run()
    assert [flow.updates for flow in first.flows()] == [1, 1]
    assert [flow.updates for flow in second.flows()] == [2]
    assert [flow.updates for flow in third.flows()] == [1, 1]
    assert first.flows()[1].norm == pytest.approx(third.flows()[1].norm)
    assert second.flows()[0].gain == pytest.approx(third.flows()[1].gain)
    assert nn.GRU.forward.__module__ == nn.GRUCell.forward.__module__ == "torch.nn.modules.rnn"
    assert not hasattr(nn.GRU.forward, "__wrapped__")


def test_backward_twice_and_accumulation():
    torch.manual_seed(0)
    loop, inputs = Loop("gru"), torch.randn(5, 2, WIDTH, dtype=torch.float64)
    with watch(loop) as watched:
        outputs = loop(inputs)
        outputs[-1].sum().backward(retain_graph=True)
        outputs[2].sum().backward()
        for _ in range(3):
            loop(inputs)[-1].sum().backward()
    (flow,) = watched.flows()
    assert flow.updates == 5
    # A loss at the third step reaches no state after it: distances are from there.
    assert flow.rows == (10, 10, 10, 8, 8)


def test_second_derivatives_pass_through():
    torch.manual_seed(0)
    loop, inputs = Loop("lstm"), torch.randn(4, 2, WIDTH, dtype=torch.float64, requires_grad=True)

    def penalty():
        (gradient,) = torch.autograd.grad(loop(inputs).sum(), inputs, create_graph=True)
        return gradient.square().sum()

    expected = torch.autograd.grad(penalty(), list(loop.parameters()))
    with watch(loop):
        found = torch.autograd.grad(penalty(), list(loop.parameters()))
    torch.testing.assert_close(found, expected)


def test_a_shared_layer_called_twice_counts_one_update():
    torch.manual_seed(0)
    layer = nn.LSTM(3, 4)
    with watch(layer) as watched:
        left, right = (layer(torch.randn(steps, 2, 3))[0][-1] for steps in (6, 4))
        (left * right).sum().backward()
    (flow,) = watched.flows()
    assert (flow.updates, flow.rows) == (1, (4, 4, 4, 4, 2, 2))


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("kind", ["cells", "layers"])
def test_checkpointing_is_left_alone_and_said(kind, reentrant):
    torch.manual_seed(0)
    model, run = models()[kind]
    inputs = torch.randn(4, 2, 3, dtype=torch.float64, requires_grad=True)
    expected = torch.autograd.grad(run(inputs).sum(), inputs)[0]
    with watch(model) as watched:
        for _ in range(3):
            inputs.grad = None
            torch.utils.checkpoint.checkpoint(run, inputs, use_reentrant=reentrant).sum().backward()
    torch.testing.assert_close(inputs.grad, expected)
    assert watched.flows() == ()
    assert watched.unseen
    assert all("checkpoint" in reason for reason in watched.unseen.values())


def test_what_ran_without_gradients_is_said_to_be_unseen():
    loop = Loop("gru")
    with watch(loop) as watched, torch.no_grad():
        loop(torch.randn(4, 2, WIDTH, dtype=torch.float64))
    assert watched.flows() == ()
    assert list(watched.unseen) == ["cell"]


def test_gains_that_are_not_known_are_no_ones():
    layer = nn.GRU(3, 4)
    with watch(layer) as watched:
        layer(torch.randn(1, 2, 3))[0].sum().backward()  # observed: there is nothing between its steps
        layer(torch.randn(5, 2, 3))[0].sum().backward()  # heard alone
    (flow,) = watched.flows()
    assert all(map(math.isnan, flow.gain))


def test_a_gradient_that_is_asked_for_is_seen_too():
    layer, inputs = nn.GRU(3, 4), torch.randn(5, 2, 3)
    with watch(layer) as watched:
        torch.autograd.grad(layer(inputs)[0].sum(), list(layer.parameters()))
    assert watched.flows()[0].rows == (2,) * 5


def exploding():
    layer = nn.RNN(3, 4, nonlinearity="relu")
    with torch.no_grad():
        layer.weight_hh_l0.copy_(5 * torch.eye(4))
    return layer, torch.randn(120, 2, 3)


def not_a_number():
    layer = nn.LSTM(3, 4)
    with torch.no_grad():
        layer.weight_hh_l0[0, 0] = torch.nan
    return layer, torch.randn(8, 2, 3)


@pytest.mark.parametrize("broken", [exploding, not_a_number])
def test_states_that_are_no_numbers_are_not_judged(broken):
    layer, inputs = broken()
    with watch(layer) as watched:
        for _ in range(2):
            layer(inputs)[0][-1].sum().backward()
    with pytest.raises(ConfigError, match="NaN or infinite"):
        watched.verdict()


def test_a_state_whose_gradient_is_handed_on_by_hand_is_not_judged():
    cell = nn.RNNCell(3, 4)
    with watch(cell) as watched:
        state = cell(torch.randn(2, 3))
        for _ in range(4):
            begin = state.detach().requires_grad_()
            state = cell(torch.randn(2, 3), begin)
            state.sum().backward()
    with pytest.raises(ConfigError, match="handed on by hand"):
        watched.verdict()


def test_a_masked_row_begins_anew_and_is_not_taken_for_lost():
    torch.manual_seed(0)
    cell = nn.GRUCell(3, 4)

    def run(masked):
        state = None
        with watch(cell) as watched:
            for step in range(20):
                if masked and step == 10:
                    state = state * 0
                state = cell(torch.randn(1, 3), state)
            state.sum().backward()
        return watched.flows()[0]

    assert run(True).decay[-1] > 1e-3 * run(False).decay[-1]


def test_resets_are_no_loss_of_an_error():
    torch.manual_seed(0)
    layer = unrolled.LSTM(3, 4)
    resets = torch.zeros(12, 2, dtype=torch.bool)
    resets[5] = True
    with watch(layer) as watched:
        layer(torch.randn(12, 2, 3), resets=resets)[0].sum().backward()
    (flow,) = watched.flows()
    assert min(flow.gain) > 1e-3


class Compiled(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.cell = cell

    def forward(self, inputs):
        if isinstance(self.cell, nn.GRU):
            return self.cell(inputs)[0][-1]
        state = None
        for x in inputs.unbind(0):
            state = self.cell(x, state)
        return state


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # dynamo asks for it, and hides the warning
@pytest.mark.parametrize("kind", [nn.GRU, nn.GRUCell])
def test_compiled_models(kind):
    torch.manual_seed(0)
    torch._dynamo.reset()
    model, inputs = Compiled(kind(3, 4)), torch.randn(4, 2, 3)
    compiled = torch.compile(model, backend="eager")
    expected = model(inputs)
    with watch(compiled) as watched:
        seen = compiled(inputs)
        seen.sum().backward()
    torch.testing.assert_close(seen, expected)
    (flow,) = watched.flows()
    assert flow.layer == ("cell.l0" if kind is nn.GRU else "cell")
    assert (flow.rows, watched.unseen) == ((2,) * 4, {})
    assert not any(map(math.isnan, flow.gain))


@pytest.mark.parametrize("kind", [unrolled.LSTM, unrolled.GRU])
def test_what_is_unrolled_is_said_to_be_unseen(kind):
    layer = kind(WIDTH, HIDDEN)
    with watch(layer) as watched:
        unrolled_whole = layer.unroll(torch.randn(5, 2, WIDTH), probe=True)
        unrolled_whole.output[-1].sum().backward()
    assert watched.flows() == ()
    assert "by unroll, whose probes show its errors" in watched.unseen[kind.__name__]
    with pytest.raises(ConfigError, match="got none"):
        watched.verdict()
