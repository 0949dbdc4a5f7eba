"""Numbers brought to a common scale for the network, and back; missing ones left out or filled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from unrolled.errors import ConfigError


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """A shift and a stretch: scaled numbers are `(numbers - center) / scale`, perhaps of their logarithms.

    Attributes:
        center: `(...)` per feature, or a single number.
        scale: as `center`; never zero.
        floor: as `center`; logarithms are taken, and of what is below the floor that of the floor. None: none
            are taken.

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
        """The scaling of some numbers; missing ones are left out, and what does not vary is only shifted.

        Args:
            values: `(time,)` or `(time, feature)`, NaN where missing.
            kind: `standard` to mean 0 and standard deviation 1, `log` the same with the logarithms, `minmax`
                to the range 0 to 1, or `none`.

        Raises:
            ConfigError: there is no such kind.
        """
        if kind == "log":
            floor = _floor(values)
            logarithms = cls.fit(np.log(np.maximum(values, floor)))
            return cls(logarithms.center, logarithms.scale, floor)
        if kind not in _KINDS:
            raise ConfigError(f"expected scaling to be one of {', '.join(_KINDS)} or log, got {kind!r}")
        columns = values.reshape(len(values), -1).T
        pairs = [_KINDS[kind](column[~np.isnan(column)]) for column in columns]
        center, scale = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
        shape = values.shape[1:]
        return cls(center.reshape(shape), np.where(scale > _tiny(center), scale, 1.0).reshape(shape))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """The scaled numbers; the last axes of `values` are those of `center`."""
        if self.floor is not None:
            values = np.log(np.maximum(values, self.floor))
        return (values - self.center) / self.scale

    def undo(self, values: np.ndarray) -> np.ndarray:
        """The numbers that `apply` scaled."""
        numbers = values * self.scale + self.center
        return numbers if self.floor is None else np.exp(numbers)

    def to_dict(self) -> dict[str, Any]:
        """The scaling as plain JSON."""
        floor = None if self.floor is None else self.floor.tolist()
        return {"center": self.center.tolist(), "scale": self.scale.tolist(), "floor": floor}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """The scaling that `to_dict` described."""
        floor = None if content["floor"] is None else np.array(content["floor"])
        return cls(np.array(content["center"]), np.array(content["scale"]), floor)


def _floor(values: np.ndarray) -> np.ndarray:
    """Half the smallest number above zero, per feature: what a logarithm can still be taken of."""
    smallest = np.min(np.where(values > 0, values, np.inf), axis=0, initial=np.inf)
    return np.where(np.isfinite(smallest), smallest / 2, 1.0)


def _tiny(center: np.ndarray) -> np.ndarray:
    """The spread below which numbers of this size differ by rounding only."""
    return 1e-12 * np.maximum(1.0, np.abs(center))


def _standard(values: np.ndarray) -> tuple[float, float]:
    return (float(values.mean()), float(values.std())) if len(values) else (0.0, 1.0)


def _minmax(values: np.ndarray) -> tuple[float, float]:
    return (float(values.min()), float(np.ptp(values))) if len(values) else (0.0, 1.0)


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

    Example:
        >>> fill(np.array([np.nan, 2.0, np.nan, 4.0]))
        array([0., 2., 2., 4.])
    """
    steps = np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1))
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, steps), axis=0)
    filled = np.take_along_axis(values, np.maximum(last, 0), axis=0)
    return np.where(last < 0, 0.0, filled)
