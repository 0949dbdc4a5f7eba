"""What requests and answers hold: read by pydantic, and written down in the service's OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from unrolled.serving.answers import JSON_TYPE
from unrolled.serving.limits import Limits
from unrolled.serving.models import ServedModel
from unrolled.serving.states import SAFETENSORS_TYPE
from unrolled.tasks.work import LONGER, WIDER

Schema = dict[str, Any]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Predict(_Body):
    """Inputs to predict for."""

    inputs: list[Any] = Field(min_length=1)
    options: dict[str, Any] = {}


class Generate(_Body):
    """An input to write for, or to go on from."""

    input: Any
    options: dict[str, Any] = {}


class Open(_Body):
    """A session to be opened, from a state where one is given."""

    options: dict[str, Any] = {}
    state: dict[str, Any] | None = None


class Steps(_Body):
    """The next pieces of an input; null where a text goes on."""

    inputs: list[Any] = Field([None], min_length=1)


class Message(_Body):
    """The next piece of an input, over a WebSocket."""

    input: Any = None


class Step(_Body):
    """A step whose state the asker keeps."""

    input: Any = None
    state: dict[str, Any] | None = None
    options: dict[str, Any] = {}


PREDICTION: Schema = {
    "type": "object",
    "description": "What the model says: a value, and where there are any the probabilities of the classes.",
    "properties": {
        "value": {"description": "A label, or several, a number, tags, a text, notes, or values by name."},
        "probabilities": {"type": "object", "additionalProperties": {"type": "number"}},
        "log_probability": {"type": ["number", "null"]},
    },
    "required": ["value"],
    "additionalProperties": False,
}
STATE: Schema = {
    "type": "object",
    "description": "All that the next step has to know of those before; what a step answered, as it is.",
    "properties": {
        "arrays": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "dtype": {"type": "string"},
                    "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
                    "data": {"type": "string", "contentEncoding": "base64"},
                },
                "required": ["dtype", "shape", "data"],
                "additionalProperties": False,
            },
        },
        "values": {"type": "object"},
    },
    "required": ["arrays", "values"],
    "additionalProperties": False,
}
SESSION: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "model": {"type": "string"},
        "options": {"type": "object"},
        "steps": {"type": "integer"},
        "bytes": {"type": "integer", "description": "Of its state."},
        "done": {"type": "boolean", "description": "Whether what is written has come to its end."},
        "expires_in": {"type": "number", "description": "Seconds, if it is not used before."},
    },
    "required": ["id", "model", "options", "steps", "bytes", "done", "expires_in"],
    "additionalProperties": False,
}
STEP: Schema = {
    "type": "object",
    "properties": {
        "prediction": {"anyOf": [PREDICTION, {"type": "null"}]},
        "done": {"type": "boolean"},
    },
    "required": ["prediction", "done"],
    "additionalProperties": False,
}
MODEL: Schema = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "task": {"type": "string"},
        "input": {"type": "object", "description": "The JSON Schema of an input."},
        "options": {"type": "object", "description": "The JSON Schema of the options of a prediction."},
        "writes": {"type": "boolean", "description": "Whether /generate is there."},
        "streams": {"type": "boolean", "description": "Whether sessions, and /step, are there."},
        "example": {"description": "An input."},
    },
    "required": ["name", "task", "input", "options", "writes", "streams", "example"],
    "additionalProperties": False,
}


def of(properties: Mapping[str, Schema], *required: str) -> Schema:
    """The schema of an object."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def listed(schema: Schema, most: int | None = None) -> Schema:
    """The schema of a list that is not empty."""
    return {"type": "array", "items": schema, "minItems": 1} | ({} if most is None else {"maxItems": most})


def options_schema(model: ServedModel, limits: Limits) -> Schema:
    """The schema of the options of a model's predictions, with the service's bounds."""
    whole = model.estimator.Options.model_json_schema()
    for name, field in model.estimator.Options.model_fields.items():
        if field.json_schema_extra not in (LONGER, WIDER):
            continue
        most = limits.max_steps if field.json_schema_extra == LONGER else limits.max_width
        shown = whole["properties"][name]
        shown.pop("work", None)
        for form in shown.get("anyOf", [shown]):
            if form.get("type") == "integer":
                form["maximum"] = most
    return {name: value for name, value in whole.items() if name not in ("title", "description")}


def request_body(schema: Schema, example: Any) -> Schema:
    """A body in OpenAPI."""
    content: Schema = {"schema": schema}
    if example is not None:
        content["example"] = example
    return {"requestBody": {"required": True, "content": {JSON_TYPE: content}}}


def state_body(example: Any) -> Schema:
    """A state as a body in OpenAPI."""
    content: Schema = {
        JSON_TYPE: {"schema": STATE} | ({} if example is None else {"example": example}),
        SAFETENSORS_TYPE: {"schema": {"type": "string", "format": "binary"}},
    }
    return {"requestBody": {"required": True, "content": content}}


def response(about: str, schema: Schema, kind: str = JSON_TYPE, example: Any = None) -> Schema:
    """An answer in OpenAPI."""
    content: Schema = {"schema": schema} | ({} if example is None else {"example": example})
    return {"description": about, "content": {kind: content}}


_ERRORS = {
    400: "The body is no JSON.",
    401: "The token is missing or wrong.",
    404: "There is no such session.",
    409: "The model, or the session, cannot do this.",
    413: "The body, the input, the batch or the state is larger than allowed.",
    415: "The body's type is another.",
    422: "What is asked does not fit the model: the sentence says what was expected and what came.",
    429: "Too much waits, or is open, already; Retry-After says when to ask again.",
}
_ERROR: Schema = of({"error": {"type": "string"}}, "error")


def errors(*statuses: int) -> dict[int | str, Any]:
    """Refusals in OpenAPI."""
    return {status: response(_ERRORS[status], _ERROR) for status in statuses}
