"""Features of media files: computed once, in parallel, and kept between runs."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")
Result = TypeVar("Result")

_logger = logging.getLogger("unrolled")

_LONG = 2.0
"""Seconds after which it is worth saying where the features went."""


def cache_folder() -> Path:
    """Where features are kept: what ``UNROLLED_CACHE`` names, else a folder in the user's cache."""
    named = os.environ.get("UNROLLED_CACHE")
    if named:
        return Path(named)
    user = os.environ.get("XDG_CACHE_HOME")
    return (Path(user) if user else Path.home() / ".cache") / "unrolled"


def features_of(
    files: Sequence[Path | bytes],
    compute: Callable[[Path | bytes], np.ndarray],
    settings: Mapping[str, Any],
) -> list[np.ndarray]:
    """The features of every file, in the files' order: read from the cache, or computed and kept there.

    A file that has changed (its size or its time) is computed anew, and so are all under other settings.
    Where the cache cannot be written to, features are computed every time.

    Args:
        files: the media files: paths, or the files' contents.
        compute: makes a file's features; called in threads, several at once.
        settings: everything the features depend on besides the file, as plain JSON values; with them the name
            and the version of what computes them.

    Raises:
        DataError: as `compute` does; of several broken files the first in order is named.
    """
    cache = _Cache(cache_folder() / "features", settings)

    def of(file: Path | bytes) -> np.ndarray:
        return cache.get(file, compute)

    started = time.perf_counter()
    found = in_parallel(of, files, "features")
    if cache.computed and time.perf_counter() - started > _LONG:
        where = f"kept in {cache.folder}" if cache.writable else f"{cache.folder} cannot be written to"
        _logger.info(f"Computed the features of {len(cache.computed):,} files; {where}.")
    return found


def in_parallel(compute: Callable[[Item], Result], items: Sequence[Item], name: str) -> list[Result]:
    """What is made of every item, in the items' order.

    Where the package's notes are shown and standard error is a terminal, so is a bar.

    Args:
        compute: called in threads, several at once.
        items: the items.
        name: what is made, for the bar.

    Example:
        >>> in_parallel(len, ["ab", "c"], "lengths")
        [2, 1]
    """
    console = Console(stderr=True)
    # In a log file a bar that goes away would leave empty lines.
    hidden = not (_logger.isEnabledFor(logging.INFO) and console.is_terminal)
    with _workers() as pool:
        pending = [pool.submit(compute, item) for item in items]
        finished = track(pending, name, console=console, transient=True, disable=hidden)
        return [future.result() for future in finished]


@contextmanager
def _workers() -> Iterator[ThreadPoolExecutor]:
    # Threads: what decodes media leaves Python's lock, and nothing has to be sent between processes.
    affinity = getattr(os, "sched_getaffinity", None)
    pool = ThreadPoolExecutor(len(affinity(0)) if affinity else os.cpu_count())
    try:
        yield pool
    finally:
        # After an error the files still waiting are left alone.
        pool.shutdown(cancel_futures=True)


class _Cache:
    """One file of numbers for every media file, named after all that it depends on."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.folder = folder
        self.settings = json.dumps(settings, sort_keys=True)
        self.computed: list[Path | bytes] = []
        self.writable = True

    def get(self, file: Path | bytes, compute: Callable[[Path | bytes], np.ndarray]) -> np.ndarray:
        kept = self._place(file)
        if kept is not None:
            # A file cut short by a crash is computed again.
            with suppress(OSError, ValueError, EOFError):
                return np.load(kept, allow_pickle=False)
        features = compute(file)
        self.computed.append(file)
        if kept is not None:
            self._write(kept, features)
        return features

    def _place(self, file: Path | bytes) -> Path | None:
        if isinstance(file, bytes):
            return self._named([hashlib.sha256(file).hexdigest()])
        try:
            status = file.stat()
        except OSError:
            return None  # `compute` says what is wrong with it
        return self._named([str(file.resolve()), status.st_size, status.st_mtime_ns])

    def _named(self, identity: list[Any]) -> Path:
        name = hashlib.sha256(json.dumps([*identity, self.settings]).encode()).hexdigest()
        return self.folder / name[:2] / f"{name[2:]}.npy"

    def _write(self, kept: Path, features: np.ndarray) -> None:
        if not self.writable:
            return
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=kept.parent, suffix=".partial", delete=False) as partial:
                np.save(partial, features, allow_pickle=False)
            Path(partial.name).replace(kept)
        except OSError:
            self.writable = False
