"""Streams whose state the service keeps: they expire, and are bounded in number and bytes."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from unrolled.serving.limits import Limits
from unrolled.serving.models import ServedModel
from unrolled.serving.refusal import RefusedError
from unrolled.serving.states import size_of
from unrolled.tasks.stream_state import StreamState
from unrolled.tasks.streaming import Streamed, TaskStream


@dataclass(slots=True, eq=False)
class Session:
    """One stream.

    Attributes:
        id: what it is asked for by; nobody can guess it.
        model: whose stream it is.
        options: of the stream.
        stream: takes its steps.
        state: after the last one; None before the first.
        size: the bytes of the state.
        steps: how many were taken.
        done: whether what is written has come to its end.
        used: when it was last asked for.
        lock: held while a step is taken: a session's steps come one after the other.
    """

    id: str
    model: ServedModel
    options: dict[str, Any]
    stream: TaskStream
    used: float
    state: StreamState | None = None
    size: int = 0
    steps: int = 0
    done: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sessions:
    """The sessions that are open.

    Args:
        limits: how many, how large, and how long.
        clock: seconds.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._open: dict[str, Session] = {}
        self.bytes = 0
        self.expired = 0

    def __len__(self) -> int:
        return len(self._open)

    def open(self, model: ServedModel, options: dict[str, Any], state: StreamState | None = None) -> Session:
        """Begin a session, or go on from a state.

        Raises:
            RefusedError: there are too many, or the state is too large.
            ConfigError: the model has no stream, or none with these options.
            DataError: the state is none of this stream.
        """
        stream = model.stream(options)
        if state is not None:
            stream.form.require(state)
        self.expire()
        if len(self._open) >= self._limits.max_sessions:
            raise RefusedError(
                429, f"{len(self._open):,} sessions are open, as many as may be.", self._next_end()
            )
        session = Session(secrets.token_urlsafe(16), model, dict(options), stream, self._clock())
        self._open[session.id] = session
        try:
            self.keep(session, state)
        except RefusedError:
            self.close(session)
            raise
        return session

    def get(self, model: ServedModel, name: str) -> Session:
        """The session of this name, which is in use from now on.

        Raises:
            RefusedError: there is none, or no more.
        """
        self.expire()
        session = self._open.get(name)
        if session is None or session.model is not model:
            raise _gone()
        self._use(session)
        return session

    def keep(self, session: Session, state: StreamState | None) -> None:
        """Put a state in the place of the session's own.

        Raises:
            RefusedError: it is too large, or all together are; or the session has ended.
        """
        if session.id not in self._open:
            raise _gone()
        size = size_of(state)
        if size > self._limits.max_state:
            raise RefusedError(
                413, f"expected a state of at most {self._limits.max_state:,} bytes, got {size:,}."
            )
        if self.bytes - session.size + size > self._limits.max_states:
            raise RefusedError(
                429, "the sessions' states take all the memory that they may.", self._next_end()
            )
        self.bytes += size - session.size
        session.state, session.size = state, size

    async def step(self, session: Session, *given: Any) -> list[Streamed]:
        """Take a session's next steps: all of them, or none where one fails.

        Args:
            session: whose.
            given: for each step its input, or None to go on writing, which ends where the text does.

        Returns:
            What each step gave.

        Raises:
            RefusedError: what is written has come to its end; the new state is too large; or the session has
                ended meanwhile.
            DataError: an input is not of the kind seen in training.
        """
        async with session.lock:
            state, done, taken = session.state, session.done, list[Streamed]()
            for one in given:
                if done and taken and one is None:
                    break
                if done:
                    raise RefusedError(409, "this session's text is whole; open another session.")
                taken.append(await session.model.step(session.stream, one, state))
                state, done = taken[-1].state, taken[-1].done
                if session.id not in self._open:
                    raise _gone()
                self._use(session)
            self.keep(session, state)
            session.steps, session.done = session.steps + len(taken), done
            return taken

    def close(self, session: Session) -> None:
        """End a session; one that has ended already is none."""
        if self._open.pop(session.id, None) is not None:
            self.bytes -= session.size
            session.state, session.size = None, 0

    def expire(self) -> None:
        """End the sessions that were not used for too long."""
        last = self._clock() - self._limits.session_seconds
        while self._open and (longest := next(iter(self._open.values()))).used < last:
            self.close(longest)
            self.expired += 1

    def seconds_left(self, session: Session) -> float:
        """After which a session ends, if it is not used."""
        return max(0.0, session.used + self._limits.session_seconds - self._clock())

    def _use(self, session: Session) -> None:
        """Note that a session is in use; those that were not used longest stand first."""
        session.used = self._clock()
        self._open[session.id] = self._open.pop(session.id)

    def _next_end(self) -> float:
        return self.seconds_left(next(iter(self._open.values()))) if self._open else 1.0


def _gone() -> RefusedError:
    return RefusedError(404, "there is no such session of this model; it may have expired: open one anew.")
