import errno
import json
import os
import resource
import shutil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.errors import FormatVersionError, ModelFolderError, StorageError
from unrolled.saving.folder import read_folder, settle, write_folder
from unrolled.saving.run import has_checkpoint, remove_checkpoint

OLD = ({"config.json": {"size": 1}, "README.md": "old\n"}, {"model.safetensors": {"w": torch.zeros(3)}})
NEW = ({"config.json": {"size": 2}, "README.md": "néw\n"}, {"model.safetensors": {"w": torch.ones(3)}})


def sizes(folder, kind="model"):
    """The size in the configuration, and the weights: both old or both new, never mixed."""
    contents = read_folder(folder, kind=kind)
    return contents.files["config.json"]["size"], contents.tensors["model.safetensors"]["w"].tolist()


WHOLE_OLD, WHOLE_NEW = (1, [0.0] * 3), (2, [1.0] * 3)


@given(
    st.dictionaries(st.text('aä∑\n"', min_size=1), st.integers() | st.text('aä∑\n"')),
    st.lists(st.integers(0, 3), max_size=3),
    st.sampled_from([torch.float64, torch.float32, torch.bfloat16, torch.int64, torch.bool]),
)
def test_what_is_written_is_read(tmp_path_factory, values, shape, dtype):
    folder = tmp_path_factory.mktemp("home") / "model"
    tensor = torch.arange(torch.Size(shape).numel()).reshape(shape).to(dtype)
    write_folder(folder, {"a.json": values, "b.txt": str(values)}, {"t.safetensors": {"t": tensor}})
    contents = read_folder(folder)
    assert contents.files["a.json"] == values
    assert contents.files["b.txt"] == str(values)
    assert torch.equal(contents.tensors["t.safetensors"]["t"], tensor)
    assert contents.tensors["t.safetensors"]["t"].dtype == dtype


def test_tied_and_sliced_tensors_are_written(tmp_path):
    weight = torch.arange(12.0).reshape(3, 4)
    write_folder(tmp_path / "m", {}, {"t.safetensors": {"a": weight, "b": weight, "c": weight.T[1:]}})
    tensors = read_folder(tmp_path / "m").tensors["t.safetensors"]
    assert torch.equal(tensors["a"], tensors["b"])
    assert torch.equal(tensors["c"], weight.T[1:])


def test_a_folder_is_replaced_and_what_else_lies_in_it_stays(tmp_path):
    folder = tmp_path / "deep" / "model"
    write_folder(folder, *OLD)
    (folder / "report.html").write_text("report")
    (folder / "checkpoint").mkdir()
    (folder / "checkpoint" / "x").write_text("x")
    write_folder(folder, *NEW)
    assert sizes(folder) == WHOLE_NEW
    assert (folder / "report.html").read_text() == "report"
    assert (folder / "checkpoint" / "x").read_text() == "x"
    assert [entry.name for entry in folder.parent.iterdir()] == ["model"]


def test_files_that_are_no_longer_written_go(tmp_path):
    write_folder(tmp_path / "m", {"a.json": {}, "b.json": {}}, {})
    write_folder(tmp_path / "m", {"a.json": {}}, {})
    assert sorted(entry.name for entry in (tmp_path / "m").iterdir()) == ["a.json", "manifest.json"]


def test_a_file_of_the_same_name_that_was_not_written_here_is_not_replaced(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(StorageError, match=r"README\.md: already there and not written by unrolled"):
        write_folder(tmp_path, *NEW)
    assert (tmp_path / "README.md").read_text() == "mine"


def test_a_file_in_the_folders_place_is_not_replaced(tmp_path):
    (tmp_path / "model").write_text("mine")
    with pytest.raises(StorageError, match="got a file; choose another name"):
        write_folder(tmp_path / "model", *NEW)
    assert (tmp_path / "model").read_text() == "mine"


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EACCES, errno.EDQUOT])
@pytest.mark.parametrize("failing", [1, 2, 3, 4, 5])
def test_a_failing_disk_leaves_the_old_folder(tmp_path, monkeypatch, error, failing):
    folder, calls = tmp_path / "model", []
    write_folder(folder, *OLD)

    def fsync(descriptor):
        calls.append(descriptor)
        if len(calls) == failing:
            raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(
        StorageError, match=rf"{os.strerror(error)}; what was there before is untouched.*bytes"
    ):
        write_folder(folder, *NEW)
    monkeypatch.undo()
    assert sizes(folder) == WHOLE_OLD
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


