"""The whole way of an error where one network reads and another writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_READS, _WRITES = "encoder.", "decoder."


def chained(decays: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, ...]]:
    """What is left of an error that goes back through all that was written and then through what was read.

    Of the layers that write the one that keeps most counts; where nothing reads or nothing writes, all is as
    it was.

    Args:
        decays: what is left by lag, for each layer and direction of either network.

    Example:
        >>> chained({"encoder.l0": (1.0, 0.5), "decoder.recurrent.l0": (1.0, 0.1)})
        {'decoder.recurrent.l0, encoder.l0': (1.0, 0.1, 0.1, 0.05)}
    """
    writers = [layer for layer in decays if layer.startswith(_WRITES) and len(decays[layer])]
    readers = [layer for layer in decays if layer.startswith(_READS)]
    if not (writers and readers):
        return {layer: tuple(decay) for layer, decay in decays.items()}
    writer = max(writers, key=lambda layer: min(decays[layer]))
    written = tuple(decays[writer])
    return {
        f"{writer}, {reader}": (*written, *(written[-1] * left for left in decays[reader]))
        for reader in readers
    }
