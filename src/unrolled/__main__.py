"""``python -m unrolled`` and the command ``unrolled``; launchers of several processes run modules."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly even while it is being imported."""
    try:
        from unrolled.cli.main import main as run

        run()
    except KeyboardInterrupt:
        print("Interrupted; nothing was saved.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
