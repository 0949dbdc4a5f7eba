"""Arguments of any size and with any options for the cells with kernels of their own, drawn or chosen."""

from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import strategies as st

from tests.ops.cases import GATES, GRU, LSTM, RNN
from unrolled.layers.built_in import program_of_built_in
from unrolled.ops.kernel_pass import KernelPass, Options
from unrolled.ops.kernels import run_kernel
from unrolled.ops.native import library
from unrolled.ops.native.cell import covered

CELLS = {each.name: each for each in (RNN, GRU, LSTM)}
ALL = {"bias_hh", "norm_hh_gain", "hidden_mask", "zoneout_h", "lengths", "reverse", "clip_step"}
OPTIONS = {"rnn": ALL | {"activation"}, "gru": ALL, "lstm": ALL | {"peephole", "norm_cell", "zoneout_c"}}
NORMALISING = {"norm_hh_gain", "norm_cell"}
CONSTANT = {"hidden_mask", "zoneout_h", "zoneout_c"}


def as_pass(cell: str, arguments: dict[str, Any]) -> KernelPass:
    """What the kernel is run with: the gates' input is that of a matrix of ones on the diagonal.

    A product with it changes no number, but where another one of the row is infinite or none at all.
    """
    given = arguments["gates_x"]
    options = {name: arguments[name] for name in Options._fields if name in arguments}
    activation = arguments.get("activation", "tanh")
    program = program_of_built_in(cell, activation, "peephole" in options, "norm_cell_gain" in options)
    return KernelPass(
        program=program,
        cell=cell,
        activation=activation,
        reverse=arguments.get("reverse", False),
        clip_step=arguments.get("clip_step", 0.0),
        listen=None,
        values=given,
        weight_ih=torch.eye(given.shape[-1], dtype=given.dtype),
        weight_hh=arguments["weight_hh"],
        bias_hh=arguments.get("bias_hh"),
        h_0=arguments["h_0"],
        c_0=arguments.get("c_0"),
        lengths=arguments.get("lengths"),
        options=Options(**options) if options else None,
    )


def run(cell: str, **arguments: Any) -> tuple[torch.Tensor, ...]:
    """All h, and the states at the end, by the kernel."""
    given = as_pass(cell, arguments)
    assert covered((given,)), "not covered: this compares nothing"
    hidden, *final = run_kernel(given)
    return hidden, *(state.squeeze(0) for state in final)


def reference(cell: str, **arguments: Any) -> tuple[torch.Tensor, ...]:
    """The same in plain torch."""
    states = 2 if cell == "lstm" else 1
    results = CELLS[cell].reference(**arguments)
    return results[0], *results[states : 2 * states]


@dataclass(frozen=True)
class Case:
    cell: str
    steps: int
    rows: int
    hidden: int
    options: frozenset[str]
    seed: int
    threads: int
    instruction_set: str

    def arguments(self) -> dict[str, Any]:
        """Named arguments in float64."""
        generator = torch.Generator().manual_seed(self.seed)
        steps, rows, hidden = self.steps, self.rows, self.hidden
        wide = GATES[self.cell] * hidden

        def normal(*shape: int) -> torch.Tensor:
            return torch.randn(shape, generator=generator).double()  # numbers that float32 has too

        def coin(*shape: int) -> torch.Tensor:
            return (normal(*shape) > 0).double()

        made: dict[str, Any] = {"gates_x": normal(steps, rows, wide), "h_0": normal(rows, hidden)}
        if self.cell == "lstm":
            made["c_0"] = normal(rows, hidden)
        made["weight_hh"] = (normal(wide, hidden) / hidden**0.5).float().double()
        sometimes_whole = (steps, rows, hidden) if self.seed % 2 else (1, 1, hidden)
        build = {
            "norm_hh_gain": lambda: {"norm_hh_gain": normal(wide)},
            "norm_cell": lambda: {"norm_cell_gain": normal(hidden), "norm_cell_bias": normal(hidden)},
            "bias_hh": lambda: {"bias_hh": normal(wide)},
            "peephole": lambda: {"peephole": normal(3, hidden)},
            "hidden_mask": lambda: {"hidden_mask": 2 * coin(rows, hidden)},
            "lengths": lambda: {"lengths": torch.randint(0, steps + 1, (rows,), generator=generator)},
            "reverse": lambda: {"reverse": True},
            "clip_step": lambda: {"clip_step": 0.0625},
            "activation": lambda: {"activation": ("relu", "sigmoid", "identity")[self.seed % 3]},
        }
        build |= {
            name: lambda name=name: {name: coin(*sometimes_whole)} for name in ("zoneout_h", "zoneout_c")
        }
        for option in sorted(self.options):
            made |= build[option]()
        return made


def in_type(arguments: dict[str, Any], dtype: torch.dtype) -> dict[str, Any]:
    """Leaves of a type: the same numbers, those that can be learned require gradients."""
    made = {}
    for name, value in arguments.items():
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            made[name] = value.detach().to(dtype).requires_grad_(name not in CONSTANT)
        else:
            made[name] = value
    return made


def sizes() -> st.SearchStrategy[int]:
    """Small ones, and the edges of vectors and tiles."""
    return st.one_of(st.integers(1, 20), st.sampled_from([31, 32, 33, 48, 64, 65]))


@st.composite
def cases(draw: st.DrawFn, normalised: bool) -> Case:
    cell = draw(st.sampled_from(sorted(CELLS)))
    possible = OPTIONS[cell] if normalised else OPTIONS[cell] - NORMALISING
    return Case(
        cell,
        draw(st.integers(1, 8)),
        draw(sizes()),
        draw(sizes()),
        frozenset(draw(st.sets(st.sampled_from(sorted(possible))))),
        draw(st.integers(0, 5)),
        draw(st.sampled_from([1, 2])),
        draw(st.sampled_from(library.choices())),
    )
