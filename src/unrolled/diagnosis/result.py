"""What all results of a diagnosis have in common: plain numbers, frozen, and their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from math import isfinite
from typing import Any


class Result:
    """Base of the frozen dataclasses that a diagnosis is made of."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """All of it as plain dicts, lists and numbers; what is not finite becomes None.

        Example:
            >>> from unrolled.diagnosis.context import OrderTest
            >>> OrderTest(ordered=0.5, shuffled=(0.7, 0.9), chance=None).to_json()
            {'ordered': 0.5, 'shuffled': [0.7, 0.9], 'chance': None}
        """
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    if isinstance(value, Result):
        return value.to_json()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value
