"""Ending a stream of text before a given text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def until(stop: str, pieces: Iterable[str]) -> Iterator[str]:
    """The pieces up to the first ``stop``, which is left out; all of them when ``stop`` is empty.

    Text is held back only as long as it may be the beginning of ``stop``.

    Example:
        >>> list(until("END", ["some t", "ext E", "ND more"]))
        ['some t', 'ext ']
        >>> list(until("END", ["E", "E"]))
        ['E', 'E']
    """
    if not stop:
        yield from pieces
        return
    held = ""
    for piece in pieces:
        held += piece
        at = held.find(stop)
        if at >= 0:
            if at:
                yield held[:at]
            return
        keep = next(
            n for n in range(min(len(stop) - 1, len(held)), -1, -1) if stop.startswith(held[len(held) - n :])
        )
        if len(held) > keep:
            yield held[: len(held) - keep]
            held = held[len(held) - keep :]
    if held:
        yield held
