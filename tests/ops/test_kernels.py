"""A cell in one call each way against its program in float64, and what it promises beside numbers."""

from dataclasses import dataclass, replace
from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tolerances import RELATIVE_ERROR
from unrolled.layers.built_in import program_of_built_in
from unrolled.ops import kernels
from unrolled.ops.kernel_pass import NO_OPTIONS, KernelPass, Options
from unrolled.ops.kernels import run_kernel
from unrolled.ops.native import cell as cell_module
from unrolled.ops.native import library, plain_torch
from unrolled.ops.native.cell import covered
from unrolled.ops.native.packing import packing

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
STATES = {"rnn": 1, "gru": 1, "lstm": 2}


@pytest.fixture(autouse=True)
def _threads_restored():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True, scope="module", params=[False, True], ids=["outside", "inside"])
def _who_makes_the_products(request):
    """The cell's own call, or others: where there are tiles, by size."""
    with (
        patch.object(cell_module, "_inside", lambda weight_ih, count: request.param),
        patch.object(cell_module, "_NEAR", 0),
    ):
        yield


@dataclass(frozen=True)
class Case:
    cell: str
    steps: int
    rows: int
    features: int
    hidden: int
    bias: bool
    state: bool
    ragged: bool
    reverse: bool
    seed: int
    threads: int = 1
    options: frozenset[str] = frozenset()

    def arguments(self, dtype):
        generator = torch.Generator().manual_seed(self.seed)

        def normal(*shape, scale=1.0):
            numbers = (torch.randn(shape, generator=generator) * scale).to(dtype)
            return numbers.requires_grad_()

        wide = GATES[self.cell] * self.hidden
        state = (self.rows, self.hidden)

        def share(*shape):
            return torch.rand(shape, generator=generator).to(dtype)

        makers = {
            "norm_ih_gain": lambda: normal(wide),
            "norm_hh_gain": lambda: normal(wide),
            "norm_cell_gain": lambda: normal(self.hidden),
            "norm_cell_bias": lambda: normal(self.hidden),
            "peephole": lambda: normal(3, self.hidden),
            "hidden_mask": lambda: share(*state),
            "zoneout_h": lambda: share(self.steps, *state),
            "zoneout_c": lambda: share(1, 1, 1),
        }
        options = {name: make() for name, make in makers.items() if name in self.options}
        activation = ("tanh", "relu", "sigmoid", "identity")[self.seed % 4] if self.cell == "rnn" else "tanh"
        normed = "norm_cell_gain" in options
        given_ = KernelPass(
            program=program_of_built_in(self.cell, activation, "peephole" in options, normed),
            cell=self.cell,
            activation=activation,
            reverse=self.reverse,
            clip_step=0.1 if "clip_step" in self.options else 0.0,
            listen=None,
            values=normal(self.steps, self.rows, self.features),
            weight_ih=normal(wide, self.features, scale=self.features**-0.5),
            weight_hh=normal(wide, self.hidden, scale=self.hidden**-0.5),
            bias_ih=normal(wide) if self.bias else None,
            bias_hh=normal(wide) if self.bias else None,
            h_0=normal(self.rows, self.hidden) if self.state else None,
            c_0=normal(self.rows, self.hidden) if self.state and self.cell == "lstm" else None,
            lengths=torch.randint(0, self.steps + 1, (self.rows,), generator=generator)
            if self.ragged
            else None,
            options=Options(**options) if options else None,
        )
        weights = [(self.steps, self.rows, self.hidden)] + [(self.rows, self.hidden)] * STATES[self.cell]
        return given_, [torch.randn(shape, generator=generator).to(dtype) for shape in weights]


def learned(given_):
    named = given_._asdict() | (given_.options or NO_OPTIONS)._asdict()
    return {name: value for name, value in named.items() if getattr(value, "requires_grad", False)}


def without_gradients(given_, but):
    """The same, in which nothing but one tensor wants a gradient."""
    rest = {name: value.detach() for name, value in learned(given_).items() if name != but}
    if given_.options is None:
        return given_._replace(**rest)
    special = {name: rest.pop(name) for name in Options._fields if name in rest}
    return given_._replace(options=given_.options._replace(**special), **rest)


def computed(run, given_, weights):
    """By name: every result, and what a weighted sum of them all gives every input."""
    results = run(given_)
    total = sum((weight * result).sum() for weight, result in zip(weights, results, strict=True))
    inputs = learned(given_)
    gradients = torch.autograd.grad(total, list(inputs.values()))
    named = {f"result {index}": result.detach() for index, result in enumerate(results)}
    return named | dict(zip(inputs, gradients, strict=True))


