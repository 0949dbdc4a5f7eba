"""Sessions of a model: opened, fed by POST or over a WebSocket, their state taken out, put in and forked."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from unrolled.errors import UnrolledError
from unrolled.serving.access import deny
from unrolled.serving.answers import JSON_TYPE, answer, as_json, body_bytes, parsed, read_body, too_large
from unrolled.serving.limits import Limits
from unrolled.serving.models import ServedModel
from unrolled.serving.refusal import RefusedError, refusal
from unrolled.serving.routes.predictions import without_state
from unrolled.serving.schemas import (
    SESSION,
    STATE,
    STEP,
    Message,
    Open,
    Schema,
    Steps,
    errors,
    listed,
    of,
    options_schema,
    request_body,
    response,
    state_body,
)
from unrolled.serving.sessions import Session, Sessions
from unrolled.serving.states import SAFETENSORS_TYPE, state_bytes, state_of
from unrolled.tasks.stream_state import StreamState

_NAMED: Schema = {
    "parameters": [
        {
            "name": "session",
            "in": "path",
            "required": True,
            "description": "The session's `id`.",
            "schema": {"type": "string"},
        }
    ]
}
"""The part of a path that names a session."""


def session_routes(model: ServedModel, sessions: Sessions, limits: Limits) -> APIRouter:
    """The routes of one model's sessions.

    Args:
        model: whose streams they are.
        sessions: those open.
        limits: of requests.
    """
    router = APIRouter(prefix=f"/v1/models/{model.name}/sessions", tags=[model.name])
    given, options = model.schema.json_schema(), options_schema(model, limits)

    def asked_for(request: Request) -> Session:
        return sessions.get(model, request.path_params["session"])

    def described(session: Session) -> dict[str, Any]:
        return {
            "id": session.id,
            "model": model.name,
            "options": session.options,
            "steps": session.steps,
            "bytes": session.size,
            "done": session.done,
            "expires_in": sessions.seconds_left(session),
        }

    def opened(session: Session) -> Response:
        where = {"location": f"/v1/models/{model.name}/sessions/{session.id}"}
        return answer(described(session), 201, where)

    async def open_session(request: Request) -> Response:
        """Open a session, from the beginning or from a state that was downloaded."""
        body = await read_body(request, Open, limits.max_body)
        state = None if body.state is None else StreamState.from_json(body.state)
        return opened(sessions.open(model, body.options, state))

    async def show(request: Request) -> Response:
        """How far a session is."""
        return answer(described(asked_for(request)))

    async def close(request: Request) -> Response:
        """End a session."""
        sessions.close(asked_for(request))
        return Response(status_code=204)

    async def steps(request: Request) -> Response:
        """Take a session's next steps, one for each piece of input: all, or none where one is refused.

        The answer is what each says. Pieces of null go on writing, and no further than the text's end.
        """
        found = asked_for(request)
        body = await read_body(request, Steps, limits.max_body)
        if len(body.inputs) > limits.max_batch:
            raise RefusedError(
                413, f"expected at most {limits.max_batch:,} inputs, got {len(body.inputs):,}."
            )
        read = [None if each is None else model.read(each) for each in body.inputs]
        return answer({"steps": [without_state(each) for each in await sessions.step(found, *read)]})

    async def state(request: Request) -> Response:
        """A session's state, in JSON, or by ``Accept`` as safetensors."""
        held = asked_for(request).state or StreamState()
        if SAFETENSORS_TYPE in request.headers.get("accept", ""):
            return Response(state_bytes(held), media_type=SAFETENSORS_TYPE)
        return answer(held.to_json())

    async def replace_state(request: Request) -> Response:
        """Put another state in the place of a session's own."""
        found = asked_for(request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        put = state_of(await body_bytes(request, limits.max_body), kind)
        found.stream.form.require(put)
        async with found.lock:
            sessions.keep(found, put)
            found.done = False
        return answer(described(found))

    async def fork(request: Request) -> Response:
        """Open another session that goes on from where this one is."""
        found = asked_for(request)
        other = sessions.open(model, found.options, found.state)
        other.steps, other.done = found.steps, found.done
        return opened(other)

    async def channel(websocket: WebSocket, session: str) -> None:
        """Take a step for every message, ``{"input": ...}``, and answer it by one."""
        try:
            found = sessions.get(model, session)
        except RefusedError as error:
            await deny(websocket.scope, websocket.receive, websocket.send, error.status, str(error))
            return
        await websocket.accept()
        try:
            while True:
                await websocket.send_text(
                    await _said(model, sessions, found, await _message(websocket), limits)
                )
        except WebSocketDisconnect:
            return

    one = "/{session}"
    found = response("The session.", SESSION)
    begun = response("The new session.", SESSION)
    common = (401, 404)
    said = of({"steps": listed(STEP)}, "steps")
    pieces = listed({"anyOf": [given, {"type": "null"}]}, limits.max_batch)
    both: Schema = {
        "description": "The state.",
        "content": {
            JSON_TYPE: {"schema": STATE},
            SAFETENSORS_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    }
    router.add_api_route(
        "",
        open_session,
        methods=["POST"],
        status_code=201,
        responses={201: begun, **errors(400, 401, 413, 415, 422, 429)},
        openapi_extra=request_body(
            of({"options": options, "state": {"anyOf": [STATE, {"type": "null"}]}}), {"options": {}}
        ),
    )
    router.add_api_route(
        one, show, methods=["GET"], responses={200: found, **errors(*common)}, openapi_extra=_NAMED
    )
    router.add_api_route(
        one,
        close,
        methods=["DELETE"],
        status_code=204,
        responses={204: {"description": "It has ended."}, **errors(*common)},
        response_class=Response,
        openapi_extra=_NAMED,
    )
    router.add_api_route(
        f"{one}/steps",
        steps,
        methods=["POST"],
        responses={
            200: response("What each step says.", said),
            **errors(400, 401, 404, 409, 413, 415, 422, 429),
        },
        openapi_extra=_NAMED
        | request_body(
            of({"inputs": pieces}), None if model.example is None else {"inputs": [model.example]}
        ),
    )
    router.add_api_route(
        f"{one}/state",
        state,
        methods=["GET"],
        responses={200: both, **errors(*common)},
        openapi_extra=_NAMED,
    )
    router.add_api_route(
        f"{one}/state",
        replace_state,
        methods=["PUT"],
        responses={200: found, **errors(400, 401, 404, 413, 415, 422, 429)},
        openapi_extra=_NAMED | state_body({"arrays": {}, "values": {}}),
    )
    router.add_api_route(
        f"{one}/fork",
        fork,
        methods=["POST"],
        status_code=201,
        responses={201: begun, **errors(401, 404, 429)},
        openapi_extra=_NAMED,
    )
    router.add_api_websocket_route(f"{one}/steps", channel)
    return router


async def _message(websocket: WebSocket) -> str | bytes:
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    text = message.get("text")
    return message["bytes"] if text is None else text


async def _said(
    model: ServedModel, sessions: Sessions, session: Session, message: str | bytes, limits: Limits
) -> str:
    """What one message is answered by; one that is wrong by what was wrong, and the session goes on."""
    try:
        if len(message) > limits.max_body:
            raise too_large(limits.max_body)
        body = parsed(message, Message)
        sessions.get(model, session.id)
        read = None if body.input is None else model.read(body.input)
        return as_json(without_state((await sessions.step(session, read))[0]))
    except UnrolledError as error:
        said = refusal(error)
        return as_json({"error": str(said), "status": said.status})
