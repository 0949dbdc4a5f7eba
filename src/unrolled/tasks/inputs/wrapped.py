"""A sequence with something more beside each of its steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from unrolled.data.example import Example, Examples
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.inputs.base import StepsKind
from unrolled.tasks.inputs.schema import InputSchema


class WrappedKind(StepsKind):
    """What is read step by step, and what is added to it: all that is not said otherwise is the sequence's.

    Args:
        sequence: the kind of the sequence.
    """

    def __init__(self, sequence: StepsKind) -> None:
        self.sequence = sequence
        self.notes = sequence.notes
        self.unit, self.whole = sequence.unit, sequence.whole
        self.simple_classifiers = sequence.simple_classifiers
        self.simple_regressors = sequence.simple_regressors
        self.streams = sequence.streams
        self.pairs = sequence.pairs
        self.symbols = sequence.symbols

    def summaries(self, examples: Sequence[Example]) -> list[Any]:
        """Those of the sequence."""
        return self.sequence.summaries(examples)

    def steps(self, example: Example) -> Sequence[Any]:
        """Those of the sequence."""
        return self.sequence.steps(example)

    def step_baselines(self, train: Examples) -> Iterable[Baseline]:
        """Those of the sequence."""
        return self.sequence.step_baselines(train)

    def label(self, token: int) -> str:
        """That of the sequence."""
        return self.sequence.label(token)

    def shown(self, example: Example) -> Any:
        """The sequence."""
        return self.sequence.shown(example)

    def schema(self) -> InputSchema:
        """That of the sequence."""
        return self.sequence.schema()

    def settled(self) -> dict[str, Any]:
        """What the sequence settled."""
        return self.sequence.settled()

    def suited(self, examples: Examples, config: Any) -> dict[str, Any]:
        """What suits the sequence."""
        return self.sequence.suited(examples, config)

    def networks(self) -> dict[str, nn.Module]:
        """Those of the sequence."""
        return self.sequence.networks()

    def load_networks(self, weights: Mapping[str, Tensor]) -> None:
        """Take up those of the sequence."""
        self.sequence.load_networks(weights)

    def sequence_to_json(self) -> dict[str, Any]:
        """What was learned of the sequence, and which kind it is."""
        return {"kind": self.sequence.kind} | self.sequence.to_json()
