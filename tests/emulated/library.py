"""The compiled recurrences of another processor, called by the tests as if they were this one's.

An emulator runs a small server (``server.cpp``) and in it the library. What a function is given are numbers
and addresses of this process; the server asks for the pages that the library touches. Python and torch stay
here, and only the library is emulated: the tests of the kernels take minutes, not days.
"""

import ctypes
import os
import shlex
import socket
import struct
import subprocess
import threading
from pathlib import Path

import numpy as np

_PAGE = 4096
_ARGUMENTS = 9
_APART = 1 << 34
"""Bytes by which the memory of the two processes must be apart, for both grow."""
_libc = ctypes.CDLL(None, use_errno=True)
_libc.aligned_alloc.argtypes = (ctypes.c_size_t, ctypes.c_size_t)
_libc.aligned_alloc.restype = ctypes.c_void_p
_libc.free.argtypes = (ctypes.c_void_p,)


class EmulatedLibrary:
    """What `ctypes.CDLL` is for a library of this processor.

    Args:
        path: of the library.
        emulator: the command that runs a program of the other processor.
    """

    def __init__(self, path: str, emulator: str) -> None:
        self._lock = threading.Lock()
        # Where a process lies is drawn at random, and one in some dozens lies where this one does.
        for _ in range(20):
            self._connection, theirs = socket.socketpair()
            with theirs:
                server = str(Path(path).with_name("server"))
                command = [*shlex.split(emulator), server, path, str(theirs.fileno())]
                self._process = subprocess.Popen(command, pass_fds=(theirs.fileno(),))
            self["unrolled_layout"]()  # so that it has started
            if _apart(os.getpid(), self._process.pid):
                return
            self._connection.close()
            self._process.wait()
        raise AssertionError("no room for the emulator's memory beside this process's")

    def __getitem__(self, name: str) -> "EmulatedFunction":
        lent_here = {"unrolled_take": _take, "unrolled_give_back": _libc.free}
        return lent_here.get(name) or EmulatedFunction(self, name)

    def __getattr__(self, name: str) -> "EmulatedFunction":
        return self[name]

    def call(self, name: str, values: list[int]) -> int:
        """The function's result as the register holds it."""
        values = [value & 0xFFFFFFFFFFFFFFFF for value in values] + [0] * (_ARGUMENTS - len(values))
        with self._lock:
            self._connection.sendall(
                _number(len(name)) + name.encode() + struct.pack(f"={_ARGUMENTS}Q", *values)
            )
            while True:
                kind = self._receive_number()
                if kind == ord("p"):
                    self._send_pages(self._receive_number(), self._receive_number())
                elif kind == ord("c"):
                    self._change_page(self._receive_number())
                elif kind == ord("r"):
                    return self._receive_number()
                else:
                    raise AttributeError(f"the library has no {name}")

    def _send_pages(self, first: int, count: int) -> None:
        # Read by the system, which stops where there is nothing.
        data = ctypes.create_string_buffer(count * _PAGE)
        here = struct.pack("=2Q", ctypes.addressof(data), count * _PAGE)
        there = b"".join(struct.pack("=2Q", first + page * _PAGE, _PAGE) for page in range(count))
        size = max(0, _libc.process_vm_readv(os.getpid(), here, 1, there, count, 0))
        self._connection.sendall(_number(size // _PAGE) + data.raw[:size])

    def _change_page(self, address: int) -> None:
        # Only what has changed there: beside it may lie what others write meanwhile.
        differs, now = np.frombuffer(self._receive(2 * _PAGE), np.uint8).reshape(2, _PAGE)
        here = np.frombuffer((ctypes.c_char * _PAGE).from_address(address), np.uint8)
        np.copyto(here, now, where=differs.astype(bool))

    def _receive_number(self) -> int:
        return struct.unpack("=q", self._receive(8))[0]

    def _receive(self, size: int) -> bytes:
        received = b""
        while len(received) < size:
            more = self._connection.recv(size - len(received), socket.MSG_WAITALL)
            if not more:
                raise RuntimeError(f"the emulator ended with exit status {self._process.wait()}")
            received += more
        return received


class EmulatedFunction:
    """What a function of a `ctypes.CDLL` is: it has types, and is given numbers, addresses and bytes."""

    def __init__(self, library: EmulatedLibrary, name: str) -> None:
        self.library, self.name = library, name
        self.argtypes: tuple = ()
        self.restype: type | None = ctypes.c_int

    def __call__(self, *arguments: int | bytes | None) -> int | None:
        # Bytes stay where they are as long as somebody holds them.
        values = [_address(each) if isinstance(each, bytes) else int(each or 0) for each in arguments]
        result = self.library.call(self.name, values)
        return None if self.restype is None else self.restype(result).value


def _number(value: int) -> bytes:
    return struct.pack("=q", value)


def _address(data: bytes) -> int:
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0


def _take(size: int) -> int:
    """Results lie in this process's memory."""
    return _libc.aligned_alloc(64, (size + 63) // 64 * 64)


def _apart(*processes: int) -> bool:
    """Whether nothing of one process lies near something of the other; both have their stacks at the end."""
    extents: list[list[tuple[int, ...]]] = []
    for process in processes:
        lines = Path(f"/proc/{process}/maps").read_text().splitlines()
        written = [line.split()[0] for line in lines if " rw" in line and not line.endswith("[stack]")]
        extents.append([tuple(int(end, 16) for end in line.split("-")) for line in written])
    mine, theirs = extents
    return not any(
        begin < end_of_other + _APART and begin_of_other < end + _APART
        for begin, end in mine
        for begin_of_other, end_of_other in theirs
    )