OPTIONS = ("clip_step", "norm_ih_gain", "norm_hh_gain", "hidden_mask", "zoneout_h")
OPTIONS_OF_LSTM = ("norm_cell", "peephole", "zoneout_c")


@st.composite
def cases(draw):
    cell = draw(st.sampled_from(sorted(GATES)))
    possible = OPTIONS + (OPTIONS_OF_LSTM if cell == "lstm" else ())
    options = draw(st.one_of(st.just(frozenset()), st.frozensets(st.sampled_from(possible))))
    if "norm_cell" in options:
        options = options - {"norm_cell"} | {"norm_cell_gain", "norm_cell_bias"}
    sizes = st.one_of(st.integers(1, 20), st.sampled_from([31, 32, 33, 48, 64, 65]))
    return Case(
        cell=cell,
        steps=draw(st.integers(1, 9)),
        rows=draw(sizes),
        features=draw(sizes),
        hidden=draw(sizes),
        bias=draw(st.booleans()),
        state=draw(st.booleans()),
        ragged=draw(st.booleans()),
        reverse=draw(st.booleans()),
        seed=draw(st.integers(0, 2**16)),
        threads=draw(st.sampled_from([1, 2])),
        options=options,
    )


@settings(max_examples=150)
@given(case=cases())
def test_everything_is_that_of_the_float64_program(case):
    torch.set_num_threads(case.threads)
    with plain_torch():
        expected = computed(kernels._by_program, *case.arguments(torch.float64))
    # Layer normalisation is chaotic over many steps: small errors grow until nothing can be compared.
    normalised = any("norm" in name for name in case.options)
    for dtype in (torch.float64,) if normalised else (torch.float32, torch.float64):
        given_, weights = case.arguments(dtype)
        assert covered((given_,)), "not covered: this compares nothing"
        assert_near(computed(run_kernel, given_, weights), expected, dtype)


def assert_near(found, expected, dtype):
    for name, value in found.items():
        error = (value.double() - expected[name]).norm()
        # In tensors of a few elements everything can cancel and leave rounding.
        scale = max(expected[name].norm(), 0.5 * value.numel() ** 0.5)
        assert error <= RELATIVE_ERROR[dtype, "kernel"] * scale, f"{name}: {error / scale:.2g} relative"


def both_directions(case, dtype):
    """The passes of both directions, which read one input."""
    one, weights = case.arguments(dtype)
    other, more = replace(case, seed=case.seed + 4, reverse=True).arguments(dtype)
    weights = [torch.cat((weights[0], more[0]), -1), *weights[1:], *more[1:]]
    return (one, other._replace(values=one.values, lengths=one.lengths)), weights


def computed_of_both(run, passes, weights):
    """As `computed`."""
    results = run(*passes)
    total = sum((weight * result).sum() for weight, result in zip(weights, results, strict=True))
    inputs = {
        f"{place} {name}": value for place, each in enumerate(passes) for name, value in learned(each).items()
    }
    del inputs["1 values"]
    gradients = torch.autograd.grad(total, list(inputs.values()))
    named = {f"result {index}": result.detach() for index, result in enumerate(results)}
    return named | dict(zip(inputs, gradients, strict=True))


@pytest.mark.parametrize("threads", [1, 2, 4])  # two: each direction has one of its own
@pytest.mark.parametrize("options", [frozenset(), frozenset(OPTIONS)], ids=["plain", "full"])
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("cell", sorted(GATES))
def test_both_directions_are_those_of_the_float64_program(cell, ragged, options, threads):
    torch.set_num_threads(threads)
    case = Case(cell, 12, 20, 20, 48, True, True, ragged, False, 0, threads, options)
    with plain_torch():
        expected = computed_of_both(kernels._by_program, *both_directions(case, torch.float64))
    for dtype in (torch.float64,) if options else (torch.float32, torch.float64):
        passes, weights = both_directions(case, dtype)
        assert covered(passes), "not covered: this compares nothing"
        assert_near(computed_of_both(run_kernel, passes, weights), expected, dtype)


def test_both_directions_differentiated_twice():
    passes, weights = both_directions(Case("gru", 4, 3, 2, 5, True, True, True, False, 0), torch.float64)

    def second(run):
        first = torch.autograd.grad((run(*passes)[0] * weights[0]).sum(), passes[0].values, create_graph=True)
        wanted = [passes[0].values, passes[0].weight_hh, passes[1].weight_ih]
        return torch.autograd.grad(first[0].square().sum(), wanted)

    torch.testing.assert_close(second(run_kernel), second(kernels._by_program))


