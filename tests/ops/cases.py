"""Small float64 arguments for the cells of `RNN`, `GRU` and `LSTM` with every option, by name."""

from dataclasses import dataclass, field
from typing import Any

import torch

from unrolled.layers.built_in import program_of_built_in
from unrolled.ops.cells.given import Given
from unrolled.ops.cells.operator import run_operator
from unrolled.ops.cells.program import Program
from unrolled.ops.cells.reference import Ran, run_reference
from unrolled.ops.cells.run import run_cell
from unrolled.ops.cells.surrounded import Surroundings, surround
from unrolled.ops.inputs import NORM_GROUPS

T, B, H, P = 3, 3, 3, 2
LENGTHS = torch.tensor([2, 0, 3])
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
STATES = {"rnn": ("h",), "gru": ("h",), "lstm": ("h", "c")}


def as_cell(name: str, arguments: dict[str, Any]) -> tuple[Program, Surroundings, Given]:
    """Named arguments as a cell takes them."""
    of = arguments.get
    program = program_of_built_in(
        name, of("activation", "tanh"), "peephole" in arguments, "norm_cell_gain" in arguments
    )
    initial = tuple(arguments[f"{state}_0"] for state in STATES[name])
    zoneouts = tuple(of(f"zoneout_{state}") for state in STATES[name])
    probes = tuple(of(f"probe_{state}") for state in STATES[name])
    units = [*arguments["peephole"]] if "peephole" in arguments else []
    units += [arguments[norm] for norm in ("norm_cell_gain", "norm_cell_bias") if norm in arguments]
    for each in ("bias_hh", "norm_hh_gain"):
        if each in arguments:
            units += arguments[each].chunk(GATES[name])
    around = Surroundings(
        bias="bias_hh" in arguments,
        normalised=NORM_GROUPS[name] if "norm_hh_gain" in arguments else (),
        masked="hidden_mask" in arguments,
        zoneout=tuple(each is not None for each in zoneouts),
        probed=tuple(each is not None for each in probes),
        clipped=bool(of("clip_step")),
        projected="weight_hr" in arguments,
    )
    gates_x = arguments["gates_x"]
    streams = [(of("hidden_mask"), initial[0])]
    streams += [*zip(zoneouts, initial, strict=True), *zip(probes, initial, strict=True)]
    return (
        program,
        around,
        Given(
            gates_x=gates_x,
            weight_hh=arguments["weight_hh"],
            initial=initial,
            units=tuple(units),
            streams=tuple(
                each.expand(len(gates_x), *state.shape) for each, state in streams if each is not None
            ),
            projection=of("weight_hr"),
            lengths=of("lengths"),
            resets=of("resets"),
            reverse=of("reverse", False),
            bound=of("clip_step") or 0.0,
        ),
    )


def flat(ran: Ran) -> tuple[torch.Tensor, ...]:
    """Its results, the states first."""
    return (*ran.states, *ran.final) if ran.gates is None else (*ran.states, *ran.final, ran.gates)


@dataclass(frozen=True)
class Recurrence:
    name: str
    required: dict[str, tuple[int, ...]]
    options: dict[str, dict[str, Any]] = field(repr=False)

    def arguments(self, option: str, seed: int = 0) -> dict[str, Any]:
        """Named arguments; shapes become random tensors, those that are not masks require gradients."""
        generator = torch.Generator().manual_seed(seed)
        made: dict[str, Any] = {}
        for name, value in (self.required | self.options[option]).items():
            if not isinstance(value, tuple):
                made[name] = value
            elif name in MASKS:
                made[name] = torch.rand(value, dtype=torch.float64, generator=generator)
            else:
                made[name] = torch.randn(value, dtype=torch.float64, generator=generator).requires_grad_()
        return made

    def call(self, **arguments: Any) -> tuple[torch.Tensor, ...]:
        """All states, those at the end and the gates, as a layer computes them."""
        return flat(run_cell(*as_cell(self.name, arguments), watched=True))

    def reference(self, **arguments: Any) -> tuple[torch.Tensor, ...]:
        """The same in plain torch."""
        program, around, given = as_cell(self.name, arguments)
        return flat(run_reference(surround(program, around), given))

    def operator(self, **arguments: Any) -> tuple[torch.Tensor, ...]:
        """The same by torch's operator."""
        return tuple(run_operator(*as_cell(self.name, arguments), watched=True))


MASKS = {"hidden_mask", "zoneout_h", "zoneout_c"}


def _with_everything(options: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    scans = {
        "plain": {},
        "lengths": {"lengths": LENGTHS},
        "reverse": {"reverse": True},
        "lengths reverse": {"lengths": LENGTHS, "reverse": True},
        "resets": {"resets": torch.arange(T * B).view(T, B) % 4 == 1},
    }
    everything: dict[str, Any] = {}
    for option in options.values():
        everything |= option
    both = {"everything": everything, "everything lengths reverse": everything | scans["lengths reverse"]}
    return scans | options | both


_ALL = {
    "hidden mask": {"hidden_mask": (B, H)},
    "zoneout": {"zoneout_h": (T, B, H)},
    "probe": {"probe_h": (T, B, H)},
}
RNN = Recurrence(
    "rnn",
    {"gates_x": (T, B, H), "h_0": (B, H), "weight_hh": (H, H)},
    _with_everything(
        {
            "bias": {"bias_hh": (H,)},
            "relu": {"activation": "relu"},
            "identity": {"activation": "identity"},
            "sigmoid": {"activation": "sigmoid"},
            "layer norm": {"norm_hh_gain": (H,)},
        }
        | _ALL
    ),
)
GRU = Recurrence(
    "gru",
    {"gates_x": (T, B, 3 * H), "h_0": (B, H), "weight_hh": (3 * H, H)},
    _with_everything({"bias": {"bias_hh": (3 * H,)}, "layer norm": {"norm_hh_gain": (3 * H,)}} | _ALL),
)
LSTM = Recurrence(
    "lstm",
    {"gates_x": (T, B, 4 * H), "h_0": (B, H), "c_0": (B, H), "weight_hh": (4 * H, H)},
    _with_everything(
        {
            "bias": {"bias_hh": (4 * H,)},
            "peephole": {"peephole": (3, H)},
            "layer norm": {"norm_hh_gain": (4 * H,), "norm_cell_gain": (H,), "norm_cell_bias": (H,)},
            "hidden mask": {"hidden_mask": (B, H)},
            "zoneout of h": {"zoneout_h": (T, B, H)},
            "zoneout of c": {"zoneout_c": (1, 1, H)},
            "probe": {"probe_h": (T, B, H), "probe_c": (T, B, H)},
            "projection": {
                "weight_hr": (P, H),
                "h_0": (B, P),
                "weight_hh": (4 * H, P),
                "hidden_mask": (B, P),
                "zoneout_h": (T, B, P),
                "probe_h": (T, B, P),
            },
        }
    ),
)
CASES = [(each, option) for each in (RNN, GRU, LSTM) for option in each.options]
NAMES = [f"{each.name} {option}" for each, option in CASES]
FULLEST = [(each, option) for each in (RNN, GRU, LSTM) for option in ("plain", "everything lengths reverse")]
FULLEST_NAMES = [f"{each.name} {option}" for each, option in FULLEST]
