"""Refusing options of a layer that cannot be used: each check returns the value or raises `ConfigError`."""

from collections.abc import Sequence
from typing import Any

from unrolled.errors import ConfigError


def whole_number(name: str, value: Any, least: int) -> int:
    """A whole number of at least ``least``."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigError(f"expected {name} to be a whole number of at least {least}, got {value!r}.")
    return value


def share(name: str, value: Any) -> float:
    """A number between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigError(f"expected {name} to be a share between 0 and 1, got {value!r}.")
    return float(value)


def at_least_zero(name: str, value: Any) -> float:
    """A finite number that is not below 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ConfigError(f"expected {name} to be a number of at least 0, got {value!r}.")
    return float(value)


def choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    """One of ``choices``."""
    if value not in choices:
        raise ConfigError(f"expected {name} to be one of {', '.join(choices)}, got {value!r}.")
    return value


def widths(hidden_size: int | Sequence[int], num_layers: int) -> tuple[int, ...]:
    """The width of every layer, from one for all or a sequence with one for each."""
    if not isinstance(hidden_size, tuple | list):
        return (whole_number("hidden_size", hidden_size, 1),) * num_layers
    if len(hidden_size) != num_layers:
        raise ConfigError(
            f"expected one hidden_size for each of num_layers={num_layers} layers, got {hidden_size}."
        )
    return tuple(whole_number("hidden_size", width, 1) for width in hidden_size)
