"""The folder of a training run: its checkpoint while it goes on, and the best model so far."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from unrolled.errors import ConfigError
from unrolled.saving.files import MANIFEST, beside

CHECKPOINT = "checkpoint"


def checkpoint_of(folder: Path) -> Path | None:
    """Where the checkpoint of a run is: aside, where writing it or the model around it was cut short."""
    run = Path(os.path.realpath(folder))
    for place in (run, beside(run, "previous")):
        for checkpoint in (place / CHECKPOINT, beside(place / CHECKPOINT, "previous")):
            if checkpoint.is_dir():
                return checkpoint
    return None


def has_checkpoint(folder: Path) -> bool:
    """Whether there is the checkpoint of a run."""
    return checkpoint_of(folder) is not None


def remove_checkpoint(folder: Path) -> None:
    """Take the checkpoint away from a model that is done: at a stroke, or it stays whole."""
    checkpoint = folder / CHECKPOINT
    going = beside(checkpoint, "partial")
    for left in (beside(checkpoint, "previous"), going):
        shutil.rmtree(left, ignore_errors=True)
    try:
        with suppress(OSError):
            checkpoint.rename(going)
        shutil.rmtree(going, ignore_errors=True)
    except KeyboardInterrupt:  # nothing of it is left where it is no checkpoint any more
        shutil.rmtree(going, ignore_errors=True)
        raise


def holds_run(folder: Path) -> bool:
    """Whether a folder holds a model or the checkpoint of a run."""
    return (folder / MANIFEST).is_file() or has_checkpoint(folder)


def holds_others(folder: Path) -> bool:
    """Whether a folder holds something, and neither a run nor what a write of one left that was cut short."""
    left = beside(folder / CHECKPOINT, "partial").name
    return not holds_run(folder) and any(path.name != left for path in folder.iterdir())


def require_free(folder: Path, *, resume: bool, overwrite: bool) -> None:
    """Refuse to replace what another run wrote, unless that is asked for.

    Raises:
        ConfigError: the folder holds a model or a checkpoint; the message says what can be done.
    """
    continued = resume and has_checkpoint(folder)
    if holds_run(folder) and not (overwrite or continued):
        what = "an unfinished run" if has_checkpoint(folder) else "a model"
        go_on = ", --resume (resume=True) to go on with it" if what == "an unfinished run" else ""
        raise ConfigError(
            f"{folder}: expected a new folder, but it holds {what}; give --overwrite (in Python "
            f"overwrite=True) to replace it{go_on}, or another name"
        )
