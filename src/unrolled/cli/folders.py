"""The folder of a training run: its checkpoint while it goes on, the model and the report at its end."""

from __future__ import annotations

import os
import re
from itertools import count
from pathlib import Path

from unrolled.errors import ConfigError, StorageError
from unrolled.saving.run import checkpoint_of, has_checkpoint, holds_others, require_free

_LONGEST_NAME = 100
"""Characters of a name made up, to which more are added."""


def model_folder(asked: Path | None, task: str, data: str, *, resume: bool, overwrite: bool = False) -> Path:
    """The folder asked for, or one named after the task and the data.

    A folder asked for that holds a model or a run is taken with ``overwrite`` or ``resume`` alone.
    Without ``resume`` the name made up is unused; with it, it is that of the latest run with a checkpoint.

    Raises:
        ConfigError: the folder asked for holds something else than a model, or there is no run to resume.
        StorageError: nothing can be written there.
    """
    asked = None if asked is None else asked.expanduser()
    if asked is None:
        named = _named_after(task, data)
        return _latest(named) if resume else _unused(named)
    if resume and not has_checkpoint(asked):
        raise ConfigError(f"--resume: there is no checkpoint in {asked} to go on from; leave --resume out")
    _require_writable(asked)
    require_free(asked, resume=resume, overwrite=overwrite)
    return asked


def _unused(named: str) -> Path:
    names = (Path(named if number == 1 else f"{named}-{number}") for number in count(1))
    return next(path for path in names if not path.exists())


def _latest(named: str) -> Path:
    form = re.compile(rf"{re.escape(named)}(-\d+)?")
    runs = {
        path: checkpoint.stat().st_mtime
        for path in Path().glob(f"{named}*")
        if form.fullmatch(path.name) and (checkpoint := checkpoint_of(path)) is not None
    }
    if not runs:
        raise ConfigError(
            f"--resume: no folder {named} here holds a checkpoint to go on from; "
            "name the run's folder with -o, or leave --resume out"
        )
    return max(runs, key=runs.__getitem__)


def named_for(data: str) -> str:
    """A name that a file about some data may have.

    Example:
        >>> named_for("texts/reviews 2.tsv"), named_for("adding:200@1")
        ('reviews-2.tsv', 'adding-200-1')
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(data).name)[:_LONGEST_NAME] or "data"


def _named_after(task: str, data: str) -> str:
    stem = Path(data).name.split(".")[0] or "model"
    return f"{task}-{re.sub(r'[^A-Za-z0-9_-]+', '-', stem)[:_LONGEST_NAME]}"


def _require_writable(folder: Path) -> None:
    """Find out before an hour of training what saving would find out after it."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"-o {folder}: expected a folder to write the model into, but it is a file")
    if folder.is_dir() and holds_others(folder):
        raise ConfigError(f"-o {folder}: the folder holds something that is not a model; choose another name")
    nearest = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise StorageError(
            f"-o {folder}: {nearest} is not a folder that can be written to; choose another place"
        )
