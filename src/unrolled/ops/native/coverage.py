"""What the library computes: the one place that says so, to those who call it and to those who ask."""

import torch

TYPES = (torch.float32, torch.float64)


def obstacle(device: str, dtype: torch.dtype, *, projection: bool = False) -> str | None:
    """Why the library does not compute a recurrence, as a clause; None where it does, if there is a library.

    Args:
        device: the type of the tensors' device, "cpu".
        dtype: the tensors' type.
        projection: an LSTM that projects its hidden state.
    """
    if device != "cpu":
        return f"the compiled library is for CPUs, not for {device}"
    if dtype not in TYPES:
        return f"the compiled library has no {dtype}"
    return "the compiled library has no projection" if projection else None
