"""Arguments of any size and with any options for every recurrence, drawn or chosen."""

from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import strategies as st

from tests.ops.cases import GRU, LSTM, RNN
from unrolled.ops.native import library
from unrolled.ops.native.gru import gru_backward, gru_forward
from unrolled.ops.native.lstm import lstm_backward, lstm_forward
from unrolled.ops.native.rnn import rnn_backward, rnn_forward

CELLS = {each.name: each for each in (RNN, GRU, LSTM)}
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
FORWARD = {"rnn": rnn_forward, "gru": gru_forward, "lstm": lstm_forward}
BACKWARD = {"rnn": rnn_backward, "gru": gru_backward, "lstm": lstm_backward}
OPTIONS = {
    "rnn": {
        "bias_hh",
        "norm_hh_gain",
        "hidden_mask",
        "zoneout",
        "probe",
        "lengths",
        "reverse",
        "clip_step",
        "activation",
    },
    "gru": {"bias_hh", "norm_hh_gain", "hidden_mask", "zoneout", "probe", "lengths", "reverse", "clip_step"},
    "lstm": {
        "bias_hh",
        "peephole",
        "norm_hh_gain",
        "norm_cell",
        "hidden_mask",
        "zoneout_h",
        "zoneout_c",
        "probe_h",
        "probe_c",
        "lengths",
        "reverse",
        "clip_step",
    },
}
NORMALISING = {"norm_hh_gain", "norm_cell"}
CONSTANT = {"hidden_mask", "zoneout", "zoneout_h", "zoneout_c"}


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
        """Named arguments in float64, in the order of the operator's."""
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
            name: lambda name=name: {name: coin(*sometimes_whole)}
            for name in ("zoneout", "zoneout_h", "zoneout_c")
        }
        build |= {
            name: lambda name=name: {name: normal(*sometimes_whole) / 8}
            for name in ("probe", "probe_h", "probe_c")
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
