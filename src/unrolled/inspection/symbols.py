"""The textbook's symbols for what a recurrent layer holds and computes."""

from __future__ import annotations

GATES = {
    "input_gate": "i",
    "forget_gate": "f",
    "output_gate": "o",
    "reset_gate": "r",
    "update_gate": "z",
}


def gate_letters(cell: str, gate_names: tuple[str, ...]) -> list[str]:
    """One letter a gate; the candidate is g in an LSTM, n beside other gates, and h itself alone.

    A gate that the textbooks have no letter for keeps its name.

    Example:
        >>> gate_letters("LSTM", ("input_gate", "forget_gate", "candidate", "output_gate"))
        ['i', 'f', 'g', 'o']
    """
    candidate = "h" if len(gate_names) == 1 else "g" if cell == "LSTM" else "n"
    return [candidate if name == "candidate" else GATES.get(name, name) for name in gate_names]


def family(base: str, letters: list[str]) -> str:
    """One symbol for a matrix with a block for every gate.

    Example:
        >>> family("W_x", ["i", "f", "g", "o"]), family("W_x", ["h"])
        ('W_x{i,f,g,o}', 'W_xh')
    """
    return f"{base}{letters[0]}" if len(letters) == 1 else f"{base}{{{','.join(letters)}}}"


def placed(symbol: str, layer: int, *, reverse: bool, many: bool) -> str:
    """A symbol with its layer, counted from 1, and an arrow for the direction that reads backwards.

    Example:
        >>> placed("h_t", 2, reverse=True, many=True)
        'h_t (2) ←'
    """
    return symbol + (f" ({layer})" if many else "") + (" ←" if reverse else "")
