"""The folder of a run, which is one run's alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from unrolled.errors import ConfigError
from unrolled.models.cell import require_saveable
from unrolled.saving.folder import settle
from unrolled.saving.lock import only_run
from unrolled.saving.run import require_free
from unrolled.tasks.config import TaskConfig
from unrolled.training.processes import decided_by_the_first


@contextmanager
def taken(
    run_folder: str | Path | None, config: TaskConfig, *, resume: bool, overwrite: bool
) -> Iterator[None]:
    """Keep others out of a run's folder, where there is one, inside the `with`."""
    if resume and getattr(config, "ensemble", 1) > 1:
        raise ConfigError("resume: expected one network, got an ensemble, which keeps no checkpoints")
    if run_folder is None:
        if resume:
            raise ConfigError("resume=True needs run_folder, the folder that holds the checkpoints, got None")
        yield
        return
    require_saveable(config)
    folder = Path(run_folder)
    with ExitStack() as held:

        def take() -> None:
            held.enter_context(only_run(folder))
            settle(folder)
            require_free(folder, resume=resume, overwrite=overwrite)

        decided_by_the_first(config, take)
        yield
