"""Rows that come out the same to the bit whatever is computed beside them: the switch, and who may go on."""

from unrolled.errors import ConfigError


def use_deterministic_rows(mode: bool) -> None:
    """Choose whether recurrent layers give each row the same bits whatever is beside it.

    With it on, a row of a batch has the outputs, the states, and the gradients of its inputs and initial
    states that it has alone: however many rows there are, in whatever order and of whatever lengths, and
    however many threads run. Sums are then taken in one order, by the compiled library on the processor's
    vectors. RNN, GRU and LSTM are computed so anyway, unless the processor has matrix tiles (Intel's AMX),
    which then rest; of other cells, and with resets, the input's product is made so. What the library does
    not compute (a projection, a cell that is not fused, a compiled or exported program, a GPU) is an error.

    The gradients of weights are sums over rows, and the masks of dropout are drawn for a whole batch. What
    torch computes around the layers, such as a linear layer, is as torch makes it.

    Args:
        mode: whether it is so, for the whole process.

    Example:
        >>> import torch
        >>> import unrolled
        >>> layer, rows = unrolled.GRU(3, 4), torch.randn(6, 5, 3)
        >>> unrolled.use_deterministic_rows(True)
        >>> together, alone = layer(rows)[0], layer(rows[:, 2:3])[0]
        >>> torch.equal(together[:, 2:3], alone)
        True
        >>> unrolled.use_deterministic_rows(False)
    """
    global _in_use
    if not isinstance(mode, bool):
        raise ConfigError(f"expected True or False, got {mode!r}.")
    _in_use = mode


def are_deterministic_rows_enabled() -> bool:
    """What `use_deterministic_rows` has chosen."""
    return _in_use


def require_any_rows() -> None:
    """Refuse to go on where rows may depend on those beside them.

    Raises:
        ConfigError: rows are to be the same whatever is beside them.
    """
    if _in_use:
        raise ConfigError(
            "use_deterministic_rows: expected a recurrence that the compiled library computes (float32 or "
            "float64 on a CPU, a fused cell without projection, run as it is), got one for plain torch, "
            "whose rows depend on those beside them; switch it off for this layer, or change the layer."
        )


_in_use = False
