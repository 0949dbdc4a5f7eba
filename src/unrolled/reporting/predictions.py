"""Examples of predictions: series are drawn, tags stand under their words, all else is a row of a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unrolled.reporting.figure import MODEL, REFERENCE, WHOLE, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STEPS = 60
"""Steps of a sequence that stand over their tags at most."""
_CHARACTERS = 600
"""Characters of a cell at most, whatever ran on and on."""
_REPEATED = re.compile(r"(.{1,40}?)\1{5,}", re.DOTALL)
_KEPT = 2


@dataclass(frozen=True, slots=True)
class Aligned:
    """A sequence with what belongs to each of its steps beneath.

    Attributes:
        rows: a name and a cell for each step, the input first.
        wrong: for each step whether what was predicted is not what was expected.
        more: the steps that are not shown.
    """

    rows: Sequence[tuple[str, Sequence[str]]]
    wrong: Sequence[bool]
    more: int


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a page shows of them.

    Attributes:
        figures: captions and drawings.
        aligned: sequences with a prediction a step.
        columns: the table's columns.
        rows: the table's cells, as text.
    """

    figures: Sequence[tuple[str, str]]
    aligned: Sequence[Aligned]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def predictions(examples: Sequence[Mapping[str, Any]]) -> Predictions:
    """Sorts an evaluation's examples into figures, aligned sequences and rows.

    Example:
        >>> predictions([{"text": "good", "predicted": "positive"}]).rows
        [['good', 'positive']]
    """
    series = [example for example in examples if _is_series(example)]
    aligned = [example for example in examples if _is_aligned(example)]
    others = [example for example in examples if example not in series and example not in aligned]
    columns = list(
        dict.fromkeys(name for example in others for name, value in example.items() if value != "")
    )
    return Predictions(
        [_drawn(example, number) for number, example in enumerate(series)],
        [_aligned(example) for example in aligned],
        columns,
        [[_text(example.get(name, "")) for name in columns] for example in others],
    )


def shortened(text: str) -> str:
    """A text that ran away, cut to what can be read: repetitions counted, and no more than some lines.

    Example:
        >>> shortened("no " + "and on " * 50)
        'no and on and on… (50 times)'
    """

    def counted(found: re.Match[str]) -> str:
        unit, times = found[1], len(found[0]) // len(found[1])
        return unit * _KEPT + f"… ({times} times)"

    # What is far too long is cut first: looking for repetitions takes its time.
    cut = _REPEATED.sub(counted, text[: 20 * _CHARACTERS]).rstrip()
    if len(cut) <= _CHARACTERS and len(text) <= 20 * _CHARACTERS:
        return cut
    return f"{cut[:_CHARACTERS]}… ({len(text):,} characters)"


def _is_series(example: Mapping[str, Any]) -> bool:
    return all(isinstance(example.get(name), list) for name in ("time", "actual", "forecast"))


def _is_aligned(example: Mapping[str, Any]) -> bool:
    parts = [example.get(name) for name in ("input", "expected", "predicted")]
    return all(isinstance(part, list | tuple) for part in parts) and len({len(part) for part in parts}) == 1  # type: ignore[arg-type]


def _aligned(example: Mapping[str, Any]) -> Aligned:
    steps = len(example["input"])
    rows = [
        (name, [_text(cell) for cell in example[name][:_STEPS]])
        for name in ("input", "expected", "predicted")
    ]
    pairs = zip(example["expected"], example["predicted"], strict=True)
    return Aligned(rows, [wanted != got for wanted, got in pairs][:_STEPS], max(0, steps - _STEPS))


def _drawn(example: Mapping[str, Any], number: int) -> tuple[str, str]:
    """The forecast of one series over its actual course, between its history and its future."""
    name = str(example.get("series", "series"))
    history = example.get("history") or {"time": [], "actual": []}
    future = example.get("future") or {"time": [], "forecast": []}
    before, steps, after = len(history["time"]), len(example["time"]), len(future["time"])
    times = [*history["time"], *example["time"], *future["time"]]
    known = [*_numbers(history["actual"]), *_numbers(example["actual"])]

    def band(axes: Axes, part: Mapping[str, Any], start: int, label: str | None) -> None:
        if "lower" in part and "upper" in part:
            at = range(start, start + len(part["lower"]))
            low, high = _numbers(part["lower"]), _numbers(part["upper"])
            axes.fill_between(at, low, high, color=MODEL, alpha=0.2, lw=0, label=label)

    def draw(axes: Axes) -> None:
        band(axes, example, before, f"band: {example.get('band', 'lowest to highest quantile')}")
        band(axes, future, before + steps, None)
        axes.plot(range(before + steps), known, color=REFERENCE, lw=1.1, label="actual")
        at = range(before, before + steps)
        axes.plot(at, _numbers(example["forecast"]), color=MODEL, lw=1.1, label="forecast")
        if after:
            at = range(before + steps, before + steps + after)
            marker = "o" if after == 1 else None
            axes.plot(
                at, _numbers(future["forecast"]), color=MODEL, lw=1.6, ls="--", ms=3, marker=marker,
                label="future",
            )  # fmt: skip
            axes.axvline(before + steps - 0.5, color="0.5", lw=0.8, ls=":", label="end of the data")
        ticks = (
            [round(position * (len(times) - 1) / 4) for position in range(5)]
            if len(times) > 4
            else list(range(len(times)))
        )
        axes.set_xticks(ticks, [_tick(times[tick]) for tick in ticks])
        axes.margins(x=0.01)
        axes.legend(ncols=5, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)

    label = (
        f"Forecast and actual values of {name} over {steps} steps, {before} steps before and {after} after."
    )
    caption = f"{name}: history, forecast and actual" + (", future" if after else "")
    return caption, svg(draw, label, name=f"forecast-{number}", size=WHOLE)


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [float("nan") if value is None else float(value) for value in values]


def _tick(value: Any) -> str:
    return str(value).removesuffix(" 00:00:00").removesuffix("T00:00:00")


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return shortened(" ".join(map(_text, value)))
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(item)}" for key, item in value.items())
    text = str(value)
    return text if text.startswith("data:image/") else shortened(text)
