"""Requests that come at the same time are computed together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from unrolled.serving.refusal import RefusedError


@dataclass(slots=True, eq=False)
class _Asked:
    """Some inputs that wait.

    Attributes:
        key: inputs of one key may be computed together.
        inputs: what is asked.
        answer: what comes out for each.
        since: when they came, by the loop's clock.
    """

    key: str
    inputs: Sequence[Any]
    answer: asyncio.Future[list[Any]]
    since: float


class BatchQueue:
    """Inputs wait a little for others, and are computed together, one batch after the other.

    What makes a batch fail is asked again request by request, so that nobody fails for somebody else's input.

    Args:
        compute: what comes out for each of some inputs of one key; runs in the executor.
        executor: a thread.
        most: inputs of a batch.
        room: inputs that may wait.
        wait: seconds that an input waits for others.
        observe: told of the size of every batch.
    """

    def __init__(
        self,
        compute: Callable[[str, list[Any]], list[Any]],
        executor: Executor,
        *,
        most: int,
        room: int,
        wait: float,
        observe: Callable[[int], None],
    ) -> None:
        self._compute, self._executor = compute, executor
        self._most, self._room, self._wait, self._observe = most, room, wait, observe
        self._waiting: deque[_Asked] = deque()
        self._arrived, self._full = asyncio.Event(), asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Inputs that wait."""
        return sum(len(each.inputs) for each in self._waiting)

    def start(self) -> None:
        """Begin to compute."""
        self._work = asyncio.get_running_loop().create_task(self._computing())

    async def stop(self) -> None:
        """Compute no more."""
        if self._work is not None:
            self._work.cancel()
            with suppress(asyncio.CancelledError):
                await self._work
        for each in self._waiting:
            each.answer.cancel()
        self._waiting.clear()

    async def ask(self, key: str, inputs: Sequence[Any]) -> list[Any]:
        """What comes out for each input.

        Args:
            key: inputs of one key may be computed together.
            inputs: what to compute.

        Raises:
            RefusedError: too many wait already.
        """
        if self.waiting + len(inputs) > self._room:
            raise RefusedError(
                429, f"{self.waiting:,} inputs wait for this model; ask again a little later.", 1
            )
        loop = asyncio.get_running_loop()
        asked = _Asked(key, inputs, loop.create_future(), loop.time())
        self._waiting.append(asked)
        self._arrived.set()
        if self.waiting >= self._most:
            self._full.set()
        return await asked.answer

    async def _computing(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            left = self._waiting[0].since + self._wait - loop.time()
            if left > 0 and self.waiting < self._most:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._full.wait(), left)
            await self._answer(self._taken())

    def _taken(self) -> list[_Asked]:
        """The requests that have waited longest and may go together."""
        taken: list[_Asked] = []
        left: deque[_Asked] = deque()
        size = 0
        for each in self._waiting:
            if each.answer.done():  # who asked has gone
                continue
            if not taken or (each.key == taken[0].key and size + len(each.inputs) <= self._most):
                taken.append(each)
                size += len(each.inputs)
            else:
                left.append(each)
        self._waiting = left
        self._full.clear()
        if not left:
            self._arrived.clear()
        return taken

    async def _answer(self, taken: list[_Asked]) -> None:
        inputs = [given for each in taken for given in each.inputs]
        if not inputs:
            return
        self._observe(len(inputs))
        loop = asyncio.get_running_loop()
        try:
            made = iter(await loop.run_in_executor(self._executor, self._compute, taken[0].key, inputs))
        except Exception as error:
            if len(taken) > 1:
                for each in taken:
                    await self._answer([each])
            elif not taken[0].answer.done():
                taken[0].answer.set_exception(error)
            return
        for each in taken:
            own = [next(made) for _ in each.inputs]
            if not each.answer.done():
                each.answer.set_result(own)
