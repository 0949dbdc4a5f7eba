"""Whether the service lives, is ready, and what it has counted."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import Response

from unrolled.serving.answers import answer
from unrolled.serving.metrics import TEXT_TYPE, Metrics
from unrolled.serving.schemas import errors, of, response
from unrolled.serving.sessions import Sessions

_STATUS = of({"status": {"type": "string"}}, "status")


def health_routes(metrics: Metrics, sessions: Sessions, ready: Callable[[], bool]) -> APIRouter:
    """The routes that machines ask.

    Args:
        metrics: what is counted.
        sessions: those open.
        ready: whether requests are answered: not before the models are loaded, nor once the service stops.
    """
    router = APIRouter(tags=["service"])

    async def healthz() -> Response:
        """Whether the process lives."""
        return answer({"status": "alive"})

    async def readyz() -> Response:
        """Whether requests are answered."""
        return answer({"status": "ready"}) if ready() else answer({"status": "stopping"}, 503)

    async def counts() -> Response:
        """Requests, predictions, batches, steps and sessions, as Prometheus reads them."""
        sessions.expire()
        metrics.sessions.set(len(sessions))
        metrics.session_bytes.set(sessions.bytes)
        metrics.expired.set(sessions.expired)
        return Response(metrics.text(), media_type=TEXT_TYPE)

    alive = response("It does.", _STATUS, example={"status": "alive"})
    router.add_api_route("/healthz", healthz, methods=["GET"], responses={200: alive})
    are = response("They are.", _STATUS, example={"status": "ready"})
    are_not = response("It is stopping.", _STATUS, example={"status": "stopping"})
    router.add_api_route("/readyz", readyz, methods=["GET"], responses={200: are, 503: are_not})
    text = response("Counters in text.", {"type": "string"}, TEXT_TYPE, "unrolled_sessions 0.0\n")
    router.add_api_route(
        "/metrics", counts, methods=["GET"], responses={200: text, **errors(401)}, response_class=Response
    )
    return router
