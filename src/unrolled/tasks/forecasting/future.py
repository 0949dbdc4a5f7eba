"""Series that go on: into the future, and from one file to the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.data.calendar import future_times
from unrolled.data.categories import recoded
from unrolled.data.example import Series, Source
from unrolled.data.series import KnownSeries
from unrolled.data.steps import step_named
from unrolled.data.zones import zone_of
from unrolled.saving.schema import ENTRIES, Finite, Size


def row(
    series: Series, time: int | float | str, numbers: NDArray[np.float64], quantiles: Sequence[float]
) -> dict[str, Any]:
    """A line of a forecast in long format, from a point and its quantiles ``(1 + quantiles,)``."""
    which = {"unique_id": series.of or series.unique_id, "ds": time}
    if series.target is not None:
        which["target"] = series.target
    levels = {f"y_{level:g}": float(number) for level, number in zip(quantiles, numbers[1:], strict=True)}
    return which | {"y": float(numbers[0])} | levels


def followed(
    series: Series,
    times: NDArray,
    values: NDArray[np.float64],
    covariates: NDArray[np.float64],
    future: NDArray[np.float64] | None = None,
) -> Series:
    """The series with some more steps, and what is known of those after them."""
    return replace(
        series,
        times=np.concatenate([series.times, times.astype(series.times.dtype)]),
        values=np.concatenate([series.values, values]),
        covariates=np.concatenate([series.covariates, covariates]),
        future=future,
    )


def continued(series: Series, times: NDArray, values: NDArray[np.float64]) -> Series:
    """The series as if the first of ``times`` had brought ``values``, with the covariates that are known."""
    covariates = np.full((len(values), series.covariates.shape[1]), np.nan)
    future = covariates[:0] if series.future is None else series.future
    covariates[: len(future)] = future[: len(values)]
    return followed(series, times[: len(values)], values, covariates, future[len(values) :])


def require_numbers(series: Sequence[Series]) -> None:
    """See that there is something to go on from: of each series, or of another number of the same steps.

    Raises:
        DataError: there is not.
    """
    known = {one.of if one.target else one.unique_id for one in series if not np.isnan(one.values).all()}
    for one in series:
        if (one.of if one.target else one.unique_id) not in known:
            raise one.source.error(f"expected numbers in series {one.unique_id!r}, got none")


def require_future(series: Series, names: Sequence[str], steps: int) -> None:
    """See that what a model reads of the steps ahead is known.

    Args:
        series: up to the present.
        names: the covariates that are read ahead.
        steps: how many of them.

    Raises:
        DataError: it is not.
    """
    future = np.zeros((0, len(series.names))) if series.future is None else series.future
    for name in names:
        column = future[:steps, series.names.index(name)]
        missing = np.isnan(column)
        known = int(missing.argmax()) if missing.any() else len(column)
        if known < steps:
            raise series.source.error(
                f"expected {name!r} of the {steps} steps after the last number of series "
                f"{series.unique_id!r}, got {known}",
                remedy="give them as further rows, whose number to forecast is empty",
            )


def joined(series: Series, earlier: Iterable[Series]) -> tuple[Series, int | None]:
    """A series after the earlier one of the same name, where it begins with that one's next step.

    A series whose times only count its steps begins there too, unless it repeats the earlier one's numbers.

    Returns:
        The whole, and the number of the earlier steps; or the series itself and None.

    Example:
        >>> first = Series("a", np.arange(3), np.arange(3.0), np.zeros((3, 0)))
        >>> second = Series("a", np.arange(3, 5), np.arange(2.0), np.zeros((2, 0)))
        >>> whole, known = joined(second, [first])
        >>> whole.values.tolist(), known
        ([0.0, 1.0, 2.0, 0.0, 1.0], 3)
    """
    for known in earlier:
        if (
            known.unique_id != series.unique_id
            or known.names != series.names
            or known.times.dtype.kind != series.times.dtype.kind
            or (known.zone is None) != (series.zone is None)
        ):
            continue
        following = future_times(known, len(series)).astype(series.times.dtype)
        if following[0] == series.times[0] or (series.counted and not _repeats(series, known)):
            whole = followed(known, following, series.values, series.covariates, series.future)
            return whole, len(known)
    return series, None


def _repeats(series: Series, known: Series) -> bool:
    """Whether a series holds at its known steps the numbers that are known there."""
    inside = known.times < len(series)
    return bool(inside.any()) and np.array_equal(
        series.values[known.times[inside]], known.values[inside], equal_nan=True
    )


def as_known(series: Series, known: KnownSeries) -> Series:
    """A series with the covariates of the training data, by their names, and with its step if it has none."""
    if series.step is None and not series.counted:
        series = replace(series, step=known.steps.get(series.unique_id, known.steps.get("")))
    series = recoded(series, known.categories)
    if series.names == known.names or not set(known.names) <= set(series.names):
        return series
    places = [series.names.index(name) for name in known.names]
    future = None if series.future is None else series.future[:, places]
    return replace(series, covariates=series.covariates[:, places], names=known.names, future=future)


@with_config(ENTRIES)
class SavedSeries(TypedDict):
    """A series in a model folder."""

    unique_id: str
    dates: bool
    times: list[int] | list[Finite]
    values: list[Finite | None]
    covariates: list[list[Finite | None]]
    names: list[str]
    season: Size
    step: str | None
    counted: bool
    zone: str | None
    in_utc: Literal["", "Z"] | None
    future: list[list[Finite | None]] | None
    target: str | None
    of: str | None


def series_to_dict(series: Series) -> dict[str, Any]:
    """A series as plain JSON, without where it was read."""
    return {
        "unique_id": series.unique_id,
        "dates": series.times.dtype.kind == "M",
        "times": (series.times.astype(np.int64) if series.times.dtype.kind == "M" else series.times).tolist(),
        "values": _numbers(series.values),
        "covariates": [_numbers(step) for step in series.covariates],
        "names": list(series.names),
        "season": series.season,
        "step": series.step,
        "counted": series.counted,
        "zone": series.zone,
        "in_utc": series.in_utc,
        "future": None if series.future is None else [_numbers(step) for step in series.future],
        "target": series.target,
        "of": series.of,
    }


def series_from_dict(content: SavedSeries) -> Series:
    """The inverse of `series_to_dict`.

    Raises:
        ValueError: its parts do not fit each other, or its times do not ascend.
        LookupError: there is no such zone.
        DataError: there is no such step.
    """
    times = np.array(content["times"])
    names = tuple(content["names"])
    if not len(times) or times.dtype.kind not in "if" or (content["dates"] and times.dtype.kind != "i"):
        raise ValueError("expected times, whole numbers where they are dates")
    if len(content["values"]) != len(times) or [len(each) for each in content["covariates"]] != [
        len(names)
    ] * len(times):
        raise ValueError("expected a value, and one of each covariate, for every time")
    future = content["future"]
    if future is not None and any(len(each) != len(names) for each in future):
        raise ValueError("expected one of each covariate for every step that follows")
    if not (np.diff(times) > 0).all():
        raise ValueError("expected times that ascend")
    if content["zone"] is not None:
        zone_of(content["zone"])
    if (
        content["step"] is not None
        and (isinstance(step_named(content["step"]).length, np.timedelta64)) != (content["dates"])
    ):
        raise ValueError(f"expected a step of such times, got {content['step']!r:.60}")
    return Series(
        content["unique_id"],
        times.astype("datetime64[ns]") if content["dates"] else times,
        np.array(content["values"], dtype=np.float64),
        np.array(content["covariates"], dtype=np.float64).reshape(len(times), len(names)),
        names,
        Source("the training data"),
        content["season"],
        content["step"],
        content["counted"],
        content["zone"],
        content["in_utc"],
        None if future is None else np.array(future, dtype=np.float64).reshape(len(future), len(names)),
        target=content["target"],
        of=content["of"],
    )


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]
