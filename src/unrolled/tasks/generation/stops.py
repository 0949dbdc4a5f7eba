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
    held = ""
    for piece in pieces:
        ready, held, stopped = released(held + piece, stop)
        if ready:
            yield ready
        if stopped:
            return
    if held:
        yield held


def released(text: str, stop: str) -> tuple[str, str, bool]:
    """What of a text may be shown, what is held back as it may begin ``stop``, and whether ``stop`` came.

    Example:
        >>> released("text E", "END"), released("an END", "END")
        (('text ', 'E', False), ('an ', '', True))
    """
    if not stop:
        return text, "", False
    at = text.find(stop)
    if at >= 0:
        return text[:at], "", True
    kept = next(
        n for n in range(min(len(stop) - 1, len(text)), -1, -1) if stop.startswith(text[len(text) - n :])
    )
    return text[: len(text) - kept], text[len(text) - kept :], False
