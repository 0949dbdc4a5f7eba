"""What a fitted model says of inputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np

from unrolled.data.piped import table_ending
from unrolled.errors import ConfigError
from unrolled.tasks.estimator.reading import Reading
from unrolled.tasks.options import validated
from unrolled.tasks.prediction import Answer, Prediction
from unrolled.tasks.scikit import Configuration
from unrolled.tasks.shares import Data


class Predicting(Reading[Data, Configuration]):
    """Predictions, and what a network reads and gives for them."""

    def chosen_options(self, options: Mapping[str, Any]) -> Any:
        """The options of a prediction, checked; those left out are as usual for the task.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
        """
        return validated(self.Options, options)

    def _read_inputs(self, data: Any) -> Data:
        """Read what is to be predicted for."""
        return self._read_later(data, labelled=False)

    def encode(self, data: Any) -> list[Mapping[str, np.ndarray]]:
        """What the network reads of each input: arrays by name, their first axis the time.

        Args:
            data: as for `predict`.

        Raises:
            DataError: the data cannot be used; names the file, row and column.
        """
        self._require_fitted()
        return [item.inputs for item in self._encode(self._read_inputs(data))]

    def decode(self, outputs: Sequence[Any], data: Any, **options: Any) -> list[Prediction]:
        """What a network's outputs for some inputs mean, wherever they were computed.

        Args:
            outputs: for each of what `encode` gave an array, without padding: of a network that answers at
                once its outputs, of one that writes the numbers of the symbols that were written.
            data: what was encoded.
            options: of the prediction.
        """
        self._require_fitted()
        return self._decode(outputs, self._read_inputs(data), self.chosen_options(options))

    def predictions_of_each(self, inputs: Sequence[Any], **options: Any) -> list[list[Prediction]]:
        """What the model says of each of some inputs, computed together.

        Args:
            inputs: each as `input_schema` reads one.
            options: those of the task's ``Options``.

        Returns:
            For each input what `predictions` gives of it alone: for most tasks one prediction, for some a row
            a step, or one for each of the best.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
            DataError: an input cannot be used.
        """
        self._require_fitted()
        chosen = self.chosen_options(options)
        reads = [self._read_inputs([each]) for each in inputs]
        items = [self._encode(read) for read in reads]
        if self.depends_on_place(**options):
            made = [self._run(each, chosen) for each in items]
        else:
            outputs = iter(self._run(list(chain.from_iterable(items)), chosen))
            made = [list(islice(outputs, len(each))) for each in items]
        return [self._decode(each, read, chosen) for each, read in zip(made, reads, strict=True)]

    def depends_on_place(self, **options: Any) -> bool:
        """Whether what is said of an input depends on its place among others, as where texts are drawn."""
        return False

    def predictions(self, data: Any = None, **options: Any) -> Iterator[Prediction]:
        """What the model says of each input, as it is made.

        Args:
            data: a path, a built-in name, or a list of inputs; None where a task can go on from nothing
                (`predicts_alone`).
            options: those of the task's ``Options``.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
            DataError: the data cannot be used; names the file, row and column.
        """
        self._require_fitted()
        chosen = self.chosen_options(options)
        if data is None and not self.predicts_alone:
            raise ConfigError(f"a model of the task {self.task!r} expects data to predict for, got None")
        read = self._read_inputs(data)
        return iter(self._decode(self._run(self._encode(read), chosen), read, chosen))

    def answers(self, data: Any = None, **options: Any) -> Iterator[Answer]:
        """Each of `predictions` beside the input that it is of.

        Args:
            data: as for `predictions`.
            options: as for `predictions`.
        """
        return (Answer(None, None, each) for each in self.predictions(data, **options))

    def predict(self, data: Any = None, **options: Any) -> list[Any]:
        """The value of each of `predictions`: for most tasks one for each input.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
            DataError: an input is not of the kind seen in training.
        """
        return [each.value for each in self.predictions(data, **options)]

    def predict_stream(self, inputs: Iterable[Any], chunk: int = 1) -> Iterator[Any]:
        """Predict for inputs as they come, ``chunk`` together: out before more is read."""
        remaining = iter(inputs)
        while taken := list(islice(remaining, chunk)):
            yield from self.predict(taken)

    @property
    def between(self) -> str:
        """What stands between the parts of a prediction, such as tags, where it is written as one text."""
        return " "

    def file_ending(self, first: str) -> str | None:
        """The ending of a file that begins with a line; None where each line is an input of its own."""
        return table_ending(first, self.effective.table_form(self._form))

    def write_on(self, prompt: Any, **options: Any) -> Iterator[Any]:
        """What follows a prompt, a piece at a time as it is made, where a task goes on from its input.

        Raises:
            ConfigError: it does not; an option is unknown, or its value does not fit.
        """
        raise ConfigError(f"--prompt: a model of the task {self.task!r} takes DATA instead")

    def written_as(self, value: Any, suffix: str, options: Mapping[str, Any]) -> bytes | str:
        """What a file of this ending holds, made of a prediction's value.

        Raises:
            ConfigError: this task writes no such files.
        """
        raise ConfigError(f"a model of the task {self.task!r} writes no {suffix} files")

    def align(self, data: Any, **options: Any) -> Iterator[Any]:
        """What each symbol of a prediction was written from, where a task's network attends to its input.

        Raises:
            ConfigError: it does not.
        """
        raise ConfigError(f"a model of the task {self.task!r} writes nothing to align")

    def conversation(self, **options: Any) -> Any:
        """A talk, one reply after the other, where a task can hold one.

        Raises:
            ConfigError: it cannot.
        """
        raise ConfigError(f"a model of the task {self.task!r} cannot hold a conversation")
