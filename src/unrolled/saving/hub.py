"""Model folders on the Hugging Face Hub: ``hf://user/name`` is one, and a folder becomes one.

What is had from there goes through the same gate as any folder: the manifest is read first, and of the files
that it lists none is anything but JSON, text or safetensors. Nothing that comes from there is run.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from unrolled.errors import ConfigError, ModelFolderError, StorageError
from unrolled.saving.schema import shown

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Result = TypeVar("Result")

_PLACE = re.compile(r"hf:/{1,2}(?P<repository>\w[\w.-]*/\w[\w.-]*)(@(?P<revision>[\w./-]+))?/?", re.ASCII)
"""As it is written, and as a path makes of it, which takes two slashes for one."""
_BEGINNING = re.compile(r"hf:/")
_READ = (".json", ".md", ".safetensors")
"""The endings of the files of a model folder."""


def is_on_hub(path: str | Path) -> bool:
    """Whether a path is that of a repository on the Hub.

    Example:
        >>> is_on_hub("hf://user/name"), is_on_hub("models/name")
        (True, False)
    """
    return _BEGINNING.match(str(path)) is not None


def fetched(place: str | Path, manifest: str, listed: Callable[[Path], list[str]]) -> Path:
    """The folder of a repository's files, downloaded where they are not in the Hub's cache yet.

    Offline (``HF_HUB_OFFLINE=1``, or without a network) it is what the cache has.

    Args:
        place: ``hf://user/name``, or ``hf://user/name@revision``.
        manifest: the file that lists the others.
        listed: the names of the files in a folder that holds the manifest.

    Raises:
        ModelFolderError: there is no such repository, or it cannot be had, or it is no model folder.
    """
    repository, revision = _parts(place, ModelFolderError)
    place = f"hf://{repository}" + (f"@{revision}" if revision else "")  # a path has one slash
    from huggingface_hub import hf_hub_download

    def had(name: str, commit: str | None) -> Path:
        return Path(
            _asked(place, ModelFolderError, lambda: hf_hub_download(repository, name, revision=commit))
        )

    first = had(manifest, revision)
    # The cache has a folder for each commit, whose entries are links, which lead to files by their content.
    commit, kept = first.parent.name, first.parents[2] / "unrolled" / first.parent.name
    _place(first, kept / manifest)
    for name in listed(kept):
        if not name.endswith(_READ):
            raise ModelFolderError(f"{place}: expected JSON, text and safetensors alone, got {name!a:.60}.")
        if not (kept / name).is_file():
            _place(had(name, commit), kept / name)
    return kept


def push(folder: Path, place: str, *, private: bool, message: str) -> str:
    """Put the files of a folder into a repository, which is made where there is none.

    Args:
        folder: what is pushed, whole.
        place: ``user/name``, or ``hf://user/name``.
        private: whether a new repository is seen by its owner alone.
        message: what the commit says.

    Returns:
        The repository's address.

    Raises:
        ConfigError: it is no name of a repository.
        StorageError: the Hub does not take it, or cannot be reached.
    """
    repository, revision = _parts(place if is_on_hub(place) else f"hf://{place}", ConfigError)
    from huggingface_hub import HfApi

    api = HfApi(library_name="unrolled")
    return _asked(place, StorageError, lambda: _pushed(api, folder, repository, revision, private, message))


def _pushed(
    api: HfApi, folder: Path, repository: str, revision: str | None, private: bool, message: str
) -> str:
    from huggingface_hub import CommitOperationAdd

    made = api.create_repo(repository, private=private, exist_ok=True)
    files = [CommitOperationAdd(file.name, file) for file in sorted(folder.iterdir())]
    api.create_commit(made.repo_id, files, commit_message=message, revision=revision)
    return str(made)


def _parts(place: str | Path, error: type[ModelFolderError | ConfigError]) -> tuple[str, str | None]:
    found = _PLACE.fullmatch(str(place))
    if found is None:
        raise error(
            f"{shown(str(place))}: expected a model of the Hub as hf://user/name or hf://user/name@revision"
        )
    return found["repository"], found["revision"]


def _asked(
    place: str | Path, error: type[ModelFolderError | StorageError], ask: Callable[[], Result]
) -> Result:
    """What the Hub answers.

    Raises:
        UnrolledError: of the given kind: it refuses, or cannot be reached.
    """
    try:
        return ask()
    except Exception as cause:  # those of its HTTP client too, which are another library's
        raise error(f"{place}: the Hub did not do it: {shown(str(cause)) or type(cause).__name__}") from cause


def _place(file: Path, target: Path) -> None:
    """Put a file of the cache beside the others, without a copy where that is possible.

    Raises:
        StorageError: the cache cannot be written.
    """
    if target.is_file():
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):
            os.link(file.resolve(), target)
            return
        partial = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copyfile(file, partial)
        partial.replace(target)
    except OSError as error:
        raise StorageError(f"{target}: could not be written: {error.strerror or error}.") from error
