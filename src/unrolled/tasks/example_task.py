"""What the tasks have in common whose data is examples: pairs of an input and a target."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.data.buckets import BucketLoader, Encoded
from unrolled.data.example import Example, Examples
from unrolled.tasks.base import Estimator, Part, Shares
from unrolled.tasks.given import given_examples
from unrolled.tasks.holdout import hold_out
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.streaming import ReadingStream, TaskStream

SHOWN = 12
"""Predictions that a report shows."""


class ExampleTask(Estimator[Examples]):
    """A task whose data is examples, whole sequences that are batched by length.

    Attributes:
        collate: makes a batch of encoded examples.
    """

    collate: ClassVar[Callable[[Sequence[Encoded]], Batch]]
    _sorted: ClassVar[bool] = True
    """Whether training puts sequences of like length into a batch."""

    @abstractmethod
    def _load(self, data: Any, *, labelled: bool) -> Examples:
        """Read a path, a built-in name or a DataFrame."""

    def _given(self, example: Example, *, labelled: bool) -> Example:
        """An example handed over in Python, brought to the form of those that are read."""
        return example

    def _all_given(self, examples: Examples, *, labelled: bool) -> Examples:
        """What was handed over in Python, as a whole."""
        return examples

    def _settled(self, examples: Examples, *, labelled: bool, part: Part) -> Examples:
        """The examples, wherever they came from, checked and cut."""
        return examples

    def stream(self, **options: Any) -> TaskStream:
        """What the model makes of an input as it comes.

        Args:
            options: those of the task's ``Options``.

        Raises:
            ConfigError: the model has to see a whole input first.
        """
        self._require_fitted()
        chosen = self._chosen(options)

        def decoded(outputs: Tensor, given: Any) -> Prediction:
            return self._decode([outputs], self._read_inputs([given]), chosen)[0]

        return ReadingStream(self.model, self._only_item, decoded)

    def _only_item(self, given: Any) -> Encoded:
        return self._encode(self._read_inputs([given]))[0]

    def _symbols_of(self, example: Example) -> Iterable[str]:
        """The labels of an example that training must have seen; none where they are no labels."""
        return ()

    def _size(self, item: Encoded) -> int:
        """What an example costs, by which examples are batched."""
        return len(item)

    def _read(self, data: Any, *, labelled: bool, part: Part = "test") -> Examples:
        if isinstance(data, str | Path) or hasattr(data, "columns"):
            examples = self._load(data, labelled=labelled)
        else:
            given = given_examples(data, labelled)
            items = tuple(self._given(example, labelled=labelled) for example in given)
            examples = self._all_given(replace(given, items=items), labelled=labelled)
        return self._settled(examples, labelled=labelled, part=part)

    def _hold_out(self, data: Examples, *, keep_apart: bool) -> Shares[Examples]:
        config = self.effective
        return Shares(*hold_out(data, config.holdout, config.seed, self._symbols_of))

    def _loader(self, data: Examples, *, training: bool) -> BucketLoader:
        config, items, collate = self.effective, self._encode(data), type(self).collate
        if not training:
            return BucketLoader(items, collate, config.batch_size, shuffle=False, bucket=1)
        more: dict[str, Any] = {"size": self._size} if self._sorted else {"bucket": 1}
        return BucketLoader(items, collate, config.batch_size, seed=config.seed, shard=self._shard, **more)
