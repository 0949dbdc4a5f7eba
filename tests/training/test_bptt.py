import weakref

import pytest
import torch

from tests.tolerances import tolerance
from tests.training.tiny import TinyModel, make_batch, make_model
from unrolled.errors import ConfigError
from unrolled.layers.state import detach_state, map_state
from unrolled.training.bptt import Carry, FullBPTT, TruncatedBPTT
from unrolled.training.loss import CrossEntropy

UNEQUAL = [12, 7, 0, 3]


def gradients(model):
    return {
        name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None
    }


def gradients_of(bptt, model, batch, accelerator, reduction="mean", carry=None):
    """Each update's gradients by name, with the weights left as they are, and the updates."""
    taken, updates = [], []
    model.zero_grad()
    for update in bptt.updates(model, CrossEntropy(reduction), batch, carry or Carry(), accelerator):
        taken.append(gradients(model))
        updates.append(update)
        model.zero_grad()
    return taken, updates


def assert_close_by_name(actual, expected):
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(actual[name], value, **tolerance(value.dtype, "gradient"), msg=name)


@pytest.mark.parametrize("per_step", [True, False])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("window", "reach"), [(12, None), (12, 30), (15, None)])
def test_a_window_of_the_whole_length_is_full_bptt_to_the_bit(
    accelerator, per_step, reduction, window, reach
):
    model = make_model(per_step=per_step, dropout=0.3)
    batch = make_batch(per_step=per_step, lengths=UNEQUAL)
    torch.manual_seed(5)
    (full,), (of_full,) = gradients_of(FullBPTT(), model, batch, accelerator, reduction)
    torch.manual_seed(5)
    (truncated,), (of_truncated,) = gradients_of(
        TruncatedBPTT(window, reach), model, batch, accelerator, reduction
    )
    assert of_full.loss == of_truncated.loss
    assert full.keys() == truncated.keys() == {name for name, _ in model.named_parameters()}
    for name, value in full.items():
        assert torch.equal(value, truncated[name]), name


def run_steps(model, values, real, starts, first, last, state):
    """Steps `first` to before `last` of a stream, one by one; `starts[step]` rows take the initial state."""
    outputs = []
    for step in range(first, last):
        if starts[step].any():
            fresh = model.initial_state(len(values))
            rows = starts[step][None, :, None]
            state = tuple(torch.where(rows, new, old) for new, old in zip(fresh, state, strict=True))
        output, state = model({"values": values[:, step : step + 1]}, real[:, step].long(), state)
        outputs.append(output)
    return torch.cat(outputs, 1), state


@pytest.mark.parametrize(("window", "reach"), [(3, 3), (3, 4), (3, 6), (3, 8), (3, 50), (4, 7), (6, 9)])
def test_truncated_gradients_are_those_of_a_hand_written_truncation(accelerator, window, reach):
    model = make_model()
    some = [False, True, False, True]
    batches = [
        make_batch(1, time=12, lengths=[12, 7, 12, 5], starts=[True] * 4),
        make_batch(2, time=12, lengths=[12, 12, 9, 12], starts=some),
        make_batch(3, time=12, starts=[False] * 4),
    ]
    bptt, carry, actual = TruncatedBPTT(window, reach), Carry(), []
    for batch in batches:
        taken, updates = gradients_of(bptt, model, batch, accelerator, carry=carry)
        carry = updates[-1].carry
        actual += taken

    values = torch.cat([batch.inputs["values"] for batch in batches], 1)
    targets = torch.cat([batch.targets for batch in batches], 1)
    real = torch.cat([torch.arange(12) < batch.lengths[:, None] for batch in batches], 1)
    starts = torch.zeros(36, 4, dtype=torch.bool)
    starts[0], starts[12] = True, torch.tensor(some)
    assert len(actual) == 36 // window
    for index, gradient in enumerate(actual):
        begin, end = index * window, (index + 1) * window
        back = max(0, end - reach)
        state = model.initial_state(4)
        if back:
            with torch.no_grad():
                _, state = run_steps(model, values, real, starts, 0, back, state)
            state = detach_state(state)
        outputs, _ = run_steps(model, values, real, starts, back, end, state)
        mask = real[:, begin:end]
        loss = torch.nn.functional.cross_entropy(
            outputs[:, begin - back :][mask], targets[:, begin:end][mask]
        )
        model.zero_grad()
        loss.backward()
        assert_close_by_name(gradient, gradients(model))


def test_a_longer_reach_changes_the_gradient(accelerator):
    model, batch = make_model(), make_batch()
    near, _ = gradients_of(TruncatedBPTT(4), model, batch, accelerator)
    far, _ = gradients_of(TruncatedBPTT(4, 8), model, batch, accelerator)
    assert torch.equal(near[0]["cell.weight_hh"], far[0]["cell.weight_hh"])
    assert not torch.allclose(near[1]["cell.weight_hh"], far[1]["cell.weight_hh"])


def test_the_loss_of_a_row_with_one_target_is_taken_where_it_ends(accelerator):
    model = make_model(per_step=False)
    batch = make_batch(per_step=False, lengths=[12, 7, 0, 3])
    _, updates = gradients_of(TruncatedBPTT(4), model, batch, accelerator)
    assert [update.count for update in updates] == [2, 1, 1]
    _, (whole,) = gradients_of(FullBPTT(), model, batch, accelerator)
    assert sum(update.loss * update.count for update in updates) / 4 == pytest.approx(whole.loss)


