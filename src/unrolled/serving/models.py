"""A model as it is served: what it is asked, within limits, and computed in a thread of its own."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np

from unrolled.data.example import Source
from unrolled.errors import ConfigError, UnrolledError
from unrolled.serving.answers import as_json
from unrolled.serving.batches import BatchQueue
from unrolled.serving.limits import Limits
from unrolled.serving.metrics import Metrics
from unrolled.serving.refusal import RefusedError
from unrolled.tasks.base import Estimator
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.stream_state import StreamState
from unrolled.tasks.streaming import Streamed, TaskStream


class ServedModel:
    """A fitted model under a name.

    Args:
        name: what it is asked for by.
        estimator: the model.
        limits: what may be asked of it.
        metrics: told of what is computed.

    Attributes:
        schema: of its inputs.
        obstacle: why it has no stream; None where it has one.
        writes: whether it goes on writing after its input.
        example: an input, as JSON; None where none can be made.
    """

    def __init__(self, name: str, estimator: Estimator, limits: Limits, metrics: Metrics) -> None:
        self.name, self.estimator, self._limits, self._metrics = name, estimator, limits, metrics
        self.schema = estimator.input_schema()
        self._stream = lru_cache(32)(lambda options: estimator.stream(**json.loads(options)))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"unrolled {name}")
        self.queue = BatchQueue(
            self._computed,
            self._thread,
            most=limits.max_batch,
            room=limits.max_queue,
            wait=limits.batch_milliseconds / 1000,
            observe=lambda size: metrics.batches.labels(name).observe(size),
        )
        metrics.waiting.labels(name).set_function(lambda: self.queue.waiting)
        self.obstacle, self.writes = self._stepwise()
        self.example = self._usable_example()

    async def stop(self) -> None:
        """Compute no more."""
        await self.queue.stop()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def read(self, value: Any) -> Any:
        """One input of a request.

        Raises:
            RefusedError: it is too long.
            DataError: it is not of the model's kind.
        """
        given = self.schema.from_json(value, Source())
        length = self.schema.length(given)
        if length > self._limits.max_length:
            most = self._limits.max_length
            raise RefusedError(413, f"expected an input of at most {most:,} steps, got {length:,}.")
        return given

    async def predict(self, values: list[Any], options: dict[str, Any]) -> list[list[Prediction]]:
        """What the model says of each input.

        Raises:
            RefusedError: there are too many, they are too long, ask for too much, or too many wait already.
            ConfigError: an option is unknown, or does not fit.
            DataError: an input cannot be used.
        """
        most = min(self._limits.max_batch, self._limits.max_queue)
        if len(values) > most:
            raise RefusedError(
                413, f"expected at most {most:,} inputs, got {len(values):,}; send fewer at a time."
            )
        self._limits.require_work(self.estimator.chosen_options(options), len(values))
        inputs = [self.read(value) for value in values]
        return await self.queue.ask(json.dumps(options, sort_keys=True), inputs)

    def stream(self, options: dict[str, Any]) -> TaskStream:
        """The model step by step; streams keep nothing, so those of equal options are one.

        Raises:
            RefusedError: it has to see the whole input first; the options ask for too much.
            ConfigError: an option is unknown, or does not fit.
        """
        if self.obstacle is not None:
            raise RefusedError(409, self.obstacle)
        self._limits.require_work(self.estimator.chosen_options(options), 1)
        return self._stream(json.dumps(options, sort_keys=True))

    async def step(self, stream: TaskStream, given: Any, state: StreamState | None) -> Streamed:
        """The next step of a stream, whose input is as it was read.

        Raises:
            DataError: the input, or the state, is none of this model.
            RefusedError: the state that comes out, or what is said, is not finite.
        """
        loop = asyncio.get_running_loop()
        made = await loop.run_in_executor(self._thread, stream.step, given, state)
        self._metrics.steps.labels(self.name).inc()
        if not all(
            np.isfinite(array).all() for array in made.state.arrays.values() if array.dtype.kind == "f"
        ):
            raise RefusedError(
                422, "the state is not finite any more: the numbers of the input are too large."
            )
        as_json(None if made.prediction is None else made.prediction.to_json())  # or no state is kept
        return made

    def _computed(self, options: str, inputs: list[Any]) -> list[list[Prediction]]:
        made = self.estimator.predictions_of_each(inputs, **json.loads(options))
        self._metrics.predictions.labels(self.name).inc(len(inputs))
        return made

    def _stepwise(self) -> tuple[str | None, bool]:
        """Why the model has no stream, and whether it writes."""
        try:
            return None, self.estimator.stream().writes
        except ConfigError as error:
            return str(error), False

    def _usable_example(self) -> Any:
        """An example that the model takes, which also warms it up."""
        example = self.schema.example()
        try:
            self.estimator.predictions_of_each([self.schema.from_json(example, Source())])
        except UnrolledError:
            return None
        return example