def test_a_file_that_may_not_grow_leaves_the_old_folder(tmp_path):
    folder = tmp_path / "model"
    write_folder(folder, *OLD)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(StorageError, match="File too large"):
            write_folder(folder, NEW[0], {"model.safetensors": {"w": torch.ones(10_000)}})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sizes(folder) == WHOLE_OLD


class Killed(BaseException):
    """Stands for SIGKILL: once it came, nothing on the disk changes any more."""


def crash_at(monkeypatch, function, moment, before):
    """End the process, so to speak, at some call of a function of the system, before it or behind it."""
    calls, dead = 0, False

    def ending(name, real):
        def called(*arguments, **options):
            nonlocal calls, dead
            calls += name == function
            now = name == function and calls == moment
            if dead or (now and before):
                dead = True
                raise Killed
            result = real(*arguments, **options)
            if now:
                dead = True
                raise Killed
            return result

        return called

    for name in ("fsync", "rename", "rmdir", "mkdir", "unlink"):
        monkeypatch.setattr(os, name, ending(name, getattr(os, name)))


MOMENTS = [
    pytest.param(function, moment, before, id=f"{'before' if before else 'behind'} {function} {moment}")
    for function, most in (("fsync", 6), ("rename", 6), ("rmdir", 6), ("mkdir", 6), ("unlink", 9))
    for moment in range(1, most + 1)
    for before in (True, False)
]


@pytest.mark.parametrize(("function", "moment", "before"), MOMENTS)
def test_a_crash_at_any_moment_leaves_a_whole_folder(tmp_path, monkeypatch, function, moment, before):
    folder = tmp_path / "model"
    write_folder(folder, *OLD)
    (folder / "report.html").write_text("report")
    write_folder(folder / "checkpoint", *OLD, kind="checkpoint")
    crash_at(monkeypatch, function, moment, before)
    try:
        write_folder(folder, *NEW)
    except Killed:
        monkeypatch.undo()
        assert sizes(folder) in (WHOLE_OLD, WHOLE_NEW)
        assert has_checkpoint(folder)
        settle(folder)
        assert sizes(folder / "checkpoint", kind="checkpoint") == WHOLE_OLD
        write_folder(folder, *NEW)
    monkeypatch.undo()
    assert sizes(folder) == WHOLE_NEW
    assert (folder / "report.html").read_text() == "report"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*NEW[0], *NEW[1], "checkpoint", "manifest.json", "report.html"]
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(("function", "moment", "before"), MOMENTS)
def test_a_checkpoint_is_taken_away_whole(tmp_path, monkeypatch, function, moment, before):
    for name in ("checkpoint", ".checkpoint.previous"):
        write_folder(tmp_path / name, *OLD, kind="checkpoint")
    crash_at(monkeypatch, function, moment, before)
    try:
        remove_checkpoint(tmp_path)
    except Killed:
        monkeypatch.undo()
        if has_checkpoint(tmp_path):
            assert sizes(tmp_path / "checkpoint", kind="checkpoint") == WHOLE_OLD
        remove_checkpoint(tmp_path)
    monkeypatch.undo()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("call", range(3))
