"""``python -m unrolled``: the command line, also for launchers of several processes, which run modules."""

from unrolled.cli.main import main

if __name__ == "__main__":
    main()
