"""Numbers in the words of a sentence."""

from __future__ import annotations


def share_left(share: float) -> str:
    """What is left of an error.

    Example:
        >>> share_left(0.25), share_left(1e-9), share_left(40.0)
        ('25% of an error is left', '1.0e-09 of an error is left', 'an error is 40 times as large')
    """
    if share > 1.1:
        return f"an error is {share:.3g} times as large"
    return f"{share:.0%} of an error is left" if share >= 0.01 else f"{share:.1e} of an error is left"


def steps(count: int) -> str:
    """A number of steps.

    Example:
        >>> steps(1), steps(20)
        ('1 step', '20 steps')
    """
    return f"{count} step" if count == 1 else f"{count} steps"
