"""What holds for every test."""

from functools import cache, partial
from pathlib import Path

from hypothesis import settings

from tests.emulated.library import EmulatedLibrary
from unrolled.ops import native

# The same examples in every run, and no limit on the time of one: a busy machine must not fail a test.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")


def pytest_addoption(parser):
    parser.addoption("--native", type=Path, help="folder of compiled recurrences in place of those installed")
    parser.addoption(
        "--emulator", help="command that runs programs of the processor they were built for, if not here"
    )


def pytest_configure(config):
    """Runs in every worker too, each of which is a Python of its own."""
    if folder := config.getoption("native"):
        native.__path__.insert(0, str(folder))
        from unrolled.ops.native import library  # not imported with its package

        if emulator := config.getoption("emulator"):
            library.open_library = cache(partial(EmulatedLibrary, emulator=emulator))
        assert library.library().path.parent == folder, f"{folder} has no library for this processor"
