"""``python -m unrolled`` and the command ``unrolled``; launchers of several processes run modules."""

import _thread
import sys
import time
from typing import Any


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly even while it is being imported."""
    sys.unraisablehook = _unraised
    try:
        from unrolled.cli.main import main as run

        run()
    except KeyboardInterrupt:
        print("Interrupted; nothing was saved.", file=sys.stderr)
        sys.exit(130)


def _unraised(found: Any) -> None:
    """Say what a finalizer raised; Ctrl-C that came within one, where it would be lost, comes again."""
    if issubclass(found.exc_type, KeyboardInterrupt):
        _thread.start_new_thread(_interrupt, ())
    else:
        sys.__unraisablehook__(found)


def _interrupt() -> None:
    time.sleep(0.01)  # until this finalizer is left
    _thread.interrupt_main()


if __name__ == "__main__":
    main()