@pytest.mark.parametrize("before", [False, True])
def test_ctrl_c_leaves_a_checkpoint_or_nothing_of_it(tmp_path, monkeypatch, call, before):
    write_folder(tmp_path / "checkpoint", *OLD, kind="checkpoint")
    real, calls = shutil.rmtree, []

    def interrupted(path, **how):
        calls.append(path)
        if len(calls) - 1 == call:
            if not before:
                real(path, **how)
            raise KeyboardInterrupt
        real(path, **how)

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        remove_checkpoint(tmp_path)
    assert not (tmp_path / ".checkpoint.partial").exists()
    if has_checkpoint(tmp_path):
        assert sizes(tmp_path / "checkpoint", kind="checkpoint") == WHOLE_OLD


NAMES = ["config.json", "README.md", "model.safetensors"]


def read_all(folder):
    contents = read_folder(folder)
    for part in (contents.files, contents.tensors):
        for name in part:
            part[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_truncated_file_is_named(tmp_path, name):
    write_folder(tmp_path / "m", *NEW)
    file = tmp_path / "m" / name
    size = file.stat().st_size
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(ModelFolderError, match=rf"{name}: expected {size:,} bytes, got {size - 3:,}"):
        read_all(tmp_path / "m")


@pytest.mark.parametrize("name", NAMES)
def test_an_altered_file_is_named(tmp_path, name):
    write_folder(tmp_path / "m", *NEW)
    file = tmp_path / "m" / name
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelFolderError, match=rf"{name}: corrupt"):
        read_all(tmp_path / "m")


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(tmp_path, name):
    write_folder(tmp_path / "m", *NEW)
    (tmp_path / "m" / name).unlink()
    with pytest.raises(ModelFolderError, match=rf"{name}: the file is missing"):
        read_all(tmp_path / "m")


def test_a_file_that_is_not_read_may_change(tmp_path):
    write_folder(tmp_path / "m", *NEW)
    (tmp_path / "m" / "README.md").write_text("the reader's own notes")
    assert sizes(tmp_path / "m") == WHOLE_NEW


def test_a_file_that_was_never_written_is_named(tmp_path):
    write_folder(tmp_path / "m", *NEW)
    contents = read_folder(tmp_path / "m")
    assert "vocabulary.json" not in contents.files
    with pytest.raises(ModelFolderError, match=r"vocabulary\.json: expected in this folder"):
        contents.files["vocabulary.json"]


@given(st.integers(0, 200))
def test_a_truncated_manifest_is_named(tmp_path_factory, keep):
    folder = tmp_path_factory.mktemp("home") / "m"
    write_folder(folder, *NEW)
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text()[:keep])
    with pytest.raises(ModelFolderError, match=r"manifest\.json: corrupt or truncated"):
        read_folder(folder)


@pytest.mark.parametrize("content", ["[]", "{}", "null", '{"format_version": "x"}', '{"format_version": 1}'])
def test_a_manifest_of_another_form_is_named(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ModelFolderError, match=r"manifest\.json: (corrupt|expected)"):
        read_folder(tmp_path)


def test_a_newer_format_is_refused(tmp_path):
    write_folder(tmp_path / "m", *NEW)
    manifest = tmp_path / "m" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format_version": 2}))
    with pytest.raises(
        FormatVersionError, match=r"expected format version 1 or older, got 2.*upgrade unrolled"
    ):
        read_folder(tmp_path / "m")


def test_what_is_no_such_folder_is_said(tmp_path):
    with pytest.raises(ModelFolderError, match="expected a model folder, got nothing there"):
        read_folder(tmp_path / "none")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelFolderError, match="expected a model folder, got a file"):
        read_folder(tmp_path / "file")
    with pytest.raises(ModelFolderError, match=r"has no manifest\.json"):
        read_folder(tmp_path)
    write_folder(tmp_path / "c", {}, {}, kind="checkpoint")
    with pytest.raises(ModelFolderError, match="expected a model folder, got a checkpoint folder"):
        read_folder(tmp_path / "c")
