"""Rows that are the same to the bit whatever is beside them, for every cell and however it is run."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import unrolled
from unrolled.cells import Cell, library, sigmoid, tanh
from unrolled.errors import ConfigError
from unrolled.layers.state import map_state, state_tensors
from unrolled.ops.native import library as libraries


class TwoMemories(Cell):
    """Of nobody's: a fast and a slow state."""

    states = ("h", "slow")
    gates = ("gate", "candidate")

    def step(self, x, u, h, slow):
        g = sigmoid(x.gate + u.gate(slow))
        new = tanh(x.candidate + u.candidate(g * h))
        return g * h + (1 - g) * new, 0.9 * slow + 0.1 * new


CELLS = ["RNN", "GRU", "LSTM", *library.names(), TwoMemories]


@pytest.fixture(autouse=True)
def _switched():
    threads = torch.get_num_threads()
    unrolled.use_deterministic_rows(True)
    yield
    unrolled.use_deterministic_rows(False)
    torch.set_num_threads(threads)


@st.composite
def cases(draw):
    rows = draw(st.integers(1, 9))
    return {
        "steps": draw(st.integers(1, 12)),
        "rows": rows,
        "width": draw(st.sampled_from([1, 2, 3, 8, 16, 17, 40])),
        "hidden": draw(st.sampled_from([1, 2, 5, 8, 16, 31, 70])),
        "layers": draw(st.integers(1, 2)),
        "bidirectional": draw(st.booleans()),
        "bias": draw(st.booleans()),
        "layer_norm": draw(st.booleans()),
        "dtype": draw(st.sampled_from([torch.float32, torch.float64])),
        "ragged": draw(st.booleans()),
        "resets": draw(st.booleans()),
        "state": draw(st.booleans()),
        "threads": draw(st.sampled_from([1, 2, 3])),
        "seed": draw(st.integers(0, 10_000)),
    }


def layer_of(cell, case):
    torch.manual_seed(case["seed"])
    options = {
        "num_layers": case["layers"],
        "bias": case["bias"],
        "bidirectional": case["bidirectional"],
        "layer_norm": case["layer_norm"],
        "dtype": case["dtype"],
    }
    sizes = case["width"], case["hidden"]
    if cell in ("RNN", "GRU", "LSTM"):
        return getattr(unrolled, cell)(*sizes, **options)
    return unrolled.Recurrent(cell, *sizes, **options)


def run(layer, values, lengths, resets, state):
    """Outputs, states and the gradients of what belongs to a row, each with the rows in dimension 1."""
    values = values.clone().requires_grad_()
    state = None if state is None else map_state(lambda part: part.clone().requires_grad_(), state)
    output, final = layer(values, state, lengths=lengths, resets=resets)
    found = [output, *state_tensors(final)]
    leaves = [values, *state_tensors(state)]
    over = [result.detach().cos() for result in found]
    return [*(each.detach() for each in found), *torch.autograd.grad(found, leaves, over)]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell if isinstance(cell, str) else cell.__name__)
@settings(max_examples=4, deadline=None)
@given(case=cases())
def test_a_row_is_what_it_is_alone(cell, case):
    layer = layer_of(cell, case)
    steps, rows = case["steps"], case["rows"]
    draws = torch.Generator().manual_seed(case["seed"])
    values = torch.randn(steps, rows, case["width"], generator=draws).to(case["dtype"])
    lengths = torch.randint(1, steps + 1, (rows,), generator=draws) if case["ragged"] else None
    resets = torch.rand(steps, rows, generator=draws) < 0.2 if case["resets"] else None
    state = None
    if case["state"]:
        state = map_state(
            lambda part: torch.randn(part.shape, generator=draws).to(part), layer.initial_state(rows)
        )
    torch.set_num_threads(case["threads"])
    together = run(layer, values, lengths, resets, state)
    torch.set_num_threads(1)
    for row in range(rows):
        own = slice(row, row + 1)
        length = steps if lengths is None else int(lengths[row])
        alone = run(
            layer,
            values[:length, own],
            None,
            None if resets is None else resets[:length, own],
            None if state is None else map_state(lambda part, own=own: part[:, own], state),
        )
        for place, (one, other) in enumerate(zip(together, alone, strict=True)):
            # Of the output and of the input's gradient, the row's own steps.
            mine = one[: other.shape[0], own]
            assert torch.equal(mine, other), (place, row, (mine - other).abs().max())


@pytest.mark.parametrize("cell", ["GRU", "janet"])
def test_without_gradients_too(cell):
    case = {"seed": 0, "layers": 2, "bias": True, "bidirectional": True, "layer_norm": False}
    layer = layer_of(cell, case | {"dtype": torch.float32, "width": 24, "hidden": 48})
    values = torch.randn(50, 33, 24)
    with torch.no_grad():
        torch.set_num_threads(2)
        together, _ = layer(values)
        torch.set_num_threads(1)
        for rows in ([0], [32, 5], list(range(7, 30))):
            assert torch.equal(layer(values[:, rows])[0], together[:, rows])


def test_what_plain_torch_computes_is_refused():
    unrolled.use_deterministic_rows(True)
    for layer in (
        unrolled.LSTM(3, 4, proj_size=2),
        unrolled.GRU(3, 4, dtype=torch.float16),
        unrolled.Recurrent("janet", 3, 4, dtype=torch.float16),
    ):
        with pytest.raises(
            ConfigError, match="use_deterministic_rows: expected a recurrence that the compiled"
        ):
            layer(torch.randn(5, 2, 3).to(layer.weight_ih_l0.dtype))
    layer = unrolled.GRU(3, 4)
    with pytest.raises(ConfigError, match="use_deterministic_rows"):
        torch.func.vmap(lambda values: layer(values)[0])(torch.randn(2, 5, 2, 3))
    unrolled.use_deterministic_rows(False)
    assert unrolled.LSTM(3, 4, proj_size=2)(torch.randn(5, 2, 3))[0].shape == (5, 2, 2)


def test_the_switch_takes_true_and_false_alone():
    assert unrolled.are_deterministic_rows_enabled()
    with pytest.raises(ConfigError, match="expected True or False, got 1"):
        unrolled.use_deterministic_rows(1)


def test_matrix_tiles_rest(monkeypatch):
    asked = []
    monkeypatch.setattr(libraries, "choices", lambda: ("amx", "portable"))
    monkeypatch.setattr(libraries, "_load", lambda name: asked.append(name) or object())
    libraries._fastest.cache_clear()
    try:
        for mode in (True, False):
            unrolled.use_deterministic_rows(mode)
            libraries.library()
    finally:
        libraries._fastest.cache_clear()
    assert asked == ["portable", "amx"]
