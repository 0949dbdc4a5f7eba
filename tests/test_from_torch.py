"""The page for who comes from torch.nn: its program runs."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs/from-torch.md"


def test_the_pages_program_runs():
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(compile(program, str(PAGE), "exec"), {})
