# The guide's code prints tables as Markdown and figures as SVG: after this cell they are shown as such.
import io
import os
import sys
import tempfile
from pathlib import Path

from IPython import get_ipython
from IPython.display import HTML, Markdown, display


class Shown:
    """Holds back what a cell prints until it ends, and shows it as what it is."""

    def __init__(self):
        self.screen = None

    def begin(self, _=None):
        self.screen, sys.stdout = sys.stdout, io.StringIO()

    def end(self, _=None):
        if self.screen is None:
            return
        printed, sys.stdout, self.screen = sys.stdout.getvalue(), self.screen, None
        if printed.lstrip().startswith("<svg"):
            display(HTML(printed))
        elif printed.lstrip().startswith(("|", "- ")) or "\n|--" in printed:
            display(Markdown(printed))
        elif printed:
            print(printed, end="")


shown = Shown()
get_ipython().events.register("pre_run_cell", shown.begin)
get_ipython().events.register("post_run_cell", shown.end)
# Where the commands are, where their models go, and how wide they may print.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.environ.setdefault("GUIDE", tempfile.mkdtemp())
os.environ["COLUMNS"] = "100"
