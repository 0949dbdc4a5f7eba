"""Command-line flags made of a task's configuration, so that each option is written down once."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from unrolled.cli.help import SectionedCommand
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.base import Estimator

_ORDER = {"Network": 1, "Training": 2}
_METAVARS = {int: "INT", float: "NUMBER", str: "TEXT", bool: "BOOL"}


def flags(config: type[BaseModel], panel: str | None = None) -> list[inspect.Parameter]:
    """One keyword parameter for every field, annotated for typer and grouped under ``panel`` in the help.

    A flag not given is None. Values stay text (but for switches) and are read by the configuration itself, so
    that a wrong one gets the same message from the shell as from Python.
    """
    made = [(panel or _panel(config, name), name, field) for name, field in config.model_fields.items()]
    # A stable sort: the help shows the panels in this order.
    return [
        _flag(name, field, shown)
        for shown, name, field in sorted(made, key=lambda entry: _ORDER.get(entry[0], 0))
    ]


def flags_of_tasks(
    options: Mapping[str, type[BaseModel]], but: Collection[str] = ()
) -> list[inspect.Parameter]:
    """One parameter for every option of some tasks' predictions, grouped by the tasks that have it.

    Args:
        options: the options by task.
        but: names to leave out.
    """
    owners: dict[str, list[str]] = {}
    for task, config in options.items():
        for name in config.model_fields:
            owners.setdefault(name, []).append(task)
    return [
        flag
        for name, tasks in owners.items()
        if name not in but
        for flag in flags(options[tasks[0]], f"Models of {' and '.join(tasks)}")
        if flag.name == name
    ]


def command(
    name: str,
    function: Callable[..., None],
    parameters: Sequence[inspect.Parameter],
    about: str | None = None,
) -> Any:
    """A command that takes ``parameters`` where ``function`` has ``**options``.

    Args:
        name: what it is called.
        function: what it runs.
        parameters: as `flags` makes them.
        about: its help; the function's docstring by default.
    """
    signature = inspect.signature(function, eval_str=True)
    own = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD
    ]

    @functools.wraps(function)
    def run(**values: Any) -> None:
        function(**values)

    # What typer reads.
    run.__signature__ = signature.replace(parameters=[*own, *parameters])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *parameters]}
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name, cls=SectionedCommand, help=about)(run)
    return typer.main.get_command(app)


def given(config: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """The options among ``values`` that were given, ready for the configuration to check."""
    return {
        name: _parsed(value, config.model_fields[name])
        for name, value in values.items()
        if name in config.model_fields and value is not None
    }


def options_of(
    estimator: Estimator, known: type[BaseModel], values: Mapping[str, str | None]
) -> dict[str, Any]:
    """The options of a model's task among the flags of all tasks that were given.

    Args:
        estimator: the model.
        known: the options that its task has.
        values: the flags' values, None where they were left out.

    Raises:
        ConfigError: a flag belongs to another task.
    """
    asked = {name: value for name, value in values.items() if value is not None}
    foreign = [name for name in asked if name not in known.model_fields]
    if foreign:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in foreign)
        raise ConfigError(f"{flags}: a model of the task {estimator.task!r} has no such option; leave it out")
    return given(known, asked)


def _flag(name: str, field: FieldInfo, panel: str) -> inspect.Parameter:
    flag = f"--{name.replace('_', '-')}"
    default = field.get_default(call_default_factory=True, validated_data={})
    about = field.description if default is None else f"{field.description}  [default: {_shown(default)}]"
    if field.annotation in (bool, bool | None):
        option = typer.Option(
            f"{flag}/--no-{flag[2:]}", help=about, show_default=False, rich_help_panel=panel
        )
        annotation: Any = Annotated[bool | None, option]
    else:
        option = typer.Option(
            flag,
            help=about,
            show_default=False,
            rich_help_panel=panel,
            metavar="|".join(dict.fromkeys(_metavars(field.annotation))),
        )
        annotation = Annotated[str | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _panel(config: type[BaseModel], name: str) -> str:
    from unrolled.models.config import NetworkConfig
    from unrolled.training.config import TrainingConfig

    owner = next(base for base in reversed(config.__mro__) if name in getattr(base, "model_fields", ()))
    return {NetworkConfig: "Network", TrainingConfig: "Training"}.get(owner, "Data and task")


def _shown(default: Any) -> str:
    if isinstance(default, list | tuple):
        return ",".join(map(str, default)) or "none"
    if isinstance(default, bool):
        return "on" if default else "off"
    return str(default)


def _metavars(annotation: Any) -> Iterator[str]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _metavars(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _metavars(part)
    elif origin is Literal:
        yield from map(str, get_args(annotation))
    elif origin in (list, tuple):
        item = next(_metavars(get_args(annotation)[0]))
        yield f"{item},{item},..."
    elif annotation is not type(None):
        yield _METAVARS.get(annotation, "TEXT")


def _takes_several(annotation: Any) -> bool:
    return get_origin(annotation) in (list, tuple) or any(map(_takes_several, get_args(annotation)))


def _takes_none(annotation: Any) -> bool:
    return annotation is type(None) or any(map(_takes_none, get_args(annotation)))


def _takes_one(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType, Annotated):
        return any(map(_takes_one, get_args(annotation)))
    return origin not in (list, tuple) and annotation is not type(None)


def _parsed(value: Any, field: FieldInfo) -> Any:
    if not isinstance(value, str):
        return value
    if value.lower() == "none" and _takes_none(field.annotation):
        return None
    if _takes_several(field.annotation) and ("," in value or not _takes_one(field.annotation)):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value
