"""The service on a port, until it is told to stop."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import uvicorn

from unrolled.errors import ConfigError
from unrolled.serving.application import Service
from unrolled.serving.limits import Limits
from unrolled.tasks.base import Estimator

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LEAVE = 10
"""Seconds that whoever is being answered has once the service is to stop."""


def serve(
    estimators: Mapping[str, Estimator],
    host: str,
    port: int,
    token: str | None,
    limits: Limits,
    begun: Callable[[str], Any],
) -> None:
    """Serve models until Ctrl-C or the signal to end.

    Args:
        estimators: fitted models by name.
        host: the address to listen on.
        port: of it; 0 for one that is free.
        token: which has to come with every request; None for none.
        limits: what may be asked.
        begun: told of the address, before the first request is answered.

    Raises:
        ConfigError: the address cannot be listened on.
    """
    with listening(host, port) as opened:
        # Asked from outside, a service may be known by names that nobody here can guess.
        hosts = {*LOOPBACK, host} if host in LOOPBACK else None
        service = Service(estimators, limits, token, hosts)
        shown = f"[{host}]" if ":" in host else host
        begun(f"http://{shown}:{opened.getsockname()[1]}")
        before = signal.signal(signal.SIGTERM, lambda *_: None)  # to have stopped is no fault
        try:
            with suppress(KeyboardInterrupt):
                server(service).run(sockets=[opened])
        finally:
            signal.signal(signal.SIGTERM, before)


def server(service: Service) -> uvicorn.Server:
    """What runs a service."""
    return uvicorn.Server(
        uvicorn.Config(
            service.application,
            log_level="warning",
            access_log=False,
            server_header=False,
            ws_max_size=service.limits.max_body,
            timeout_graceful_shutdown=_LEAVE,
            lifespan="on",
        )
    )


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        ConfigError: the address is taken, or is none of this machine's.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        opened = socket.create_server((host, port), family=family, backlog=2048)
        # Connections inherit it. Without it an answer's body waits 40 ms for the other side to have seen its
        # head; asyncio sets it on sockets alone that name their protocol, as this one does not.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened
    except (OSError, OverflowError, UnicodeError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"--host {host} --port {port}: cannot be listened on: {said}") from None