def test_windows_without_a_target_make_no_update(accelerator):
    batch = make_batch(per_step=False)
    _, updates = gradients_of(TruncatedBPTT(4), make_model(per_step=False), batch, accelerator)
    assert [update.steps for update in updates] == [16]


def test_state_does_not_leak_between_batches_of_whole_sequences(accelerator):
    model, bptt = make_model(), TruncatedBPTT(4, 8)
    first, second = make_batch(1), make_batch(2)
    _, updates = gradients_of(bptt, model, first, accelerator)
    after, _ = gradients_of(bptt, model, second, accelerator, carry=updates[-1].carry)
    alone, _ = gradients_of(bptt, model, second, accelerator)
    for carried, fresh in zip(after, alone, strict=True):
        for name, value in fresh.items():
            assert torch.equal(carried[name], value), name


@pytest.mark.parametrize("per_step", [True, False])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("every", [1, 4, 5, 12])
def test_recomputed_gradients_are_those_of_plain_bptt(accelerator, per_step, reduction, every):
    model = make_model(per_step=per_step)
    batch = make_batch(per_step=per_step, lengths=UNEQUAL)
    (plain,), (of_plain,) = gradients_of(FullBPTT(), model, batch, accelerator, reduction)
    (again,), (of_again,) = gradients_of(FullBPTT(every), model, batch, accelerator, reduction)
    assert of_again.loss == pytest.approx(of_plain.loss)
    assert (of_again.count, of_again.steps) == (of_plain.count, of_plain.steps)
    assert_close_by_name(again, plain)


def test_recomputation_draws_the_same_dropout_masks_again(accelerator):
    model, batch = make_model(dropout=0.5), make_batch()
    torch.manual_seed(3)
    (recomputed,), _ = gradients_of(FullBPTT(4), model, batch, accelerator)
    after = torch.rand(3)
    torch.manual_seed(3)
    state, total = None, 0
    for start in range(0, 12, 4):
        segment = batch.window(start, start + 4)
        outputs, state = model(segment.inputs, segment.lengths, state)
        total = total + CrossEntropy()(outputs, segment).total
    (total / 48).backward()
    assert_close_by_name(recomputed, gradients(model))
    assert torch.equal(after, torch.rand(3)), "the second pass must not move the generator"


class Held:
    """Bytes that the graph holds for backward, and the most of them at one time."""

    def __init__(self):
        self.now = self.peak = 0

    def pack(self, tensor):
        class Box:
            pass

        box, size = Box(), tensor.numel() * tensor.element_size()
        box.tensor = tensor
        self._add(size)
        weakref.finalize(box, self._add, -size)
        return box

    def _add(self, size):
        self.now += size
        self.peak = max(self.peak, self.now)


def peak_bytes(bptt, time, accelerator, **options):
    held, model = Held(), make_model(**options)
    batch = make_batch(time=time)
    with torch.autograd.graph.saved_tensors_hooks(held.pack, lambda box: box.tensor):
        for _ in bptt.updates(model, CrossEntropy(), batch, Carry(), accelerator):
            model.zero_grad()
    return held.peak


@pytest.mark.parametrize("bptt", [TruncatedBPTT(10), TruncatedBPTT(10, 30)])
def test_memory_of_truncated_bptt_does_not_grow_with_the_length(accelerator, bptt):
    assert peak_bytes(bptt, 200, accelerator) == peak_bytes(bptt, 50, accelerator)
    assert peak_bytes(FullBPTT(), 200, accelerator) > 3.5 * peak_bytes(FullBPTT(), 50, accelerator)


def test_memory_of_recomputation_grows_with_the_segment_only(accelerator):
    assert peak_bytes(FullBPTT(20), 400, accelerator) < peak_bytes(FullBPTT(), 400, accelerator) / 15


@pytest.mark.parametrize("bptt", [TruncatedBPTT(4), FullBPTT(4)])
def test_a_model_that_looks_ahead_cannot_be_cut(accelerator, bptt):
    with pytest.raises(ConfigError, match=r"bidirectional.*TinyModel; leave"):
        gradients_of(bptt, make_model(causal=False), make_batch(), accelerator)


@pytest.mark.parametrize("bptt", [TruncatedBPTT(4), FullBPTT(4)])
def test_a_loss_over_whole_sequences_cannot_be_cut(accelerator, bptt):
    class Whole(CrossEntropy):
        separable = False

    with pytest.raises(ConfigError, match="Whole, which needs whole sequences"):
        list(bptt.updates(make_model(), Whole(), make_batch(), Carry(), accelerator))


def test_a_model_that_looks_ahead_trains_where_nothing_is_cut(accelerator):
    taken, _ = gradients_of(TruncatedBPTT(12), make_model(causal=False), make_batch(), accelerator)
    assert len(taken) == 1


def test_full_bptt_refuses_a_stream(accelerator):
    batch = make_batch(starts=[True, False, True, True])
    with pytest.raises(ConfigError, match="set window"):
        gradients_of(FullBPTT(), make_model(), batch, accelerator)


def test_reach_must_cover_the_window():
    with pytest.raises(ConfigError, match="expected at least the window, 5, got 3"):
        TruncatedBPTT(5, 3)


def test_the_carry_holds_no_graph_and_no_more_windows_than_the_reach(accelerator):
    model: TinyModel = make_model()
    _, updates = gradients_of(TruncatedBPTT(2, 7), model, make_batch(starts=[True] * 4), accelerator)
    assert [len(update.carry.past) for update in updates] == [1, 2, 3, 3, 3, 3]
    for update in updates:
        map_state(lambda tensor: pytest.fail("graph") if tensor.requires_grad else tensor, update.carry.state)
