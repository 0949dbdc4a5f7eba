"""Measuring in a process of its own.

The C library keeps memory or returns it to the system by the largest block that it ever saw freed, and
torch.nn takes up to twice as long where every step gets fresh pages: a shape's time must not depend on which
were measured before it. Nor does the peak of a process's memory ever fall.
"""

import multiprocessing
import os
import re
import resource
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def apart(measure: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What a function of a module returns in a new process, which has imported it and done nothing else."""
    # Forked from a server without threads: they would not survive it, and each import of torch takes seconds.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([measure.__module__])
    with unbound(), ProcessPoolExecutor(1, mp_context=context) as one:
        return one.submit(measure, *args, **kwargs).result()


@contextmanager
def unbound() -> Iterator[None]:
    """Threads started within may run on every core, although OpenMP has bound the one that starts them."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    bound = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, bound)


def peak_memory() -> int:
    """The most bytes of memory that this process ever held."""
    # Linux is asked itself: its getrusage also counts the process that began this one.
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
