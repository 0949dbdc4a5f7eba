"""``python -m unrolled`` and the command ``unrolled``; launchers of several processes run modules."""

import _thread
import atexit
import signal
import sys
import time
from types import FrameType
from typing import Any

_IMPORT = "<frozen importlib._bootstrap>"


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly even while it is being imported."""
    sys.unraisablehook = _unraised
    # In the background it is ignored, and stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
        # While Python takes itself down there is nothing left to interrupt, and it would end by the signal.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    try:
        from unrolled.cli.main import main as run

        run()
    except KeyboardInterrupt:
        print("Interrupted; nothing was saved.", file=sys.stderr)
        sys.exit(130)


def _interrupted(_: int, frame: FrameType | None) -> None:
    """Interrupt, but not within an import: code in C takes that for another error, and goes on with half."""
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT:
            _thread.start_new_thread(_interrupt, ())
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def _unraised(found: Any) -> None:
    """Say what a finalizer raised; Ctrl-C that came within one, where it would be lost, comes again."""
    if issubclass(found.exc_type, KeyboardInterrupt):
        _thread.start_new_thread(_interrupt, ())
    else:
        sys.__unraisablehook__(found)


def _interrupt() -> None:
    time.sleep(0.01)  # until this finalizer, or import, is left
    _thread.interrupt_main()


if __name__ == "__main__":
    main()
