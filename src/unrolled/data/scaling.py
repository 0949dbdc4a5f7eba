"""Numbers brought to a common scale for the network, and back; missing ones left out or filled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.errors import ConfigError, DataError
from unrolled.saving.schema import ENTRIES, Finite, Positive

_MOST = float(np.finfo(np.float64).max)
_LARGEST = float(np.finfo(np.float32).max)
"""What a network can read."""


@with_config(ENTRIES)
class SavedScaling(TypedDict):
    """A scaling in a model folder: a number, or one for each feature."""

    center: Finite | list[Finite]
    scale: Positive | list[Positive]
    floor: Positive | list[Positive] | None


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """A shift and a stretch: scaled numbers are `(numbers - center) / scale`, perhaps of their logarithms.

    Attributes:
        center: `(...)` per feature, or a single number.
        scale: as `center`; never zero.
        floor: as `center`; logarithms are taken, which below the floor go on along their tangent there,
            through zero and beyond: no number is lost, and none is infinite. None: none are taken.

    Example:
        >>> scaling = Scaling.fit(np.array([1.0, np.nan, 3.0]), "standard")
        >>> scaling.apply(np.array([3.0])), scaling.undo(np.array([1.0]))
        (array([1.]), array([3.]))
    """

    center: np.ndarray
    scale: np.ndarray
    floor: np.ndarray | None = None

    @classmethod
    def fit(cls, values: np.ndarray, kind: str = "standard") -> Self:
        """The scaling of some numbers; missing ones are left out.

        What does not vary is scaled by its size, so that in other units the scaled numbers are the same.

        Args:
            values: `(time,)` or `(time, feature)`, NaN where missing.
            kind: `standard` to mean 0 and standard deviation 1, `log` the same with the logarithms, `minmax`
                to the range 0 to 1, or `none`.

        Raises:
            ConfigError: there is no such kind.
        """
        columns = values.reshape(len(values), -1).T
        shape = values.shape[1:]
        if kind == "log":
            floor = np.array([_floor(column) for column in columns]).reshape(shape)
            logarithms = _logarithm(values, floor).reshape(len(values), -1).T
            fitted = [_fitted(column, _standard, unit=1.0) for column in logarithms]
        elif kind in _KINDS:
            floor = None
            fitted = [_fitted(column, _KINDS[kind]) for column in columns]
        else:
            raise ConfigError(f"expected scaling to be one of {', '.join(_KINDS)} or log, got {kind!r}")
        center, scale = np.array(fitted, dtype=np.float64).reshape(-1, 2).T
        return cls(center.reshape(shape), scale.reshape(shape), floor)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """The scaled numbers; the last axes of `values` are those of `center`.

        Raises:
            DataError: one is so far from those of training that a network would read infinity.
        """
        with np.errstate(over="ignore"):
            logarithms = values if self.floor is None else _logarithm(values, self.floor)
            # Divided first by a power of two, which is exact, a difference of the largest floats is one too.
            unit = power_of_two(np.maximum(self.scale, 1.0))
            scaled = (logarithms / unit - self.center / unit) / (self.scale / unit)
        beyond = np.abs(scaled) > _LARGEST  # NaN, which is a missing number, is not
        if beyond.any():
            raise DataError(
                f"expected numbers on the scale of those of training, got {values[beyond].flat[0]:g}, which "
                "is too far from them to be computed with"
            )
        return scaled

    def undo(self, values: np.ndarray) -> np.ndarray:
        """The numbers that `apply` scaled."""
        with np.errstate(over="ignore"):  # the largest float stands for what is beyond it
            numbers = np.clip(values * self.scale + self.center, -_MOST, _MOST)
        return numbers if self.floor is None else _exponential(numbers, self.floor)

    def to_dict(self) -> SavedScaling:
        """The scaling as plain JSON."""
        floor = None if self.floor is None else self.floor.tolist()
        return {"center": self.center.tolist(), "scale": self.scale.tolist(), "floor": floor}

    @classmethod
    def from_dict(cls, content: SavedScaling) -> Self:
        """The scaling that `to_dict` described.

        Raises:
            ValueError: its parts are of different sizes.
        """
        parts = [np.array(content[name], dtype=np.float64) for name in ("center", "scale")]
        if content["floor"] is not None:
            parts.append(np.array(content["floor"], dtype=np.float64))
        if len({part.shape for part in parts}) > 1:
            raise ValueError(f"expected center, scale and floor of one size, got {[p.shape for p in parts]}")
        return cls(*parts)


_BELOW = 0.1
"""Share of the smallest number above zero down to which logarithms are taken as they are."""
_ROUNDING = 1e-12
"""Spread, as a share of the numbers' size, below which they differ by rounding only."""


