"""Bodies: JSON that is read within bounds, and JSON that is answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response

from unrolled.errors import UnrolledError
from unrolled.serving.refusal import RefusedError, refusal

Body = TypeVar("Body", bound=BaseModel)

JSON_TYPE = "application/json"


async def body_bytes(request: Request, most: int) -> bytes:
    """A request's body, of which no more is read than is allowed.

    Raises:
        RefusedError: there is more of it.
    """
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > most:
            raise too_large(most)
    return bytes(read)


def too_large(most: int) -> RefusedError:
    """The refusal of a body or message with too many bytes."""
    return RefusedError(413, f"expected at most {most:,} bytes, got more; send less at a time.")


async def read_body(request: Request, form: type[Body], most: int) -> Body:
    """A request's body as what it must hold.

    Raises:
        RefusedError: it is too large, is no JSON, or holds something else.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON_TYPE:
        raise RefusedError(415, f"expected a body of type {JSON_TYPE}, got {kind or 'none'!r:.60}.")
    return parsed(await body_bytes(request, most), form)


def parsed(data: bytes | str, form: type[Body]) -> Body:
    """JSON as what it must hold; there is no NaN and no infinity in JSON.

    Raises:
        RefusedError: it is no JSON, or holds something else.

    Example:
        >>> from unrolled.serving.schemas import Steps
        >>> parsed('{"inputs": [1]}', Steps).inputs
        [1]
    """
    try:
        value = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise RefusedError(400, f"expected JSON, got something else: {error}.") from None
    try:
        return form.model_validate(value)
    except ValidationError as error:
        raise RefusedError(422, f"{_sentence(error.errors(include_url=False)[0])}.") from None


def _sentence(detail: Any) -> str:
    where = ".".join(map(str, detail["loc"]))
    if detail["type"] == "extra_forbidden":
        return f"expected no entry {where!r:.60}"
    if detail["type"] == "missing":
        return f"expected an entry {where!r}, found none"
    said = detail["msg"].removeprefix("Input should be ")
    return f"expected {said}{f' as {where!r:.60}' if where else ''}, got {detail['input']!r:.60}"


def as_json(value: Any) -> str:
    """An answer as JSON.

    Raises:
        RefusedError: it holds numbers that JSON has not.
    """
    try:
        return json.dumps(value, allow_nan=False, default=str)
    except ValueError:
        raise RefusedError(
            422, "the model's answer is not finite: the numbers of the input are too large for it."
        ) from None


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response in JSON.

    Raises:
        RefusedError: it holds numbers that JSON has not.
    """
    return Response(as_json(value), status, headers, JSON_TYPE)


def refused(error: UnrolledError) -> Response:
    """The response that says what was wrong."""
    said = refusal(error)
    return answer({"error": str(said)}, said.status, said.headers)
