"""What the tasks have in common that read an input step by step, whatever its kind is."""

from __future__ import annotations

from typing import Any

from unrolled.errors import ConfigError
from unrolled.tasks.example_task import ExampleTask
from unrolled.tasks.inputs.base import StepsKind
from unrolled.tasks.inputs.schema import InputSchema
from unrolled.tasks.scikit import Configuration
from unrolled.tasks.streaming import TaskStream


class StepsTask(ExampleTask[Configuration]):
    """A task whose inputs are of a kind that is read step by step."""

    _inputs: StepsKind

    def stream(self, **options: Any) -> TaskStream:
        """What the model makes of an input as its steps come; see `ExampleTask.stream`."""
        self._require_fitted()
        if not self._inputs.streams:
            raise ConfigError(f"{self._inputs.kind} are read as a whole, and not step by step")
        return super().stream(**options)

    def input_schema(self) -> InputSchema:
        """That of the kind of input seen in training."""
        self._require_fitted()
        return self._inputs.schema()

    def _token_label(self, token: int) -> str:
        return self._inputs.label(token)