def _floor(values: np.ndarray) -> float:
    """Where the tangent takes over from the logarithm."""
    known = values[np.isfinite(values)]
    above = known[known > 0]
    if len(above):
        # Numbers that are nothing beside the others are rounding, of which no logarithm is taken. Numbers
        # below zero keep to the tangent's first steps: far down a steep one, they would be all that the scale
        # shows.
        rounding = _ROUNDING * float(np.abs(known).max())
        return max(_BELOW * float(above.min()), rounding, -float(known.min()))
    return float(np.abs(known).max(initial=0.0)) or 1.0


def _logarithm(values: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """The logarithm down to the floor, and below it its tangent there."""
    return np.log(np.maximum(values, floor)) + (np.minimum(values, floor) / floor - 1)


def _exponential(values: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """The inverse of `_logarithm`."""
    lowest = np.log(floor)
    return np.exp(np.maximum(values, lowest)) + floor * np.minimum(values - lowest, 0.0)


def _fitted(
    values: np.ndarray, kind: Callable[[np.ndarray], tuple[float, float]], unit: float | None = None
) -> tuple[float, float]:
    """Center and scale of one feature; what does not vary has the scale `unit`, or its own size."""
    known = values[~np.isnan(values)]
    center, scale = kind(known)
    size = float(np.abs(known).max(initial=0.0))
    return center, scale if scale > _ROUNDING * size else (unit or size or 1.0)


def power_of_two(size: np.ndarray) -> np.ndarray:
    """The power of two that is nearest from below; 1 for 0."""
    return np.where(size > 0, np.ldexp(1.0, np.frexp(size)[1] - 1), 1.0)


def mean_and_deviation(values: np.ndarray, axis: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the standard deviation of any finite numbers, whose sum or squares a float may not hold.

    Example:
        >>> mean_and_deviation(np.array([1e300, 3e300]))
        (array(2.e+300), array(1.e+300))
    """
    unit = power_of_two(np.abs(values).max(axis=axis, keepdims=True, initial=0.0))
    units = values / unit
    mean, deviation = units.mean(axis=axis, keepdims=True) * unit, units.std(axis=axis, keepdims=True) * unit
    return np.squeeze(mean, axis), np.squeeze(deviation, axis)


def _standard(values: np.ndarray) -> tuple[float, float]:
    if not len(values):
        return 0.0, 1.0
    mean, deviation = mean_and_deviation(values)
    return float(mean), float(deviation)


def _minmax(values: np.ndarray) -> tuple[float, float]:
    if not len(values):
        return 0.0, 1.0
    with np.errstate(over="ignore"):
        return float(values.min()), min(float(np.ptp(values)), _MOST)


def _none(values: np.ndarray) -> tuple[float, float]:
    return 0.0, 1.0


_KINDS: dict[str, Callable[[np.ndarray], tuple[float, float]]] = {
    "standard": _standard,
    "minmax": _minmax,
    "none": _none,
}


def fill(values: np.ndarray) -> np.ndarray:
    """Close the gaps: a missing number becomes the last one before it, and 0 where there is none before.

    Nothing after a gap is used, so a forecast is not told the future. Filled after `standard` scaling, the
    0 is the series' mean.

    Args:
        values: `(time, ...)`, NaN where missing.

    Returns:
        The same shape and type; the array itself where it has no gaps.

    Example:
        >>> fill(np.array([np.nan, 2.0, np.nan, 4.0]))
        array([0., 2., 2., 4.])
    """
    missing = np.isnan(values)
    if not missing.any():
        return values
    filled = values.copy()
    columns, gaps = filled.reshape(len(values), -1), missing.reshape(len(values), -1)
    # Column by column, and only those with gaps: of a long series with many columns the places of all would
    # take several times the memory that the numbers do.
    for column in np.flatnonzero(gaps.any(axis=0)):
        columns[:, column] = held(columns[:, column], 0.0)
    return filled


def held(values: np.ndarray, before: float) -> np.ndarray:
    """A column whose gaps hold the number before them, and those at its start ``before``.

    Example:
        >>> held(np.array([np.nan, 2.0, np.nan]), -1.0)
        array([-1.,  2.,  2.])
    """
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    return np.where(last < 0, before, values[np.maximum(last, 0)]) if len(values) else values
