"""What the Hugging Face Hub reads of a card: YAML before its text, of task, language and scores."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from unrolled.models.cell import name_of
from unrolled.tasks.config import TaskConfig
from unrolled.tasks.evaluation import Evaluation

CLASSIFICATION: Mapping[str, str] = {
    "text": "text-classification",
    "pair": "text-classification",
    "words": "text-classification",
    "symbols": "text-classification",
    "sound": "audio-classification",
    "images": "image-classification",
    "clips": "video-classification",
    "numbers": "tabular-classification",
}
"""The Hub's name for predicting one target, by the kind of input."""


def front_matter(
    task: str, hub_task: str | None, config: TaskConfig, evaluation: Evaluation, language: str | None
) -> str:
    """The YAML, of which JSON is a part.

    Args:
        task: as ``unrolled train`` calls it.
        hub_task: as the Hub does; None where it has no name for it.
        config: the model's options.
        evaluation: its scores.
        language: of its texts, by its code; None where nobody has said.

    Example:
        >>> evaluation = Evaluation("tag", "dev", {"accuracy": 1.0}, {}, 2)
        >>> print(front_matter("tag", None, TaskConfig(), evaluation, "en"))
        ---
        library_name: "unrolled"
        language: ["en"]
        tags: ["unrolled", "recurrent-neural-network", "lstm", "tag"]
        metrics: ["accuracy"]
        model-index: [{"name": "LSTM tag", ...
        ---
    """
    cell = name_of(config.cell)
    # The Hub knows measures by names in small letters, without spaces or signs.
    scores = {name: value for name, value in evaluation.scores.items() if math.isfinite(value)}
    metrics = [{"type": _slug(name), "name": name, "value": value} for name, value in scores.items()]
    result = {
        "task": {"type": hub_task or "other", "name": task},
        "dataset": {"name": evaluation.data, "type": _slug(evaluation.data) or "data"},
        "metrics": metrics,
    }
    entries: dict[str, Any] = {
        "library_name": "unrolled",
        "pipeline_tag": hub_task,
        "language": None if language is None else [language],
        "tags": ["unrolled", "recurrent-neural-network", cell.lower(), task],
        "metrics": [each["type"] for each in metrics],
        "model-index": [{"name": f"{cell} {task}", "results": [result]}] if metrics else None,
    }
    lines = [f"{name}: {json.dumps(value)}" for name, value in entries.items() if value]
    return "\n".join(["---", *lines, "---"])


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60]
