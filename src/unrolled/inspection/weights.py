"""Every weight of a network: its name, the textbook's symbol, its size and its count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from unrolled.inspection.symbols import family, gate_letters, placed
from unrolled.layers.stack import RecurrentLayer

# A name in a recurrent layer: the symbol's beginning, and the size in letters for G gates of H units.
_RECURRENT = {
    "weight_ih": ("W_x", "{G}H × I"),
    "weight_hh": ("W_h", "{G}H × {P}"),
    "bias_ih": ("b_x", "{G}H"),
    "bias_hh": ("b_h", "{G}H"),
    "bias_hh_candidate": ("b_h", "H"),
    "norm_ih_gain": ("γ_x", "{G}H"),
    "norm_hh_gain": ("γ_h", "{G}H"),
}
_SINGLE = {
    "weight_hr": ("W_r", "P × H"),
    "peephole": ("p{i,f,o}", "3 × H"),
    "norm_cell_gain": ("γ_c", "H"),
    "norm_cell_bias": ("β_c", "H"),
    "initial_h": ("h_0", "{P}"),
    "initial_c": ("c_0", "H"),
}
# Beside the recurrent layers: how a name ends, its symbol, and its size in letters.
_OTHERS = (
    (r"characters\.embedding\.table\.weight", "E_c", "C × E"),
    (r"(embedding|words)(\.table)?\.weight", "E", "V × E"),
    (r"grams\.weight", "E_g", "K × E"),
    (r"output(\.|_)weight", "W_hy", "O × H"),
    (r"output(\.|_)bias", "b_y", "O"),
    (r"direct\.weight", "W_xy", "O × I"),
    (r"direct\.bias", "b_xy", "O"),
    (r"bridge\.weight", "W_he", "E × H"),
    (r"attention\.projection\.weight", "W_a", "H × H"),
    (r"attention\.projection\.bias", "b_a", "H"),
    (r"attention\.context\.weight", "v_a", "1 × H"),
    # A decoder's, over a memory of M features.
    (r"attention\.key\.weight", "U_a", "H × M"),
    (r"attention\.query\.weight", "W_a", "H × H"),
    (r"attention\.query\.bias", "b_a", "H"),
    (r"attention\.energy\.weight", "v_a", "1 × H"),
    (r"combine\.weight", "W_c", "H × (M + H)"),
    (r"generate\.weight", "w_g", "1 × (M + H + E)"),
    (r"generate\.bias", "b_g", "1"),
    (r"bridge\.projection\.weight", "W_s", ""),
    (r"bridge\.projection\.bias", "b_s", ""),
)


@dataclass(frozen=True, slots=True)
class Weight:
    """One parameter.

    Attributes:
        name: as in the ``state_dict``.
        symbol: the textbook's; ``W_x{i,f,g,o}`` are four matrices in one tensor.
        formula: the size in letters: I inputs, H hidden units, V vocabulary, E embedding, O outputs; may be
            empty.
        size: in numbers.
        count: how many numbers it holds.
    """

    name: str
    symbol: str
    formula: str
    size: tuple[int, ...]
    count: int


def weights(model: nn.Module) -> list[Weight]:
    """Every parameter, in the order of ``named_parameters``; tied ones once.

    Example:
        >>> from unrolled import RNN
        >>> for weight in weights(RNN(3, 4)):
        ...     print(weight.name, weight.symbol, weight.formula, weight.size, weight.count)
        weight_ih_l0 W_xh H × I (4, 3) 12
        weight_hh_l0 W_hh H × H (4, 4) 16
        bias_ih_l0 b_xh H (4,) 4
        bias_hh_l0 b_hh H (4,) 4
    """
    named = dict(_recurrent_names(model))
    rows = []
    for name, parameter in model.named_parameters():
        symbol, formula = named.get(name) or _other_name(name)
        rows.append(Weight(name, symbol, formula, tuple(parameter.shape), parameter.numel()))
    return rows


def _recurrent_names(model: nn.Module) -> Iterator[tuple[str, tuple[str, str]]]:
    for prefix, layer in model.named_modules():
        if not isinstance(layer, RecurrentLayer):
            continue
        for name, _ in layer.named_parameters(recurse=False):
            base, number, reverse = re.fullmatch(r"(.+)_l(\d+)(_reverse)?", name).groups()  # type: ignore[union-attr]
            letters = gate_letters(layer.cell_name, layer.gates_of(base))
            full = f"{prefix}.{name}" if prefix else name
            symbol, formula = _recurrent_name(base, letters, "P" if layer.proj_size else "H")
            many = layer.num_layers > 1
            yield full, (placed(symbol, int(number) + 1, reverse=bool(reverse), many=many), formula)


def _recurrent_name(base: str, letters: list[str], state: str) -> tuple[str, str]:
    gates = str(len(letters)) if len(letters) > 1 else ""
    if base in _RECURRENT:
        symbol, formula = _RECURRENT[base]
        return family(symbol, letters), formula.format(G=gates, P=state)
    symbol, formula = _SINGLE.get(base, (base, ""))
    return symbol, formula.format(P=state)


def _other_name(name: str) -> tuple[str, str]:
    for ending, symbol, formula in _OTHERS:
        if re.search(rf"(^|\.){ending}$", name):
            return symbol, formula
    return name.rpartition(".")[2], ""
