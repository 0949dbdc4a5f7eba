"""One run at a time into a folder."""

import os
import signal
import subprocess
import sys

import pytest

from unrolled.errors import ConfigError
from unrolled.saving.lock import only_run
from unrolled.saving.run import has_checkpoint, holds_others

HOLD = """
import sys, time
from unrolled.saving.lock import only_run
with only_run(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_is_told_of_the_first_and_nothing_is_left(tmp_path):
    with only_run(tmp_path / "run"):
        with (
            pytest.raises(ConfigError, match=f"one does .process {os.getpid()} on "),
            only_run(tmp_path / "run"),
        ):
            pass
        with only_run(tmp_path / "other"):
            pass
    assert list(tmp_path.iterdir()) == []
    with only_run(tmp_path / "run"):
        pass


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path):
    held = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "run"], stdout=subprocess.PIPE, text=True)
    assert held.stdout is not None
    assert held.stdout.readline() == "held\n"
    with pytest.raises(ConfigError, match=str(held.pid)), only_run(tmp_path / "run"):
        pass
    held.send_signal(signal.SIGKILL)
    held.communicate()
    assert (tmp_path / ".run.lock").exists()
    with only_run(tmp_path / "run"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_which_the_first_write_was_cut_short_is_as_if_empty(tmp_path):
    (tmp_path / ".checkpoint.partial").mkdir()
    assert not holds_others(tmp_path)
    assert not has_checkpoint(tmp_path)
    (tmp_path / "thesis.txt").touch()
    assert holds_others(tmp_path)


def test_the_checkpoint_before_is_one_where_the_next_was_not_yet_in_its_place(tmp_path):
    (tmp_path / ".checkpoint.previous").mkdir()
    assert has_checkpoint(tmp_path)
    assert not holds_others(tmp_path)
