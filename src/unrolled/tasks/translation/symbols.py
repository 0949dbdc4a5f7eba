"""Texts as the symbols that the network reads and writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from unrolled.data.buckets import Encoded
from unrolled.data.example import Example, Examples
from unrolled.data.tokenizer import tokenizer_from_dict
from unrolled.tasks.translation.config import TranslateConfig
from unrolled.tasks.writing.side import Side


class Symbols:
    """The symbols of both sides.

    Args:
        source: of the sources.
        target: of the targets; the same object where the vocabulary is shared.
        copying: whether sources also say which symbol of the target each of theirs is.
    """

    def __init__(self, source: Side, target: Side, copying: bool) -> None:
        self.source = source
        self.target = target
        self.copying = copying
        self._targets: dict[str, int | None] = {}

    @classmethod
    def fit(cls, examples: Examples, config: TranslateConfig) -> Self:
        """Collect the symbols of the training data."""
        sources, targets = [one.inputs for one in examples], [one.target for one in examples]
        if config.shared_vocabulary:
            side = Side.fit([*sources, *targets], config, config.unit)
            return cls(side, side, config.copying)
        source, target = Side.fit(sources, config, config.unit), Side.fit(targets, config, config.target_unit)
        return cls(source, target, config.copying)

    @property
    def end(self) -> int:
        """The symbol that ends a target, and stands before its first one."""
        return self.target.tokenizer.end

    def encode(self, example: Example) -> Encoded:
        """A pair as arrays, both ended; of an example without a target the target is the end alone."""
        # Not even of a space: nothing is written for nothing.
        source = self.source.encode(example.inputs) if example.inputs else np.zeros(0, dtype=np.int64)
        inputs = {"tokens": np.append(source, self.source.tokenizer.end)}
        target = self.target.encode(example.target or "")
        if self.copying:
            numbers, further = self._copies(example.inputs)
            inputs["copies"] = np.array([*numbers, self.end])
            target = self._copied(target, example.target or "", further)
        return Encoded(inputs, np.append(target, self.end))

    def further(self, source: str) -> list[str]:
        """The texts of a source that the target's vocabulary lacks, in the order of their numbers."""
        return self._copies(source)[1] if self.copying else []

    def _copies(self, source: str) -> tuple[list[int], list[str]]:
        """The target's number of each symbol of a source; those it lacks come after its vocabulary."""
        further: dict[str, int] = {}
        numbers = []
        for part in self.source.split(source) if source else ():
            number = self._target_symbol(part)
            if number is None:
                number = self.target.tokenizer.size + further.setdefault(part, len(further))
            numbers.append(number)
        return numbers, list(further)

    def _target_symbol(self, part: str) -> int | None:
        if part not in self._targets:
            found = self.target.tokenizer.encode(part).tolist()
            known = len(found) == 1 and found[0] != self.target.tokenizer.unknown
            self._targets[part] = found[0] if known else None
        return self._targets[part]

    def _copied(self, symbols: np.ndarray, target: str, further: Sequence[str]) -> np.ndarray:
        """The target with what it can only copy numbered as in `_copies`."""
        places = {part: self.target.tokenizer.size + place for place, part in enumerate(further)}
        unknown, parts = self.target.tokenizer.unknown, self.target.split(target)
        return np.array(
            [
                places.get(part, symbol) if symbol == unknown else symbol
                for symbol, part in zip(symbols.tolist(), parts, strict=True)
            ],
            dtype=np.int64,
        )

    def to_json(self) -> dict[str, Any]:
        """Both vocabularies; a shared one is saved once."""
        shared = self.source is self.target
        return {
            "source": self.source.tokenizer.to_dict(),
            "target": None if shared else self.target.tokenizer.to_dict(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], copying: bool) -> Self:
        """The inverse of `to_json`."""
        source = Side(tokenizer_from_dict(value["source"]))
        target = source if value["target"] is None else Side(tokenizer_from_dict(value["target"]))
        return cls(source, target, copying)
