"""What holds for every test."""

from pathlib import Path

from hypothesis import settings

from unrolled.ops import native

# The same examples in every run, and no limit on the time of one: a busy machine must not fail a test.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")


def pytest_addoption(parser):
    parser.addoption("--native", type=Path, help="folder of compiled recurrences in place of those installed")


def pytest_configure(config):
    """Runs in every worker too, each of which is a Python of its own."""
    if folder := config.getoption("native"):
        native.__path__.insert(0, str(folder))
        from unrolled.ops.native import library  # not imported with its package

        assert library.library().path.parent == folder, f"{folder} has no library for this processor"
