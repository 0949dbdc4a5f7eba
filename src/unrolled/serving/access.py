"""Who may ask: whoever has the token, and of web pages those of the service alone."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

OPEN_PATHS = ("/healthz", "/readyz")
"""What is answered without a token: it says nothing of the models."""


class Access:
    """Stands before the application, and answers 401, 403 or 421 in its place.

    A page that a browser has open somewhere must neither read a service on the same machine, by a name that
    leads there (so hosts are held to those that the service is called by), nor open a WebSocket to it, which
    browsers allow to any page (so an origin, where there is one, has to be the service's own).

    Args:
        application: what is asked.
        token: which has to come with every request; None for none.
        hosts: names by which the service may be asked; None for any.
    """

    def __init__(self, application: ASGIApp, token: str | None, hosts: Collection[str] | None) -> None:
        self._application, self._token, self._hosts = application, token, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._application(scope, receive, send)
            return
        refusal = self._refusal(scope, Headers(scope=scope))
        if refusal is None:
            await self._application(scope, receive, send)
        else:
            await deny(scope, receive, send, *refusal)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = _name(f"//{headers.get('host', '')}")
        if self._hosts is not None and host not in self._hosts:
            return (
                421,
                f"this service is not called {host!r:.80}; start it with --host, or ask it by its address.",
            )
        origin = headers.get("origin")
        if scope["type"] == "websocket" and origin is not None and _name(origin) != host:
            return 403, "expected a WebSocket of this service's own pages, got one of another's."
        if self._token is None or scope["path"] in OPEN_PATHS:
            return None
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and secrets.compare_digest(given.strip().encode(), self._token.encode()):
            return None
        return 401, "expected the header 'Authorization: Bearer TOKEN' with this service's token."


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


async def deny(scope: Scope, receive: Receive, send: Send, status: int, sentence: str) -> None:
    """Answer a request, or the opening of a WebSocket, by a status and a sentence."""
    headers = [(b"content-type", b"application/json")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    prefix = "http.response"
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008, "reason": sentence[:120]})
            return
        prefix = "websocket.http.response"
    await send({"type": f"{prefix}.start", "status": status, "headers": headers})
    await send({"type": f"{prefix}.body", "body": json.dumps({"error": sentence}).encode()})
