"""``--config FILE``: a task's options from a JSON or TOML file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from unrolled.errors import ConfigError

_LONGEST_TOML = 2**15
"""Characters of a file: what its reader takes for a long name grows with the square of its parts."""


def read_settings(path: Path, task: str) -> dict[str, Any]:
    """The options in ``path``, under the same names as the Python arguments.

    The ``config.json`` of a saved model is accepted as it is, so a run can be repeated from its model.

    Raises:
        ConfigError: the file is missing, is neither JSON nor TOML, is not a table of options, or is of a
            model of another task.
    """
    readers = {".json": json.loads, ".toml": tomllib.loads}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(
            f"--config {path}: expected a file that ends in .json or .toml, got {path.suffix!r}."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".toml" and len(text) > _LONGEST_TOML:
            raise ConfigError(
                f"--config {path}: expected TOML of at most {_LONGEST_TOML:,} characters, got {len(text):,}."
            )
        settings = reader(text)
    except ConfigError:
        raise
    except FileNotFoundError:
        raise ConfigError(f"--config {path}: there is no such file.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"--config {path}: cannot be read as {path.suffix[1:].upper()}: {error}.") from None
    if isinstance(settings, dict) and {"task", "options"} <= settings.keys():
        if settings["task"] != task:
            raise ConfigError(
                f"--config {path}: expected options of {task!r}, got those of {settings['task']!r}."
            )
        settings = settings["options"]
    if not isinstance(settings, dict):
        raise ConfigError(f"--config {path}: expected a table of options, got {type(settings).__name__}.")
    return settings
