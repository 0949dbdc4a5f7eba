"""Examples of predictions: series of numbers are drawn, everything else is a row of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unrolled.reporting.figure import MODEL, REFERENCE, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a page shows of them.

    Attributes:
        figures: captions and drawings.
        columns: the table's columns.
        rows: the table's cells, as text.
    """

    figures: Sequence[tuple[str, str]]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def predictions(examples: Sequence[Mapping[str, Any]]) -> Predictions:
    """Sorts an evaluation's examples into figures and rows.

    Example:
        >>> predictions([{"text": "good", "predicted": "positive"}]).rows
        [['good', 'positive']]
    """
    series = [example for example in examples if _is_series(example)]
    others = [example for example in examples if not _is_series(example)]
    columns = list(
        dict.fromkeys(name for example in others for name, value in example.items() if value != "")
    )
    return Predictions(
        [_drawn(example, number) for number, example in enumerate(series)],
        columns,
        [[_text(example.get(name, "")) for name in columns] for example in others],
    )


def _is_series(example: Mapping[str, Any]) -> bool:
    return all(isinstance(example.get(name), list) for name in ("time", "actual", "forecast"))


def _drawn(example: Mapping[str, Any], number: int) -> tuple[str, str]:
    """The forecast of one series over its actual course; a quantile band where there is one."""
    name, steps = str(example.get("series", "series")), range(len(example["time"]))

    def draw(axes: Axes) -> None:
        if "lower" in example and "upper" in example:
            axes.fill_between(
                steps, _numbers(example["lower"]), _numbers(example["upper"]), color=MODEL, alpha=0.2, lw=0
            )
        axes.plot(steps, _numbers(example["actual"]), color=REFERENCE, lw=1.1, label="actual")
        axes.plot(steps, _numbers(example["forecast"]), color=MODEL, lw=1.1, label="forecast")
        ticks = (
            [round(position * (len(steps) - 1) / 4) for position in range(5)]
            if len(steps) > 4
            else list(steps)
        )
        axes.set_xticks(ticks, [_tick(example["time"][tick]) for tick in ticks])
        axes.margins(x=0.01)
        axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)

    label = f"Forecast and actual values of {name} over {len(steps)} steps."
    return f"{name}: forecast and actual", svg(draw, label, name=f"forecast-{number}", size=(8.4, 2.9))


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [float("nan") if value is None else float(value) for value in values]


def _tick(value: Any) -> str:
    return str(value).removesuffix(" 00:00:00").removesuffix("T00:00:00")


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return " ".join(map(_text, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(item)}" for key, item in value.items())
    return str(value)
