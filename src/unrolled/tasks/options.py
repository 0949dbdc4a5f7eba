"""Options checked against a task's configuration, with errors a user can act on."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from unrolled.errors import ConfigError

ConfigType = TypeVar("ConfigType", bound=BaseModel)


def validated(config: type[ConfigType], options: Mapping[str, Any]) -> ConfigType:
    """Build ``config`` from ``options``.

    Raises:
        ConfigError: an option is unknown or its value does not fit; names every such option.

    Example:
        >>> from unrolled.models.config import NetworkConfig
        >>> validated(NetworkConfig, {"hiden_size": 3})
        Traceback (most recent call last):
        unrolled.errors.ConfigError: no option 'hiden_size'; did you mean 'hidden_size'?
    """
    try:
        return config.model_validate(dict(options))
    except ValidationError as error:
        raise ConfigError("; ".join(_sentence(config, detail) for detail in error.errors())) from None


_ONE_BIAS = ("chrono", "forget_bias")
"""Two options that set the same bias: either takes the place of both."""


def overridden(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Options, such as those of a file, with some changes, such as those given as flags, in their place.

    Example:
        >>> overridden({"cell": "lstm", "forget_bias": 1.0}, {"chrono": 200})
        {'cell': 'lstm', 'chrono': 200}
    """
    replaced = _ONE_BIAS if any(changes.get(name) is not None for name in _ONE_BIAS) else ()
    return {name: value for name, value in settings.items() if name not in replaced} | dict(changes)


def _sentence(config: type[BaseModel], detail: ErrorDetails) -> str:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    if detail["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, config.model_fields, n=1)
        remedy = (
            f"did you mean {close[0]!r}?" if close else f"the options are {', '.join(config.model_fields)}"
        )
        return f"no option {name!r}; {remedy}"
    said = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if not name:
        return said
    if detail["type"] == "value_error":  # a check of our own, which says what came
        return f"option {name!r}: {said}"
    return f"option {name!r}: expected {said}, got {detail['input']!r}"
