"""Timing several calls against each other: in turns, within one process, compared round by round."""

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch

Call = Callable[[], object]


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        seconds: for one comparison.
        fewest: rounds at least, however long they take.
        most: rounds at most.
        sample: the shortest time that is read off the clock; a quicker call is repeated.
    """

    seconds: float
    fewest: int
    most: int = 101
    sample: float = 2e-3


QUICK = Effort(0.25, 3)
FULL = Effort(2.0, 9)


@dataclass(frozen=True)
class Times:
    """Seconds a call by name, one number for each round."""

    seconds: Mapping[str, tuple[float, ...]]

    def median(self, name: str) -> float:
        """Of one call, in seconds."""
        return statistics.median(self.seconds[name])

    def speedup(self, name: str, over: str) -> float:
        """How many times as fast as another: the median of ratios within a round, for the pace changes."""
        pairs = zip(self.seconds[name], self.seconds[over], strict=True)
        return statistics.median(other / own for own, other in pairs)


def alternate(calls: Mapping[str, Call], effort: Effort) -> Times:
    """Time all calls once a round, in one order and then in the other.

    Before each is timed it is called once more. A processor slows its memory down within milliseconds of work
    that hardly uses it, and takes as long to speed it up again: what follows a Python loop would pay for it.
    """
    estimates = {name: _warm(call) for name, call in calls.items()}
    repeats = {name: max(1, math.ceil(effort.sample / estimate)) for name, estimate in estimates.items()}
    round_ = sum(estimates[name] * (repeats[name] + 1) for name in calls)
    rounds = min(max(effort.fewest, int(effort.seconds / round_)), effort.most)
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for index in range(rounds):
            for name in list(calls) if index % 2 else reversed(list(calls)):
                calls[name]()
                seconds[name].append(_timed(calls[name], repeats[name]))
    finally:
        if collecting:
            gc.enable()
    return Times({name: tuple(each) for name, each in seconds.items()})


def geometric_mean(ratios: Iterable[float]) -> float:
    """The mean of ratios: half as fast and twice as fast make one."""
    return statistics.geometric_mean(ratios)


def product_peak(repeats: int = 3) -> float:
    """Operations a second of a product of two 2048 x 2048 matrices, now: the best of a few.

    The faster of torch's two libraries counts: MKL, that of torch.mm, keeps to AVX2 on some processors.
    """
    left, right = torch.randn(2048, 2048), torch.randn(2048, 2048)
    calls: list[Call] = [lambda: left @ right]
    if torch.backends.mkldnn.is_available():
        calls.append(lambda: torch.ops.mkldnn._linear_pointwise(left, right, None, "none", [], ""))
    fastest = min(_timed(call, 1) for call in calls for _ in range(1 + repeats))
    return 2 * 2048**3 / fastest


def _warm(call: Call) -> float:
    """Seconds of a call that is not the first."""
    call()
    return max(_timed(call, 1), 1e-7)


def _timed(call: Call, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats
