"""Predictions of a model, texts as they are written, and steps whose state the asker keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from unrolled.errors import UnrolledError
from unrolled.serving.answers import answer, as_json, read_body
from unrolled.serving.limits import Limits
from unrolled.serving.models import ServedModel
from unrolled.serving.refusal import refusal
from unrolled.serving.schemas import (
    PREDICTION,
    STATE,
    STEP,
    Generate,
    Predict,
    Step,
    errors,
    listed,
    of,
    options_schema,
    request_body,
    response,
)
from unrolled.serving.sessions import Session, Sessions
from unrolled.tasks.stream_state import StreamState
from unrolled.tasks.streaming import Streamed

WRITING_PATH = "/generate"
EVENTS_TYPE = "text/event-stream"
_EVENT = of({"event": {"enum": ["piece", "done", "error"]}, "data": {"type": "string"}}, "event", "data")


def prediction_routes(model: ServedModel, sessions: Sessions, limits: Limits) -> APIRouter:
    """The routes of one model that keep nothing.

    Args:
        model: what is asked.
        sessions: which texts that are being written count among.
        limits: of requests.
    """
    router = APIRouter(prefix=f"/v1/models/{model.name}", tags=[model.name])
    given, options = model.schema.json_schema(), options_schema(model, limits)
    example = model.example

    async def predict(request: Request) -> Response:
        """Predict for some inputs; those of several requests at a time are computed together."""
        body = await read_body(request, Predict, limits.max_body)
        made = await model.predict(body.inputs, body.options)
        return answer({"predictions": [[each.to_json() for each in own] for own in made]})

    async def generate(request: Request) -> Response:
        """Write, each piece an event as soon as it is made; the last event is ``done``."""
        body = await read_body(request, Generate, limits.max_body)
        session = sessions.open(model, body.options)
        try:
            (first,) = await sessions.step(session, model.read(body.input))
            piece = _event(first)
        except BaseException:
            sessions.close(session)
            raise
        return _Writing(_events(sessions, session, piece, first.done), lambda: sessions.close(session))

    async def step(request: Request) -> Response:
        """Take a step from a state that comes with the request, and answer with the one after it."""
        body = await read_body(request, Step, limits.max_body)
        stream = model.stream(body.options)
        state = None if body.state is None else StreamState.from_json(body.state)
        read = None if body.input is None else model.read(body.input)
        return answer((await model.step(stream, read, state)).to_json())

    router.add_api_route(
        "/predict",
        predict,
        methods=["POST"],
        responses={
            200: response(
                "For each input what the model says of it: for most tasks one prediction, a row a step of a "
                "forecast, or as many of the best as were asked for.",
                of({"predictions": listed({"type": "array", "items": PREDICTION})}, "predictions"),
            ),
            **errors(400, 401, 413, 415, 422, 429),
        },
        openapi_extra=request_body(
            of({"inputs": listed(given, limits.max_batch), "options": options}, "inputs"),
            None if example is None else {"inputs": [example]},
        ),
    )
    if model.writes:
        router.add_api_route(
            WRITING_PATH,
            generate,
            methods=["POST"],
            responses={
                200: response(
                    "Server-sent events: one `piece` after the other, whose data is a step as of /step but "
                    "for its state; `done` at the end, or `error` with a sentence.",
                    _EVENT,
                    EVENTS_TYPE,
                ),
                **errors(400, 401, 413, 415, 422, 429),
            },
            openapi_extra=request_body(
                of({"input": given, "options": options}, "input"),
                None if example is None else {"input": example, "options": {}},
            ),
            response_class=StreamingResponse,
        )
    if model.obstacle is None:
        after = STEP | {
            "properties": {**STEP["properties"], "state": STATE},
            "required": [*STEP["required"], "state"],
        }
        router.add_api_route(
            "/step",
            step,
            methods=["POST"],
            responses={
                200: response("What there is to say after this step, and the state for the next.", after),
                **errors(400, 401, 413, 415, 422),
            },
            openapi_extra=request_body(
                of(
                    {
                        "input": {"anyOf": [given, {"type": "null"}]},
                        "state": {"anyOf": [STATE, {"type": "null"}]},
                        "options": options,
                    }
                ),
                None if example is None else {"input": example, "state": None},
            ),
        )
    return router


class _Writing(StreamingResponse):
    """What is written, to its end, or until whoever asked has gone: then, too, it is closed.

    Args:
        events: what is sent.
        close: ends what makes them.
    """

    def __init__(self, events: AsyncIterator[str], close: Callable[[], None]) -> None:
        super().__init__(events, media_type=EVENTS_TYPE)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all of it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._close()


async def _events(sessions: Sessions, session: Session, piece: str, done: bool) -> AsyncIterator[str]:
    yield piece
    while not done:
        try:
            (made,) = await sessions.step(session, None)
            piece, done = _event(made), made.done
        except UnrolledError as error:
            yield f"event: error\ndata: {as_json({'error': str(refusal(error))})}\n\n"
            return
        yield piece
    yield "event: done\ndata: {}\n\n"


def _event(made: Streamed) -> str:
    return f"event: piece\ndata: {as_json(without_state(made))}\n\n"


def without_state(made: Streamed) -> dict[str, Any]:
    """What a step says, as plain JSON."""
    return {
        "prediction": None if made.prediction is None else made.prediction.to_json(),
        "done": made.done,
    }
