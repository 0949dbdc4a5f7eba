"""``unrolled serve MODEL...``: saved models over HTTP and WebSocket."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from unrolled.cli.exits import exit_codes
from unrolled.cli.output import note
from unrolled.cli.paths import require_model
from unrolled.errors import ConfigError, MissingDependencyError

_PACKAGES = ("fastapi", "prometheus_client", "uvicorn", "websockets")
"""What the extra brings."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def serve_command() -> Any:
    """The command, with flags made of the limits: asked for only when it runs."""
    from unrolled.cli.options import command, flags
    from unrolled.serving.limits import Limits

    return command("serve", serve, flags(Limits, "Limits"))


def serve(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Model folders, each as FOLDER or NAME=FOLDER.")
    ],
    host: Annotated[
        str, typer.Option(help="The address to listen on; only this machine reaches the usual one.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 for one that is free.", min=0, max=65535)] = 8000,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="UNROLLED_TOKEN",
            show_envvar=True,
            help="What every request has to bring, as Authorization: Bearer TOKEN.",
        ),
    ] = None,
    **options: Any,
) -> None:
    """Serve models over HTTP: predictions, texts as they are written, sessions fed step by step.

    GET /v1/models says what there is, /openapi.json all that can be asked.
    """
    with exit_codes(as_json=False):
        folders = _named(models)
        require_model(*folders.values())
        if any(find_spec(package) is None for package in _PACKAGES):
            raise MissingDependencyError.of("serving", extra="serve")
        from unrolled.cli.options import given
        from unrolled.serving.limits import Limits
        from unrolled.serving.server import LOOPBACK
        from unrolled.serving.server import serve as run
        from unrolled.tasks.options import validated
        from unrolled.tasks.registry import load

        limits = validated(Limits, given(Limits, options))
        if host not in LOOPBACK and token is None:
            note(f"Whoever reaches {host} may ask these models: --token asks for one.")
        estimators = {name: load(folder) for name, folder in folders.items()}

        def begun(address: str) -> None:
            for name, estimator in estimators.items():
                note(f"{name}  {estimator.task}  {address}/v1/models/{name}/predict")
            note(f"Serving at {address}; Ctrl-C stops it.")

        run(estimators, host, port, token, limits, begun)
        note("Stopped.")


def _named(models: list[str]) -> dict[str, Path]:
    """The folders by the names that their models are asked for by.

    Raises:
        ConfigError: a name cannot stand in an address, or two are the same.
    """
    found: dict[str, Path] = {}
    for model in models:
        name, given, folder = model.partition("=")
        if not given or Path(model).exists():
            name, folder = Path(model).resolve().name, model
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"{model}: expected a name of letters, digits, '.', '_' and '-' to ask for the model by, got "
                f"{name!r}; give one: NAME=FOLDER"
            )
        if name in found:
            raise ConfigError(
                f"{model}: expected a name for each model, got {name!r} twice; give NAME=FOLDER"
            )
        found[name] = Path(folder)
    return found
