"""What the tasks have in common whose data is examples: pairs of an input and a target."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.data.buckets import BucketLoader, Encoded
from unrolled.data.example import Example, Examples
from unrolled.data.text_pairs import TextPair
from unrolled.tasks.base import Estimator
from unrolled.tasks.folds import example_folds
from unrolled.tasks.given import given_examples, paired_examples
from unrolled.tasks.given_inputs import plain, sequences_of
from unrolled.tasks.holdout import hold_out
from unrolled.tasks.prediction import Answer, Prediction
from unrolled.tasks.scikit import Configuration
from unrolled.tasks.shares import Part, Shares
from unrolled.tasks.stream_state import ArrayForm
from unrolled.tasks.streaming import Piece, ReadingStream, TaskStream

SHOWN = 12
"""Predictions that a report shows."""


class ExampleTask(Estimator[Examples, Configuration]):
    """A task whose data is examples, whole sequences that are batched by length.

    Attributes:
        collate: makes a batch of encoded examples.
    """

    _needs_targets = True
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
        chosen = self.chosen_options(options)

        def read(given: Any, before: Mapping[str, np.ndarray]) -> Piece:
            one = self._read_inputs([given])
            return Piece(one, *self._encode_on(one, before))

        def decoded(outputs: Tensor, one: Examples) -> Prediction:
            return self._decode([outputs], one, chosen)[0]

        return ReadingStream(self.model, read, decoded, self._carried())

    def _carried(self) -> Mapping[str, ArrayForm]:
        """What encoding goes on from in a stream, beside the network's state, by name."""
        return {}

    def _encode_on(
        self, one: Examples, before: Mapping[str, np.ndarray]
    ) -> tuple[Encoded, Mapping[str, np.ndarray]]:
        """The next piece of a stream, encoded, and what is carried after it.

        Args:
            one: the piece.
            before: what is carried; nothing at the beginning.
        """
        return self._encode(one)[0], {}

    def answers(self, data: Any = None, **options: Any) -> Iterator[Answer]:
        """Each prediction beside its input; where there are several of one, they name it themselves."""
        self._require_fitted()
        if data is None:
            return super().answers(data, **options)
        chosen, read = self.chosen_options(options), self._read_inputs(data)
        made = self._decode(self._run(self._encode(read), chosen), read, chosen)
        if len(made) != len(read):
            return (Answer(None, None, each) for each in made)
        asked = enumerate(zip(read, made, strict=True), start=1)
        return (Answer(_name(one, place), _plain_input(one.inputs), each) for place, (one, each) in asked)

    def _only_item(self, given: Any) -> Encoded:
        return self._encode(self._read_inputs([given]))[0]

    def _symbols_of(self, example: Example) -> Iterable[str]:
        """The labels of an example that training must have seen; none where they are no labels."""
        return ()

    def _size(self, item: Encoded) -> int:
        """What an example costs, by which examples are batched."""
        return len(item)

    def _read(self, data: Any, *, labelled: bool, part: Part = "test") -> Examples:
        if self._given_form is not None and not labelled and not isinstance(data, str | Path):
            data = self._sequences(data, fitting=False)
        if isinstance(data, str | Path) or hasattr(data, "columns"):
            examples = self._load(data, labelled=labelled)
        else:
            given = given_examples(data, labelled)
            items = tuple(self._given(example, labelled=labelled) for example in given)
            examples = self._all_given(replace(given, items=items), labelled=labelled)
        return self._settled(examples, labelled=labelled, part=part)

    def _with_targets(self, X: Any, y: Any, *, fitting: bool) -> list[Example]:
        inputs = self._sequences(plain(X), fitting=fitting)
        return paired_examples(inputs, self._targets_given(plain(y), fitting=fitting))

    def _sequences(self, X: Any, *, fitting: bool) -> list[Any]:
        """The inputs in ``X``, which later are held to what they were in `fit`."""
        inputs, form = sequences_of(X)
        if fitting:
            self._given_form = form
        elif self._given_form is not None and not isinstance(X, list | tuple):
            form.require_as(self._given_form, type(self).__name__)
        return inputs

    def _targets_given(self, y: Any, *, fitting: bool) -> list[Any]:
        """What is to be predicted for each input, as an example holds it."""
        return list(y)

    def _folds(self, data: Examples, count: int) -> Iterator[tuple[Examples, Examples]]:
        return example_folds(data, count, self.effective.seed, self._symbols_of)

    def _hold_out(self, data: Examples, *, keep_apart: bool) -> Shares[Examples]:
        config = self.effective
        return Shares(*hold_out(data, config.holdout, config.seed, self._symbols_of))

    def _loader(self, data: Examples, *, training: bool) -> BucketLoader:
        config, items, collate = self.effective, self._encode(data), type(self).collate
        if not training:
            return BucketLoader(items, collate, config.batch_size, shuffle=False, bucket=1)
        more: dict[str, Any] = {"size": self._size} if self._sorted else {"bucket": 1}
        return BucketLoader(items, collate, config.batch_size, seed=config.seed, shard=self._shard, **more)


def _name(example: Example, place: int) -> int | str:
    """The name of the example's file, where it has one of its own, else its place."""
    source = example.source
    return place if source.row is not None or source.path is None else Path(source.path).name


def _plain_input(given: Any) -> Any:
    """What was asked as plain JSON; None where that has no form for it, or would be long."""
    if isinstance(given, np.ndarray) and given.dtype.kind == "f" and given.ndim <= 2:
        return (given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given).tolist()
    if isinstance(given, TextPair):
        return [given.first, given.second]
    if isinstance(given, tuple | list):
        return list(given)
    return given if isinstance(given, str | Mapping) else None
