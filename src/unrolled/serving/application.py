"""The service as an ASGI application."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp

from unrolled.errors import UnrolledError
from unrolled.reporting.pages import rendered
from unrolled.serving.access import Access
from unrolled.serving.answers import answer, refused
from unrolled.serving.limits import Limits
from unrolled.serving.metrics import Metrics
from unrolled.serving.models import ServedModel
from unrolled.serving.observation import Observed
from unrolled.serving.refusal import RefusedError
from unrolled.serving.routes.health import health_routes
from unrolled.serving.routes.predictions import WRITING_PATH, prediction_routes
from unrolled.serving.routes.sessions import session_routes
from unrolled.serving.schemas import MODEL, errors, listed, of, options_schema, response
from unrolled.serving.sessions import Sessions
from unrolled.tasks.base import Estimator

_OF_MODEL = re.compile(r"/v1/models/(?P<model>[^/]+)(?P<rest>/.*)?")
_ABOUT = """Predictions of recurrent networks that were trained by unrolled, whole or step by step.

Every error is `{"error": "a sentence"}`: what was expected, and what came."""


class Service:
    """Some models, and who uses them.

    Args:
        estimators: fitted models by the names that they are served under.
        limits: what may be asked.
        token: which has to come with every request; None for none.
        hosts: names by which the service may be asked; None for any.

    Attributes:
        application: what a server runs.
        sessions: those open.
        models: those served.
    """

    def __init__(
        self,
        estimators: Mapping[str, Estimator],
        limits: Limits | None = None,
        token: str | None = None,
        hosts: Collection[str] | None = None,
    ) -> None:
        self.limits, self.metrics, self.ready = limits or Limits.model_validate({}), Metrics(), False
        self.models = [
            ServedModel(name, each, self.limits, self.metrics) for name, each in estimators.items()
        ]
        self.sessions = Sessions(self.limits)
        self.application: ASGIApp = Observed(Access(self._routes(), token, hosts), self.metrics)

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        for model in self.models:
            model.queue.start()
        expiring = asyncio.create_task(self._expiring())
        self.ready = True
        try:
            yield
        finally:
            self.ready = False
            expiring.cancel()
            with suppress(asyncio.CancelledError):
                await expiring
            for model in self.models:
                await model.stop()

    async def _expiring(self) -> None:
        """End sessions nobody uses, though nobody asks for others either."""
        while True:
            await asyncio.sleep(min(30.0, self.limits.session_seconds))
            self.sessions.expire()

    def _routes(self) -> FastAPI:
        application = FastAPI(
            title="unrolled",
            description=_ABOUT,
            version=version("unrolled"),
            lifespan=self._lifespan,
            docs_url=None,  # their pages fetch scripts from elsewhere
            redoc_url=None,
        )
        application.include_router(health_routes(self.metrics, self.sessions, lambda: self.ready))
        shown = [self._shown(model) for model in self.models]

        page = rendered("served", title="unrolled", models=shown, version=version("unrolled"))

        async def home() -> Response:
            """A page to try the models on."""
            return HTMLResponse(page)

        async def listing() -> Response:
            """The models served: what each takes, and what can be asked of it."""
            return answer({"models": shown})

        application.add_api_route(
            "/",
            home,
            methods=["GET"],
            tags=["service"],
            responses={200: response("It is.", {"type": "string"}, "text/html"), **errors(401)},
            response_class=HTMLResponse,
        )
        application.add_api_route(
            "/v1/models",
            listing,
            methods=["GET"],
            tags=["service"],
            responses={
                200: response(
                    "They are.", of({"models": listed(MODEL)}, "models"), example={"models": shown}
                ),
                **errors(401),
            },
        )
        for model in self.models:
            application.include_router(prediction_routes(model, self.sessions, self.limits))
            if model.obstacle is None:
                application.include_router(session_routes(model, self.sessions, self.limits))
        application.add_exception_handler(UnrolledError, _sentence)
        application.add_exception_handler(HTTPException, self._status)
        application.add_exception_handler(Exception, _fault)
        return application

    def _shown(self, model: ServedModel) -> dict[str, Any]:
        return {
            "name": model.name,
            "task": model.estimator.task,
            "input": model.schema.json_schema(),
            "options": options_schema(model, self.limits),
            "writes": model.writes,
            "streams": model.obstacle is None,
            "example": model.example,
        }

    async def _status(self, request: Request, error: Exception) -> Response:
        """An error of HTTP; where there is nothing, why not."""
        assert isinstance(error, HTTPException)
        found = _OF_MODEL.fullmatch(request.url.path)
        if error.status_code == 404 and found is not None:
            return refused(self._nothing_there(found["model"], found["rest"] or ""))
        return answer({"error": str(error.detail)}, error.status_code, error.headers)

    def _nothing_there(self, model: str, rest: str) -> RefusedError:
        """Why a model has no such path."""
        served = {each.name: each for each in self.models}
        if model not in served:
            return RefusedError(404, f"no model {model!r:.80} is served, only {', '.join(served)}.")
        if served[model].obstacle is not None:
            return RefusedError(409, str(served[model].obstacle))
        if rest == WRITING_PATH:
            return RefusedError(
                409, f"the model {model!r} writes nothing by itself; ask it for /predict or /step."
            )
        return RefusedError(404, f"there is nothing at {rest!r:.80}; see /openapi.json.")


async def _fault(_: Request, error: Exception) -> Response:
    """A fault of this package: the server's log has its traceback."""
    return answer({"error": "this service failed to answer; its log says why."}, 500)


async def _sentence(_: Request, error: Exception) -> Response:
    assert isinstance(error, UnrolledError)
    return refused(error)
