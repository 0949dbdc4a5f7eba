"""What of the package is left alone where doctests are looked for."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("sktime") else ["unrolled/tasks/sktime.py"]
