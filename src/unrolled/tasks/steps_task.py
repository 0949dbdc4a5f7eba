"""What the tasks have in common that read an input step by step, whatever its kind is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor, nn

from unrolled.data.buckets import Encoded
from unrolled.data.example import Examples
from unrolled.errors import ConfigError
from unrolled.tasks.example_task import ExampleTask
from unrolled.tasks.inputs.base import StepsKind
from unrolled.tasks.inputs.schema import InputSchema
from unrolled.tasks.scikit import Configuration
from unrolled.tasks.stream_state import ArrayForm
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

    def input_networks(self) -> Mapping[str, nn.Module]:
        """Those of the kind of input."""
        self._require_fitted()
        return self._inputs.networks()

    def _load_input_networks(self, weights: Mapping[str, Tensor]) -> None:
        self._inputs.load_networks(weights)

    def _carried(self) -> Mapping[str, ArrayForm]:
        return self._inputs.carried()

    def _encode_on(
        self, one: Examples, before: Mapping[str, np.ndarray]
    ) -> tuple[Encoded, Mapping[str, np.ndarray]]:
        arrays, after = self._inputs.encode_on(one[0], before)
        return Encoded(arrays, np.zeros(0)), after

    def _token_label(self, token: int) -> str:
        return self._inputs.label(token)
