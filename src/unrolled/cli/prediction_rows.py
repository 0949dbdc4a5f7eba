"""Predictions as rows: what was asked, what the model says of it, and how sure it is."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.cli.output import finite
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.base import Estimator
    from unrolled.tasks.prediction import Answer, Prediction

ROW_FILES = (".csv", ".tsv", ".parquet", ".jsonl", ".conll", ".conllu")
"""Endings of the files that hold rows rather than a line a prediction."""


def rows(answers: Iterable[Answer], *, probabilities: bool, top: int | None) -> Iterator[dict[str, Any]]:
    """A row for each answer: ``id``, ``input``, ``prediction`` and ``probability``, as far as there are some.

    What a model says as values by name, such as a step of a forecast, is a row as it is.

    Args:
        answers: in their order.
        probabilities: whether those of every class are wanted too.
        top: how many of the most probable classes are wanted.

    Raises:
        ConfigError: the model gives no probabilities.
    """
    for number, answer in enumerate(answers, start=1):
        made = answer.prediction
        if (probabilities or top) and made.probabilities is None:
            flag = "--probabilities" if probabilities else "--top"
            raise ConfigError(f"{flag}: expected a model that gives probabilities of classes; leave it out")
        if isinstance(made.value, Mapping):
            yield dict(made.value)
            continue
        # What comes line by line is asked for one by one.
        row: dict[str, Any] = {}
        if answer.id is not None:
            row["id"] = answer.id if isinstance(answer.id, str) else number
        if answer.given is not None:
            row["input"] = answer.given
        row["prediction"] = finite(made.to_json()["value"])
        chance = _chance(made)
        if chance is not None:
            row["probability"] = chance
        if probabilities:
            row["probabilities"] = made.to_json()["probabilities"]
        if top:
            row["top"] = _best(made, top)
        yield row


def flat_lines(made: Iterable[Mapping[str, Any]], between: str, delimiter: str = ",") -> Iterator[str]:
    """Rows as lines of separated values, their names first; lists of texts with something between them."""
    for number, row in enumerate(_flat(each, between) for each in made):
        if number == 0:
            yield separated(row, delimiter)
        yield separated(row.values(), delimiter)


def row_file(path: Path, made: Iterable[Mapping[str, Any]], estimator: Estimator) -> str | bytes:
    """What a file of rows holds, in the form that its ending says.

    Raises:
        ConfigError: it is for tags of words, and this model gives others.
    """
    suffix = path.suffix.lower()
    if suffix == ".jsonl":
        return "".join(f"{json.dumps(_alone(row), ensure_ascii=False, default=str)}\n" for row in made)
    if suffix == ".parquet":
        import pandas as pd

        buffer = io.BytesIO()
        pd.DataFrame([_flat(row) for row in made]).to_parquet(buffer, index=False)
        return buffer.getvalue()
    if suffix in (".conll", ".conllu"):
        return "".join(_sentence(row, suffix, estimator) for row in made)
    delimiter = "\t" if suffix == ".tsv" else ","
    return "".join(f"{line}\n" for line in flat_lines(made, estimator.between, delimiter))


def _alone(row: Mapping[str, Any]) -> Any:
    """What there is but one of, such as a piece of music: it is an input again."""
    return row["prediction"] if row.keys() == {"prediction"} else row


def _chance(made: Prediction) -> float | None:
    if made.log_probability is not None:
        return exp(made.log_probability)
    return None if made.probabilities is None else float(made.probabilities.max())


def _best(made: Prediction, top: int) -> list[dict[str, Any]]:
    assert made.probabilities is not None
    order = made.probabilities.argsort(kind="stable")[::-1][:top]
    pairs = [(made.classes[at], float(made.probabilities[at])) for at in order.tolist()]
    return [{"prediction": label, "probability": chance} for label, chance in pairs]


def _flat(row: Mapping[str, Any], between: str | None = None) -> dict[str, Any]:
    """A row with a cell for each class, and lists of words as texts where something is to be between them."""
    cells: dict[str, Any] = {}
    for name, value in row.items():
        if name == "probabilities":
            cells |= {f"probability of {label}": chance for label, chance in value.items()}
        elif name == "top":
            for place, each in enumerate(value, start=1):
                cells |= {f"{key} {place}": part for key, part in each.items()}
        elif between is not None and isinstance(value, list | tuple):
            texts = all(isinstance(part, str) for part in value)
            joint = between if name == "prediction" else " "
            cells[name] = joint.join(value) if texts else json.dumps(finite(value))
        else:
            cells[name] = value
    return cells


def separated(cells: Iterable[Any], delimiter: str = ",") -> str:
    r"""A line of separated values, without its end; cells with line breaks are quoted.

    Example:
        >>> separated(["a", "b, c", "two\nlines"])
        'a,"b, c","two\nlines"'
    """
    buffer, end = io.StringIO(), "\r\n"
    # Only characters of the line's end are quoted in a cell.
    csv.writer(buffer, delimiter=delimiter, lineterminator=end).writerow(cells)
    return buffer.getvalue().removesuffix(end)


def _sentence(row: Mapping[str, Any], suffix: str, estimator: Estimator) -> str:
    words: Any = row.get("input")
    tags: Any = row.get("prediction")
    if not _are_texts(words) or not isinstance(tags, list) or len(words) != len(tags):
        raise ConfigError(
            f"-o: expected a model that tags words for a {suffix} file, got one of the task "
            f"{estimator.task!r} that gives others; choose .jsonl or .csv"
        )
    if suffix == ".conll":
        return "".join(f"{word}\t{tag}\n" for word, tag in zip(words, tags, strict=True)) + "\n"
    lines = [f"# sent_id = {row['id']}"] if "id" in row else []
    lines.append(f"# text = {' '.join(words)}")
    for number, (word, tag) in enumerate(zip(words, tags, strict=True), start=1):
        lines.append("\t".join([str(number), word, "_", str(tag), *["_"] * 6]))
    return "\n".join(lines) + "\n\n"


def _are_texts(words: Any) -> bool:
    return isinstance(words, list) and all(isinstance(word, str) for word in words)
