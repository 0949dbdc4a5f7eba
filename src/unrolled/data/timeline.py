"""The times of one series, in order: the step they have, and the form in which they are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from unrolled.data.dates import Dates
from unrolled.data.steps import Step, by_the_clock, infer_step

_DAY = np.timedelta64(1, "D")
_NEARLY_ALL = 0.9
_MOSTLY_GAPS = 3
"""A grid this many times longer than the one that times show is not theirs."""
_SHOWS_ITS_STEP = 4
"""Times with which a series has a step of its own; what is shorter takes that of the others, if it fits."""


def kept_times(dates: Dates, step: Step) -> np.ndarray:
    """The times as a series keeps them: in UTC where so much time passes a step, else as clocks show them."""
    if step.absolute:
        return dates.instants
    return _on_the_hour(dates, step.length if step.within_day else _DAY)


def own_step(dates: Dates) -> Step:
    """The step that the times show, in whatever order they are."""
    step = infer_step(np.sort(_on_the_hour(dates, _DAY)))
    return _within_day(dates) if step.within_day else step


def _within_day(dates: Dates) -> Step:
    """The step of hours that pass, or that clocks show where only these are even."""
    passing = infer_step(np.sort(dates.instants))
    shown = by_the_clock(passing)
    if dates.offsets is None or shown is None or _fits(dates, passing) or not _fits(dates, shown):
        return passing
    return shown


def step_here(dates: Dates, step: Step) -> Step:
    """A step that is known of a series, by the clock where its times now are even only by that."""
    shown = by_the_clock(step)
    if dates.offsets is None or shown is None or _fits(dates, step) or not _fits(dates, shown):
        return step
    return shown


def _fits(dates: Dates, step: Step) -> bool:
    return step.span(np.sort(kept_times(dates, step))) is not None


def _on_the_hour(dates: Dates, period: np.timedelta64) -> np.ndarray:
    """Times on the wall, the same in each period where clocks are set forward too.

    A day whose first hour is skipped begins at one o'clock; to the calendar it is a day as the others.
    """
    if dates.offsets is None or not len(dates.times):
        return dates.times
    hours = (dates.times - dates.times.astype("datetime64[D]")) % period
    clocks, counts = np.unique(hours, return_counts=True)
    late = (hours - clocks[np.argmax(counts)]) % period
    skipped = (late > np.timedelta64(0)) & (late <= np.timedelta64(1, "h"))
    if not skipped.any() or counts.max() < _NEARLY_ALL * len(hours):
        return dates.times
    return np.where(skipped, dates.times - late, dates.times)


def usual_step(each: Sequence[Dates]) -> Step:
    """The step that explains most series, of those that show one, in any order; else that of the longest."""
    longest = max(each, key=lambda dates: len(dates.times))
    shown = [dates for dates in each if len(dates.times) >= _SHOWS_ITS_STEP] or [longest]
    steps = [own_step(dates) for dates in shown]
    different = {str(step): step for step in steps}
    # Quarters that end on business days may look like plain ones in one of two shops.
    counts = Counter(
        name
        for dates, own in zip(shown, steps, strict=True)
        for name, step in different.items()
        if _explains(step, own, dates)
    )
    return max(different.values(), key=lambda step: (counts[str(step)], str(step)))


def _explains(step: Step, own: Step, dates: Dates) -> bool:
    """Whether times are as well of a step as of the one that they show."""
    if str(step) == str(own):
        return True
    times, other = (np.sort(kept_times(dates, each)) for each in (own, step))
    return own.span(times) == step.span(other) is not None and step.share(other) >= own.share(times)


def step_among(dates: Dates, usual: Step) -> Step:
    """The step of a series among others of a usual one.

    Its own, as its dates show it, but for one that the usual step explains as well: five days from Monday to
    Friday are business days where the others are. A series of few times takes the usual one where that leaves
    no more gaps than times.
    """
    if len(dates.times) < 2:
        return usual
    own = own_step(dates)
    if _explains(usual, own, dates):
        return usual
    if len(dates.times) >= _SHOWS_ITS_STEP:
        return own
    length = usual.span(np.sort(kept_times(dates, usual)))
    return usual if length is not None and length <= 2 * len(dates.times) else own


def shows_another(dates: Dates, step: Step) -> bool:
    """Whether times are plainly of a longer step than the one they are said to have."""
    if len(dates.times) < _SHOWS_ITS_STEP:
        return False
    length = step.span(np.sort(kept_times(dates, step)))
    own = own_step(dates)
    own_length = own.span(np.sort(kept_times(dates, own)))
    return length is not None and own_length is not None and length > _MOSTLY_GAPS * own_length
