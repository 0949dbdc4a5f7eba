"""The programs of `RNN`, `GRU` and `LSTM`, for which the compiled library has kernels of their own."""

from functools import lru_cache

from unrolled.cells.library.elman import ACTIVATIONS, Elman
from unrolled.cells.library.gru_reset_after import GRUResetAfter
from unrolled.cells.library.long_short_term_memory import LongShortTermMemory
from unrolled.ops.cells.program import Program

__all__ = ["ACTIVATIONS", "program_of_built_in"]


@lru_cache(maxsize=64)
def program_of_built_in(
    cell: str, nonlinearity: str = "tanh", peepholes: bool = False, cell_norm: bool = False
) -> Program:
    """The program of "rnn", "gru" or "lstm".

    Args:
        cell: which of them.
        nonlinearity: of an "rnn", one of `ACTIVATIONS`.
        peepholes: of an "lstm".
        cell_norm: of an "lstm": its cell is normalised on the way to h.
    """
    if cell == "rnn":
        return Elman(nonlinearity).program()
    if cell == "gru":
        return GRUResetAfter().program()
    return LongShortTermMemory(peepholes=peepholes, cell_norm=cell_norm).program()
