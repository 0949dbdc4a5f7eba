"""Small float64 arguments for every recurrence with every option, by name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from unrolled.ops import gru, lstm, rnn

T, B, H, P = 3, 3, 3, 2
LENGTHS = torch.tensor([2, 0, 3])


@dataclass(frozen=True)
class Recurrence:
    name: str
    call: Callable[..., tuple[torch.Tensor, ...]]
    reference: Callable[..., tuple[torch.Tensor, ...]]
    operator: Any
    backward_operator: Any
    saved: tuple[int, ...]
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


MASKS = {"hidden_mask", "zoneout", "zoneout_h", "zoneout_c"}


def _with_everything(options: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    scans = {
        "plain": {},
        "lengths": {"lengths": LENGTHS},
        "reverse": {"reverse": True},
        "lengths reverse": {"lengths": LENGTHS, "reverse": True},
    }
    everything: dict[str, Any] = {}
    for option in options.values():
        everything |= option
    both = {"everything": everything, "everything lengths reverse": everything | scans["lengths reverse"]}
    return scans | options | both


RNN = Recurrence(
    "rnn",
    rnn.rnn,
    rnn.rnn_reference,
    rnn.rnn_operator,
    rnn.rnn_backward_operator,
    (0, 2),
    {"gates_x": (T, B, H), "h_0": (B, H), "weight_hh": (H, H)},
    _with_everything(
        {
            "bias": {"bias_hh": (H,)},
            "relu": {"activation": "relu"},
            "identity": {"activation": "identity"},
            "sigmoid": {"activation": "sigmoid"},
            "layer norm": {"norm_hh_gain": (H,)},
            "hidden mask": {"hidden_mask": (B, H)},
            "zoneout": {"zoneout": (T, B, H)},
            "probe": {"probe": (T, B, H)},
        }
    ),
)
GRU = Recurrence(
    "gru",
    gru.gru,
    gru.gru_reference,
    gru.gru_operator,
    gru.gru_backward_operator,
    (0, 2, 3),
    {"gates_x": (T, B, 3 * H), "h_0": (B, H), "weight_hh": (3 * H, H)},
    _with_everything(
        {
            "bias": {"bias_hh": (3 * H,)},
            "layer norm": {"norm_hh_gain": (3 * H,)},
            "hidden mask": {"hidden_mask": (B, H)},
            "zoneout": {"zoneout": (T, B, H)},
            "probe": {"probe": (T, B, H)},
        }
    ),
)
LSTM = Recurrence(
    "lstm",
    lstm.lstm,
    lstm.lstm_reference,
    lstm.lstm_operator,
    lstm.lstm_backward_operator,
    (0, 1, 4),
    {"gates_x": (T, B, 4 * H), "h_0": (B, H), "c_0": (B, H), "weight_hh": (4 * H, H)},
    _with_everything(
        {
            "bias": {"bias_hh": (4 * H,)},
            "peephole": {"peephole": (3, H)},
            "layer norm": {"norm_hh_gain": (4 * H,), "norm_cell_gain": (H,), "norm_cell_bias": (H,)},
            "hidden mask": {"hidden_mask": (B, H)},
            "zoneout of h": {"zoneout_h": (T, B, H)},
            "zoneout of c": {"zoneout_c": (1, 1, H)},
            "probes": {"probe_h": (T, B, H), "probe_c": (T, B, H)},
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
