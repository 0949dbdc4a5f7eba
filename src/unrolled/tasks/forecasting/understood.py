"""What the series of the training data were taken for, for the user to read in a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from unrolled.data.calendar import step_of, time_texts
from unrolled.data.categories import static_names
from unrolled.data.example import Series
from unrolled.data.series_layout import SeriesLayout
from unrolled.data.several_targets import told_of_others


def understood(series: Sequence[Series], layout: SeriesLayout, horizon: int) -> list[str]:
    """The parts of the line: which series, their times, gaps and covariates, what is not read.

    Args:
        series: all of the training data.
        layout: how their table was read.
        horizon: how many steps ahead are forecast.

    Example:
        >>> week = Series("sales", np.arange(7), np.arange(7.0), np.zeros((7, 0)), counted=True)
        >>> "; ".join(understood([week], SeriesLayout(), 2))
        "the series 'sales'; steps counted, up to 7; no gaps; no covariates; horizon 2"
    """
    gaps, total = sum(int(np.isnan(one.values).sum()) for one in series), sum(map(len, series))
    return [
        _which(series, layout),
        _span(series),
        f"gaps filled: {gaps:,} of {total:,} steps" if gaps else "no gaps",
        _covariates(series, layout.targets),
        *([f"not read: {', '.join(layout.left_out)}"] if layout.left_out else []),
        f"horizon {horizon}",
    ]


def _which(series: Sequence[Series], layout: SeriesLayout) -> str:
    """The series by their name or number, and the columns that are forecast."""
    first = series[0]
    if layout.targets:
        ids = len({one.of for one in series})
        return f"{', '.join(map(repr, layout.targets))} of {ids:,} series"
    target = "" if first.source.column is None or layout.wide else f" of {first.source.column!r}"
    which = f"{len(series):,} series{target}" if len(series) > 1 else f"the series {first.unique_id!r}"
    if layout.others:
        which += f", the first of {1 + len(layout.others)} columns of numbers (--target-column: another)"
    return which


def _span(series: Sequence[Series]) -> str:
    """The step, or steps, and the first and the last time."""
    first = series[0]
    if first.counted:
        return f"steps counted, up to {max(map(len, series)):,}"
    steps = Counter(str(step_of(one)) for one in series)
    named = ", ".join(step for step, _ in steps.most_common(3)) + (", ..." if len(steps) > 3 else "")
    zone = f" ({first.zone})" if first.zone else ""
    starts = min(series, key=lambda one: one.times[0])
    ends = max(series, key=lambda one: one.times[-1])
    (since,), (until,) = time_texts(starts, starts.times[:1]), time_texts(ends, ends.times[-1:])
    return f"a step of {named}{zone}, {since} to {until}"


def _covariates(series: Sequence[Series], targets: Sequence[str]) -> str:
    """The covariates, those that never change last, with how many categories there are of each."""
    first = series[0]

    def told(names: Sequence[str]) -> str:
        counts = {name: len(first.categories.get(name, ())) for name in names}
        return ", ".join(f"{name} ({count} categories)" if count else name for name, count in counts.items())

    others = told_of_others(targets)
    static = [name for name in static_names(series) if name not in others]
    changing = [name for name in first.names if name not in (*static, *others)]
    said = f"covariates {told(changing)}" if changing else "no covariates" if not static else ""
    return "; ".join(part for part in (said, f"static {told(static)}" if static else "") if part)
