"""Runs something in a process of its own, within a bound of time and of memory."""

import faulthandler
import os
import resource
import select
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from io import RawIOBase
from pathlib import Path

import torch

from unrolled.errors import UnrolledError

SECONDS = 30
"""How long each thing may take of a processor, for others use the machine too."""
_WAITED = 20 * SECONDS
"""How long one is waited for that takes nothing of a processor."""
MEGABYTES = 1500
"""How much more memory it may ask for than this process has."""
_LENGTH = struct.Struct("<I")


def faults_of(actions: Sequence[Callable[[], object]]) -> list[str | None]:
    """What is wrong with how each of some things ends; None where it succeeds, or is refused.

    Refused is what raises an `UnrolledError`. A fault is any other exception, a death of the process, more
    time, or more memory than allowed. They run one after the other in one process, after a death in another.
    """
    found: list[str | None] = []
    while len(found) < len(actions):
        found += _run(actions[len(found) :])
    return found


def _run(actions: Sequence[Callable[[], object]]) -> list[str | None]:
    """The first of them, up to one with which the process dies."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_confined()
        for action in actions:
            said = _ending(action)[-20_000:].encode(errors="backslashreplace")
            os.write(writing, _LENGTH.pack(len(said)) + said)
        os._exit(0)
    os.close(writing)
    found: list[str | None] = []
    in_time = True
    with os.fdopen(reading, "rb", buffering=0) as stream:
        while len(found) < len(actions):
            in_time = _answers(stream, child)
            head = stream.read(_LENGTH.size) if in_time else b""
            if len(head) < _LENGTH.size:
                break
            (length,) = _LENGTH.unpack(head)
            said = b""
            while len(said) < length and (part := stream.read(length - len(said))):
                said += part
            found.append(said.decode() or None)
    if not in_time:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not in_time:
        return [*found, f"it took more than {SECONDS} seconds"]
    if len(found) < len(actions):
        died = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"status {status >> 8}"
        return [*found, f"the process died of {died}"]
    return found


def _answers(stream: RawIOBase, child: int) -> bool:
    """Whether a process says something in the time that it may take of a processor."""
    limit, end = _used(child) + SECONDS, time.monotonic() + _WAITED
    while _used(child) < limit and time.monotonic() < end:
        if select.select([stream], [], [], 1)[0]:
            return True
    return False


def _used(process: int) -> float:
    """Seconds of a processor that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _be_confined() -> None:
    """In the new process: be quiet, have one thread, for others of the parent's are not here, and a bound."""
    faulthandler.disable()  # a death is told by its signal
    torch.set_num_threads(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit = _size() + MEGABYTES * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _ending(action: Callable[[], object]) -> str:
    """How something ends: nothing to say where it is well."""
    try:
        action()
    except UnrolledError as error:
        return _of_message(str(error))
    except BaseException:
        return traceback.format_exc()
    return ""


def _of_message(text: str) -> str:
    """What is wrong with an error's sentence."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"the message cannot be written: {text!a:.500}"
    if any(not each.isprintable() and each not in "\n\t" for each in text):
        return f"the message holds what a terminal obeys: {text!a:.500}"
    return "" if len(text) < 2_000 else f"the message has {len(text):,} characters: {text:.300}..."


def _size() -> int:
    """This process' address space in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
