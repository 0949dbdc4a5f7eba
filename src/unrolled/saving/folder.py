"""A folder of JSON, text and safetensors that is replaced as a whole.

A manifest lists every file with its size and SHA-256, so a truncated or altered file is noticed when it
is read. The folder is first written beside its target and then swapped in by renaming:

    .NAME.partial     being written; a crash leaves it behind, the next write removes it
    NAME              the folder
    .NAME.previous    the folder before, between the two renames of the swap

A crash at any moment leaves NAME or, between the two renames, `.NAME.previous` whole; `read_folder` reads
either.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import safetensors
from pydantic import Field, with_config
from typing_extensions import TypedDict

from unrolled.errors import FormatVersionError, ModelFolderError, StorageError, UnrolledError
from unrolled.saving.files import MANIFEST, as_bytes, beside
from unrolled.saving.hub import fetched, is_on_hub
from unrolled.saving.schema import ENTRIES, Count, conforming, shown

if TYPE_CHECKING:
    import torch

FORMAT_VERSION = 1
_AGAIN = "copy the whole folder again, or train again"
_TENSORS = ".safetensors"
_MOST = 2**24
"""Bytes of a manifest, which lists some dozen files."""
_Listed = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Contents:
    """An opened folder; a file is read, and checked against the manifest, when it is asked for.

    Attributes:
        path: where the folder lies.
        kind: what it holds, as given to `write_folder`.
        files: the value in each JSON file and the text of each other one, by file name.
        tensors: the tensors in each safetensors file, on the CPU, by file name.
    """

    path: Path
    kind: str
    files: Mapping[str, Any]
    tensors: Mapping[str, Mapping[str, torch.Tensor]]

    def conforming(self, name: str, schema: Any) -> Any:
        """What a JSON file holds, once every entry is as its schema says; see `unrolled.saving.schema`.

        Raises:
            ModelFolderError: it is not, or the file cannot be read.
        """
        return conforming(self.path / name, self.files[name], schema)


@with_config(ENTRIES)
class _ManifestRow(TypedDict):
    size: Annotated[int, Field(ge=0, lt=2**63)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@with_config(ENTRIES)
class _Manifest(TypedDict):
    format_version: Count
    kind: str
    files: dict[str, _ManifestRow]


class _Checked(Mapping[str, Any]):
    """The files that a manifest lists; each is decoded at access.

    Raises:
        ModelFolderError: at access, when a file is not listed, missing, truncated or altered.
    """

    def __init__(
        self, folder: Path, listed: Mapping[str, _Listed], decode: Callable[[str, bytes], Any]
    ) -> None:
        self._folder = folder
        self._listed = listed
        self._decode = decode

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)

    def __contains__(self, name: object) -> bool:
        return name in self._listed

    def __getitem__(self, name: str) -> Any:
        file = self._folder / name
        if name not in self._listed:
            raise ModelFolderError(
                f"{file}: expected in this folder, but its {MANIFEST} lists no such file; {_AGAIN}."
            )
        size, digest = self._listed[name]
        data = _read(file, size)
        if hashlib.sha256(data).hexdigest() != digest:
            raise ModelFolderError(f"{file}: corrupt, its SHA-256 is not the one recorded; {_AGAIN}.")
        try:
            return self._decode(name, data)
        except (ValueError, RecursionError, safetensors.SafetensorError) as error:
            raise ModelFolderError(f"{file}: cannot be decoded: {shown(str(error))}; {_AGAIN}.") from error


def _read(file: Path, size: int) -> bytes:
    """The bytes of a listed file, of which there are as many as the manifest says before any is read."""
    try:
        found = file.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise ModelFolderError(
                f"{file}: expected a file, got a link or something else, which might lead anywhere; {_AGAIN}."
            )
        if found.st_size != size:
            raise ModelFolderError(
                f"{file}: expected {size:,} bytes, got {found.st_size:,}: truncated or changed; {_AGAIN}."
            )
        return file.read_bytes()
    except MemoryError:
        raise ModelFolderError(f"{file}: {size:,} bytes are more than there is memory for.") from None
    except FileNotFoundError:
        raise ModelFolderError(f"{file}: the file is missing; {_AGAIN}.") from None
    except OSError as error:
        raise ModelFolderError(f"{file}: cannot be read: {error.strerror}.") from error


def _decode_file(name: str, data: bytes) -> Any:
    return json.loads(data) if name.endswith(".json") else data.decode("utf-8")


def _decode_tensors(_: str, data: bytes) -> dict[str, torch.Tensor]:
    import safetensors.torch  # and torch, which a command that only looks for a folder does not wait for

    return safetensors.torch.load(data)


def write_folder(
    path: str | Path,
    files: Mapping[str, str | Mapping[str, Any]],
    tensors: Mapping[str, Mapping[str, torch.Tensor]],
    *,
    kind: str = "model",
) -> None:
    """Write a folder whole, or leave what was there untouched.

    What else lies in an existing folder (a report, a run's checkpoint) stays in it.

    Args:
        path: the folder, made with its parents.
        files: text or a JSON object by file name, such as `config.json`.
        tensors: named tensors by file name, each ending in `.safetensors`; tied tensors are written twice.
        kind: what the folder holds, checked again by `read_folder`.

    Raises:
        StorageError: the disk is full or may not be written, or a file of one of these names is there
            that this function did not write.

    Example:
        >>> import tempfile
        >>> import torch
        >>> with tempfile.TemporaryDirectory() as home:
        ...     tensors = {"w.safetensors": {"w": torch.ones(2)}}
        ...     write_folder(f"{home}/m", {"config.json": {"size": 3}}, tensors)
        ...     contents = read_folder(f"{home}/m")
        ...     contents.files["config.json"], contents.tensors["w.safetensors"]["w"].tolist()
        ({'size': 3}, [1.0, 1.0])
    """
    target = _resolved(path, StorageError)
    partial, previous = beside(target, "partial"), beside(target, "previous")
    data = {name: _encode(content) for name, content in files.items()}
    data |= {name: _encode_tensors(content) for name, content in tensors.items()}
    listed = {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in data.items()
    }
    manifest = {"format_version": FORMAT_VERSION, "kind": kind, "files": listed}
    data[MANIFEST] = _encode(manifest)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _settle(previous, target)
        _refuse_foreign(target, data)
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir()
        for name, content in data.items():
            _write_file(partial / name, content)
        _sync(partial)
        if target.exists():
            target.rename(previous)
        partial.rename(target)
        _sync(target.parent)
        _settle(previous, target)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if previous.exists() and not target.exists():
            previous.rename(target)
        if not isinstance(error, OSError):  # Ctrl-C, say
            raise
        need = sum(map(len, data.values()))
        raise StorageError(
            f"{target}: could not be written: {error.strerror or error}; what was there before is untouched. "
            f"{need:,} bytes are needed: free some space, or choose another folder."
        ) from error


def settle(path: str | Path) -> None:
    """Finish the write of a folder that was cut short between its two renames, or behind them.

    Nobody else may write there meanwhile.

    Raises:
        StorageError: nothing can be written there.
    """
    target = _resolved(path, StorageError)
    try:
        _settle(beside(target, "previous"), target)
    except OSError as error:
        raise StorageError(f"{target}: could not be written: {error.strerror or error}.") from error


def read_folder(path: str | Path, *, kind: str = "model") -> Contents:
    """Open a folder written by `write_folder`.

    Args:
        path: the folder.
        kind: what it must hold.

    Raises:
        ModelFolderError: there is no such folder, it is of another kind, or its manifest is missing or
            corrupt.
        FormatVersionError: a newer release wrote it.
    """
    folder = (
        fetched(path, MANIFEST, lambda kept: list(_listed(path, kept, kind)))
        if is_on_hub(path)
        else _resolved(path, ModelFolderError)
    )
    if not folder.exists() and beside(folder, "previous").is_dir():
        folder = beside(folder, "previous")
    if not folder.is_dir():
        came = "a file" if folder.exists() else "nothing there"
        raise ModelFolderError(f"{path}: expected a {kind} folder, got {came}.")
    listed = _listed(path, folder, kind)
    tensors = {name: row for name, row in listed.items() if name.endswith(_TENSORS)}
    files = {name: row for name, row in listed.items() if name not in tensors}
    return Contents(
        folder, kind, _Checked(folder, files, _decode_file), _Checked(folder, tensors, _decode_tensors)
    )


def _listed(path: str | Path, folder: Path, kind: str) -> dict[str, _Listed]:
    """The files that a folder's manifest lists.

    Args:
        path: the folder as it was named.
        folder: where it is.
        kind: what it must hold.

    Raises:
        ModelFolderError: the manifest is missing, corrupt, lists what is no file of the folder, or is of
            another kind.
        FormatVersionError: a newer release wrote it.
    """
    file = folder / MANIFEST
    try:
        size = file.stat().st_size
    except FileNotFoundError:
        raise ModelFolderError(
            f"{path}: expected a {kind} folder, but it has no {MANIFEST}; it was not written by unrolled, or "
            "is incomplete."
        ) from None
    except OSError as error:
        raise ModelFolderError(f"{file}: cannot be read: {error.strerror}.") from error
    if size > _MOST:
        raise ModelFolderError(f"{file}: expected at most {_MOST:,} bytes, got {size:,}; {_AGAIN}.")
    try:
        content = json.loads(_read(file, size))
    except (ValueError, RecursionError) as error:
        raise ModelFolderError(f"{file}: corrupt or truncated; {_AGAIN}.") from error
    version = content.get("format_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise FormatVersionError(
            f"{file}: expected format version {FORMAT_VERSION} or older, got {version}: a newer release "
            "wrote this folder; upgrade unrolled to read it."
        )
    manifest = conforming(file, content, _Manifest)
    found = manifest["kind"]
    listed = {name: (row["size"], row["sha256"]) for name, row in manifest["files"].items()}
    outside = [name for name in listed if name != Path(name).name or name in ("", ".", "..")]
    if outside:
        raise ModelFolderError(f"{file}: expected names of files in the folder, got {outside[0]!a:.60}.")
    if found != kind:
        raise ModelFolderError(f"{path}: expected a {kind} folder, got a {shown(found)} folder.")
    return listed


def _resolved(path: str | Path, error: type[UnrolledError]) -> Path:
    """Where a path leads.

    Raises:
        UnrolledError: of the given kind: it leads round in a circle, or is no name that the system takes.
    """
    try:
        found = Path(path).expanduser().resolve()
        found.exists()
    except (OSError, ValueError, RuntimeError) as cause:
        said = getattr(cause, "strerror", None) or str(cause)
        raise error(f"{shown(str(path))}: expected the path of a folder, but {said}.") from cause
    return found


@contextmanager
def content_fits(path: str | Path) -> Iterator[None]:
    """Inside the `with` an object is built of a folder's content, which may not be what the code expects.

    A folder can be whole, each file as its manifest says, and yet be of another state of the code.

    Raises:
        ModelFolderError: instead of what building raised: an entry is missing, a shape is wrong.

    Example:
        >>> with content_fits("my-model"):
        ...     {"cells": 3}["cell"]
        Traceback (most recent call last):
        unrolled.errors.ModelFolderError: my-model: whole, but not what this release reads: it lacks 'cell'...
    """
    try:
        yield
    except ModelFolderError:
        raise
    except (
        *(UnrolledError, LookupError, TypeError, ValueError, RuntimeError, AttributeError),
        *(ArithmeticError, RecursionError),
    ) as error:
        said = f"it lacks {error}" if isinstance(error, KeyError) else shown(str(error))
        raise ModelFolderError(
            f"{path}: whole, but not what this release reads: {said.rstrip('.')}; "
            "use the release that wrote it, or train again."
        ) from error


def _encode(content: str | Mapping[str, Any]) -> bytes:
    if isinstance(content, str):
        return as_bytes(content)
    return as_bytes(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _encode_tensors(tensors: Mapping[str, torch.Tensor]) -> bytes:
    import safetensors.torch

    # safetensors refuses tensors that share memory, as tied weights do: each gets memory of its own.
    return safetensors.torch.save(
        {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
    )


def _write_file(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    """Make the names in a folder durable; Windows, where folders cannot be opened, does it itself."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _own_names(folder: Path) -> set[str]:
    """Names in a folder that `write_folder` put there; none when the manifest cannot be read."""
    try:
        return {MANIFEST, *json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _refuse_foreign(target: Path, data: Mapping[str, bytes]) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise StorageError(f"{target}: expected a folder or a free name, got a file; choose another name.")
    own = _own_names(target)
    for name in data:
        if name not in own and (target / name).exists():
            raise StorageError(
                f"{target / name}: already there and not written by unrolled, so it is not replaced; "
                "remove it, or choose another folder."
            )


def _settle(previous: Path, target: Path) -> None:
    """Finish a swap: what the old folder held beside its own files moves over, the rest goes.

    Also run before a write, for a swap that a crash cut short.
    """
    if not previous.exists():
        return
    if not target.exists():
        previous.rename(target)
        return
    own = _own_names(previous)
    for entry in list(previous.iterdir()):
        if entry.name not in own and not (target / entry.name).exists():
            entry.rename(target / entry.name)
    # The manifest goes last: it says which files were the folder's own, should this be cut short again.
    for name in own - {MANIFEST}:
        (previous / name).unlink(missing_ok=True)
    shutil.rmtree(previous)
