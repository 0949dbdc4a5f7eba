"""Measuring in a process of its own.

The C library keeps memory or returns it to the system by the largest block that it ever saw freed, and
torch.nn takes up to twice as long where every step gets fresh pages: a shape's time must not depend on which
were measured before it. Nor does the peak of a process's memory ever fall.
"""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import ParamSpec, TypeVar

from benchmarks.recurrence.measure import unbound

P = ParamSpec("P")
R = TypeVar("R")


def apart(measure: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What a function of a module returns in a new process, which has imported it and done nothing else."""
    # Forked from a server without threads: they would not survive it, and each import of torch takes seconds.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([measure.__module__])
    with unbound(), ProcessPoolExecutor(1, mp_context=context) as one:
        return one.submit(measure, *args, **kwargs).result()