@pytest.mark.parametrize("threads", [1, 2])
def test_both_directions_of_an_input_that_wants_no_gradient(threads):
    torch.set_num_threads(threads)
    case = Case("lstm", 12, 20, 20, 48, True, False, False, False, 0, threads)
    passes, weights = both_directions(case, torch.float64)
    values = passes[0].values.detach()
    bare = [each._replace(values=values) for each in passes]
    wanted = [each.weight_hh for each in passes]
    found = torch.autograd.grad((run_kernel(*bare)[0] * weights[0]).sum(), wanted)
    expected = torch.autograd.grad((run_kernel(*passes)[0] * weights[0]).sum(), wanted)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_the_input_of_both_directions_alone():
    passes, weights = both_directions(Case("lstm", 6, 4, 3, 5, True, False, False, False, 0), torch.float64)
    found, expected = (
        torch.autograd.grad((run(*passes)[0] * weights[0]).sum(), passes[0].values)[0]
        for run in (run_kernel, kernels._by_program)
    )
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_more_is_kept_than_a_core_has_cache_for(cell, threads):
    # Two megabytes and more of gates: those are stored past the caches.
    case = Case(cell, 9, 128, 16, 160, True, True, False, False, 0, threads)
    test_everything_is_that_of_the_float64_program.hypothesis.inner_test(case=case)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("options", [frozenset(), frozenset(OPTIONS)], ids=["plain", "full"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("cell", sorted(GATES))
def test_gradients_of_the_gates_are_used_some_steps_at_a_time(cell, ragged, reverse, options, threads):
    # Of a thousand rows and more the backward pass uses some hundred at a time. Three threads are at times
    # more than the machine has cores, and then run far apart.
    case = Case(cell, 20, 120, 20, 24, True, True, ragged, reverse, 0, threads, options)
    test_everything_is_that_of_the_float64_program.hypothesis.inner_test(case=case)


PLAIN = Case("lstm", 7, 5, 3, 20, bias=True, state=True, ragged=False, reverse=False, seed=0)
EVERY = frozenset({*OPTIONS, *OPTIONS_OF_LSTM, "norm_cell_gain", "norm_cell_bias"} - {"norm_cell"})
FULL = replace(PLAIN, options=EVERY)


@pytest.mark.parametrize("instruction_set", library.choices())
@pytest.mark.parametrize("options", [frozenset(), frozenset(OPTIONS)], ids=["plain", "full"])
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("cell", sorted(GATES))
def test_a_row_is_the_same_to_the_bit_whatever_the_others_hold(cell, ragged, options, instruction_set):
    given_, _ = Case(cell, 9, 23, 37, 37, True, True, ragged, False, 1, 1, options).arguments(torch.float32)
    others = torch.arange(23) != 11
    changed = given_.values.detach().clone()
    changed[:, others] = torch.randn(9, int(others.sum()), 37)
    with library.instruction_set(instruction_set), torch.no_grad():
        for one, other in zip(run_kernel(given_), run_kernel(given_._replace(values=changed)), strict=True):
            assert torch.equal(one.select(-2, 11), other.select(-2, 11))


@pytest.mark.parametrize("instruction_set", [name for name in library.choices() if name != "amx"])
@pytest.mark.parametrize("cell", sorted(GATES))
def test_lengths_that_are_all_whole_change_no_bit(cell, instruction_set):
    # Without them a step's products of inputs and states are one; with them two, whose sums go on.
    given_, _ = Case(cell, 7, 19, 21, 37, True, True, False, False, 1).arguments(torch.float32)
    ragged = given_._replace(lengths=torch.full((19,), 7))
    with library.instruction_set(instruction_set), torch.no_grad():
        for one, other in zip(run_kernel(given_), run_kernel(ragged), strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("options", [frozenset(), frozenset(OPTIONS)], ids=["plain", "full"])
@pytest.mark.parametrize("cell", sorted(GATES))
def test_what_lies_past_a_rows_end_is_never_read(cell, options):
    case = Case(cell, 8, 6, 5, 18, True, False, True, True, 3, 1, options)
    given_, weights = case.arguments(torch.float32)
    past = torch.arange(8)[:, None] >= given_.lengths
    spoilt = given_._replace(
        values=given_.values.detach().masked_fill(past[..., None], torch.nan).requires_grad_()
    )
    expected, found = computed(run_kernel, given_, weights), computed(run_kernel, spoilt, weights)
    for name, value in found.items():
        assert torch.equal(value, expected[name]), name
    assert not found["values"][past].any()


@pytest.mark.parametrize(
    ("case", "name"),
    [(case, name) for case in (PLAIN, FULL) for name in learned(case.arguments(torch.float32)[0])],
)
def test_one_gradient_alone_is_what_it_is_beside_the_others(case, name):
    given_, weights = case.arguments(torch.float32)
    expected = computed(run_kernel, given_, weights)[name]
    alone = without_gradients(given_, name)
    assert torch.equal(computed(run_kernel, alone, weights)[name], expected)


@pytest.mark.parametrize("case", [PLAIN, FULL], ids=["plain", "full"])
@pytest.mark.parametrize("index", range(3))
def test_the_gradient_of_one_result_alone(index, case):
    given_, weights = case.arguments(torch.float64)
    found = torch.autograd.grad((run_kernel(given_)[index] * weights[index]).sum(), given_.weight_hh)
    expected = torch.autograd.grad(
        (kernels._by_program(given_)[index] * weights[index]).sum(), given_.weight_hh
    )
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("options", [frozenset(), frozenset(OPTIONS)], ids=["plain", "full"])
@pytest.mark.parametrize("cell", sorted(GATES))
def test_inference_computes_the_same_to_the_bit(cell, options):
    given_, _ = Case(cell, 7, 5, 3, 20, True, True, True, False, 2, 1, options).arguments(torch.float32)
    expected = run_kernel(given_)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            for one, other in zip(run_kernel(given_), expected, strict=True):
                assert torch.equal(one, other)


@pytest.mark.parametrize("case", [PLAIN, FULL], ids=["plain", "full"])
def test_a_graph_can_be_walked_twice(case):
    given_, weights = case.arguments(torch.float32)
    total = (run_kernel(given_)[0] * weights[0]).sum()
    first = torch.autograd.grad(total, given_.values, retain_graph=True)
    assert torch.equal(first[0], torch.autograd.grad(total, given_.values)[0])


def test_a_weight_that_changed_in_between_is_noticed():
    given_, _ = PLAIN.arguments(torch.float32)
    total = run_kernel(given_)[0].sum()
    with torch.no_grad():
        given_.weight_hh.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.backward()


@pytest.mark.parametrize("rows", [2, 5])  # two: the threads divide the units, and each hears its own
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("cell", sorted(GATES))
def test_the_norm_of_every_steps_error_is_heard(cell, ragged, rows):
    torch.set_num_threads(2)
    given_, weights = Case(cell, 20, rows, 3, 150, True, True, ragged, False, 5).arguments(torch.float64)
    heard = []
    given_ = given_._replace(listen=heard.append)
    for run in (run_kernel, kernels._by_program):
        sum((weight * result).sum() for weight, result in zip(weights, run(given_), strict=True)).backward()
    torch.testing.assert_close(heard[0], heard[1])


def test_an_error_that_is_the_same_for_all_units_is_heard():
    heard = []
    given_, _ = Case("lstm", 6, 3, 4, 5, True, False, False, False, 6).arguments(torch.float64)
    given_ = given_._replace(listen=heard.append)
    run_kernel(given_)[0].sum().backward()
    kernels._by_program(given_)[0].sum().backward()
    torch.testing.assert_close(heard[0], heard[1])


@settings(max_examples=50)
@given(lengths=st.lists(st.integers(0, 7), min_size=1, max_size=9))
def test_packing_and_spreading_are_inverse(lengths):
    counts = torch.tensor(lengths)
    layout = packing(counts, 7)
    padded = torch.randn(7, len(lengths), 2)
    packed = layout.take(padded)
    assert len(packed) == counts.sum()
    real = (torch.arange(7)[:, None] < counts).unsqueeze(-1)
    assert torch.equal(layout.spread(packed), torch.where(real, padded, 0.0))
    for step, row in real.squeeze(-1).nonzero():
        assert torch.equal(
            packed[layout.offsets[step, layout.threads[row]] + layout.ranks[row]], padded[step, row]
        )


@pytest.mark.parametrize("bias", [True, False])
def test_a_weight_that_has_changed_since_the_last_call_is_looked_at_again(bias):
    given_, _ = replace(PLAIN, bias=bias).arguments(torch.float32)
    with torch.no_grad():
        expected = run_kernel(given_)
        assert covered((given_,))
        weight = given_.weight_hh.data
        given_.weight_hh.data = weight.t().contiguous().t()
        assert not covered((given_,))
        torch.testing.assert_close(run_kernel(given_), expected)
        given_.weight_hh.data = weight[:, :-1]
        with pytest.raises(RuntimeError, match="size"):
            run_kernel(given_)
        given_.weight_hh.data = weight
        assert covered((given_,))
