"""The compiled recurrences: where they are, which of them this processor runs, and whose threads they use.

There is one shared library for every instruction set, all built from ``csrc/``. They know neither torch nor
Python and are called through `ctypes`, which releases the interpreter's lock meanwhile.
"""

import ctypes
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from unrolled.errors import ReferenceWarning
from unrolled.ops.deterministic_rows import are_deterministic_rows_enabled
from unrolled.ops.torch_private import cpu_capability

# What torch calls the processor's vector instructions, and our libraries for it, fastest first. So torch's
# own switch, the environment variable ATEN_CPU_CAPABILITY, holds for both.
_LIBRARIES_FOR = {
    "AVX512": ("amx", "avx512", "avx2", "portable"),
    "AVX2": ("avx2", "portable"),
}
_ADDRESS, _NUMBER, _FLAG = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
_SCAN = (ctypes.c_char_p, _NUMBER), ctypes.c_int
_FUNCTIONS = {
    f"{cell}_{pass_}": _SCAN for cell in ("rnn", "gru", "lstm") for pass_ in ("forward", "backward")
} | {
    "step": ((ctypes.c_char_p, _ADDRESS, _ADDRESS, _FLAG), None),
    "lay_out": ((_ADDRESS, _NUMBER, _NUMBER, _FLAG, *(_ADDRESS,) * 5), _NUMBER),
    "copy_rows": ((_ADDRESS, _ADDRESS, _NUMBER, _NUMBER, _NUMBER, _ADDRESS, _FLAG), None),
    "draw": ((_NUMBER, _FLAG, _NUMBER, _ADDRESS, _FLAG, _FLAG), None),
    "take": ((_NUMBER,), _ADDRESS),
    "give_back": ((_ADDRESS,), None),
    "program": ((ctypes.c_char_p,), ctypes.c_int),
    "stepper": ((ctypes.c_char_p,), _ADDRESS),
    "stepper_step": ((_ADDRESS, _ADDRESS, _ADDRESS), None),
    "stepper_end": ((_ADDRESS,), None),
    "step_pack": ((_ADDRESS, _NUMBER, _NUMBER, _ADDRESS, _FLAG), None),
}
"""The arguments and the result of each function."""
_FUNCTIONS_OF_TILES = {"matmul": ((ctypes.c_char_p,), ctypes.c_int), "tiles": ((), ctypes.c_int)}
"""Those which the library for AMX has besides."""
_LAYOUT = 19
"""Of the records that the functions take, ``kLayout`` of ``csrc/arguments.h``."""
_RUNTIME = ("GOMP_parallel", "omp_get_thread_num", "omp_get_num_threads")
open_library: Callable[[str], Any] = ctypes.CDLL
"""What opens a library; the tests put an emulator in its place."""


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """One loaded library.

    Attributes:
        instruction_set: "amx", "avx512", "avx2" or "portable".
        path: its file.
        functions: by name, ``{rnn,gru,lstm}_{forward,backward}`` and the others of `_FUNCTIONS`.
        use_runtime: hands over the addresses of an OpenMP runtime.
    """

    instruction_set: str
    path: Path
    functions: dict[str, Any]
    use_runtime: Any


def choices() -> tuple[str, ...]:
    """The instruction sets this processor runs and a library was built for, the fastest first."""
    runs = _LIBRARIES_FOR.get(torch.backends.cpu.get_cpu_capability(), ("portable",))
    built = [name for name in runs if _path(name) is not None]
    return tuple(name for name in built if name != "amx" or _tiles_granted())


def library() -> Library | None:
    """The library to call, or None where none was built; then there is one warning."""
    if _forced is not None:
        return _load(_forced)
    return _fastest(cpu_capability(), not are_deterministic_rows_enabled())


@contextmanager
def instruction_set(name: str) -> Iterator[None]:
    """Within the context, in all threads, the library of this instruction set is the one that is called.

    Args:
        name: one of `choices`.
    """
    global _forced
    if name not in choices():
        raise ValueError(f"expected an instruction set among {choices()}, got {name!r}.")
    before, _forced = _forced, name
    try:
        yield
    finally:
        _forced = before


_forced: str | None = None


@cache
def _fastest(capability: str, tiles: bool) -> Library | None:
    del capability  # what `choices` depends on
    # Tiles are taken or not by how many rows there are.
    names = [name for name in choices() if tiles or name != "amx"]
    if names:
        return _load(names[0])
    warnings.warn(
        "the compiled recurrences of unrolled are not installed, or were built from other sources: plain "
        "torch runs, many times slower; install a C++ compiler (GCC or Clang) and then unrolled again.",
        ReferenceWarning,
        stacklevel=2,
    )
    return None


def _path(name: str) -> Path | None:
    """Where there is a library of these sources; beside it, or alone, there may be an older one."""
    # An editable install has two folders: the sources' and that of what was built.
    for folder in sys.modules[__name__.rpartition(".")[0]].__path__:
        path = Path(folder) / f"unrolled_{name}.so"
        if path.exists() and _layout_of(path) == _LAYOUT:
            return path
    return None


def _layout_of(path: Path) -> int | None:
    layout = getattr(open_library(str(path)), "unrolled_layout", None)
    return None if layout is None else layout()


@cache
def _tiles_granted() -> bool:
    """Whether the processor has matrix tiles and the system lets this process use them."""
    return bool(_load("amx").functions["tiles"]())


@cache
def _load(name: str) -> Library:
    path = _path(name)
    assert path is not None
    opened = open_library(str(path))
    wanted = _FUNCTIONS | (_FUNCTIONS_OF_TILES if name == "amx" else {})
    functions = {function: opened[f"unrolled_{function}"] for function in wanted}
    for function, (arguments, result) in wanted.items():
        functions[function].argtypes, functions[function].restype = arguments, result
    use_runtime = opened["unrolled_use_runtime"]
    use_runtime.argtypes = (ctypes.c_void_p,) * len(_RUNTIME)
    use_runtime.restype = None
    use_runtime(*_torchs_runtime())
    found = Library(name, path, functions, use_runtime)
    # Threads do not survive a fork, and the runtime would wait for them for ever.
    os.register_at_fork(after_in_child=lambda: found.use_runtime(*(None,) * len(_RUNTIME)))
    return found


@cache
def _torchs_runtime() -> tuple[int | None, ...]:
    """The addresses of the OpenMP functions that torch calls, looked up in the order in which its own are.

    A process can hold several OpenMP runtimes, and a second pool of threads beside torch's slows both down.
    None where torch has no such functions (macOS): then everything runs on the calling thread.
    """
    for scope in (None, torch._C.__file__):
        symbols = ctypes.CDLL(scope)
        if all(hasattr(symbols, name) for name in _RUNTIME):
            return tuple(ctypes.cast(symbols[name], ctypes.c_void_p).value for name in _RUNTIME)
    return (None,) * len(_RUNTIME)


def addresses(tensors: Sequence[torch.Tensor | None]) -> list[int]:
    """Of tensors as a library reads them: 0 for None."""
    return [0 if tensor is None else tensor.data_ptr() for tensor in tensors]


def as_numbers(fields: Sequence[Any]) -> list[int]:
    """Tensors among numbers likewise."""
    return [field if type(field) is int else 0 if field is None else field.data_ptr() for field in fields]
