"""The card of a saved model: what it is, how good it is, how to use it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from unrolled.errors import readable
from unrolled.models.cell import name_of
from unrolled.tasks.config import TaskConfig
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.metrics import heading

_MARKS = re.compile(r"[\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_])|^(?:[#+=-]|\d+(?=[.)]))")
"""What Markdown takes for more than what it is: anywhere, at the edge of a word, first in a line."""


def model_card(
    task: str, config: TaskConfig, notices: Sequence[str], evaluation: Evaluation, front: str
) -> str:
    """The text of the model folder's ``README.md``, after what the Hub reads of it."""
    parts = [
        front,
        f"# A model of the task `{task}`",
        f"A recurrent network ({_plain(describe_network(config))}), trained with `unrolled`.",
        _scores(evaluation),
        "## Use\n\n"
        "```shell\nunrolled predict THIS_FOLDER DATA\nunrolled evaluate THIS_FOLDER DATA\n```\n\n"
        '```python\nimport unrolled\n\nmodel = unrolled.load("THIS_FOLDER")\nmodel.predict(data)\n```',
        "## How it came about\n\n" + "\n".join(f"- {_plain(notice)}" for notice in notices)
        if notices
        else "",
        "All options are in `config.json`, the losses and scores of every epoch in `history.json`.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, for names of columns and labels come from anybody's data."""
    return _MARKS.sub(_marked, escape(readable(" ".join(text.split())), quote=False))


def _marked(found: re.Match[str]) -> str:
    text = found[0]
    # A number that would begin a list: its last digit cannot be escaped, what follows it can.
    return f"{text}\\" if text[0].isdigit() else f"\\{text}"


def describe_network(config: TaskConfig) -> str:
    """The recurrent layers in a few words.

    Example:
        >>> describe_network(TaskConfig(cell="gru", num_layers=2))
        'GRU, 2 layers of 128 units, one direction'
    """
    widths = (
        config.hidden_size if isinstance(config.hidden_size, int) else "-".join(map(str, config.hidden_size))
    )
    direction = "both directions" if config.bidirectional else "one direction"
    layers = "1 layer" if config.num_layers == 1 else f"{config.num_layers} layers"
    return f"{name_of(config.cell)}, {layers} of {widths} units, {direction}"


def _scores(evaluation: Evaluation) -> str:
    names = list(evaluation.scores)
    rows = [
        f"| {_plain(name)} | "
        + " | ".join("-" if row[score] is None else f"{row[score]:.4f}" for score in names)
        + " |"
        for name, row in evaluation.rows()
    ]
    groups = [
        f"\n{_plain(title.capitalize())}: "
        + ", ".join(f"{_plain(part)}: {value:.4f}" for part, value in parts.items())
        + "."
        for title, parts in evaluation.groups.items()
    ]
    return "\n".join(
        [
            "## Scores",
            "",
            f"On {_plain(evaluation.data)} ({evaluation.count} {evaluation.unit}):",
            "",
            "| | " + " | ".join(map(heading, names)) + " |",
            "|---|" + "---:|" * len(names),
            *rows,
            *groups,
        ]
    )
