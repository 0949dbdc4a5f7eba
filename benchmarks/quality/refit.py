"""Whether training again on all the data pays: scores on a last part that neither training saw.

    python -m benchmarks.quality.refit DATA_FOLDER

The last part is one of the training data: what the other claims test on is cut off before.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.machine import machine
from benchmarks.quality.claim import data_folder
from unrolled.data.example import Series
from unrolled.data.loading import load_series
from unrolled.tasks.forecast import Forecaster

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Trial:
    """Series of training data, and the steps of each that are held out for the comparison."""

    name: str
    series: Sequence[Series]
    held_out: int
    score: str
    options: dict[str, Any] = field(default_factory=dict)

    def run(self, seed: int) -> tuple[float, float, int]:
        """The score before and after training again, and for how many epochs."""
        before = [one.slice(0, len(one) - self.held_out) for one in self.series]
        last = [one.slice(len(one) - self.held_out, len(one)) for one in self.series]
        forecaster = Forecaster(**self.options, seed=seed, refit=False).fit(before, keep_apart=False)
        once = forecaster.evaluate(last, baselines=False).scores[self.score]
        # What `refit=True` does next; fitting anew with it would train the first time twice.
        forecaster._refit(progress=False)
        twice = forecaster.evaluate(last, baselines=False).scores[self.score]
        assert forecaster.history is not None
        assert forecaster.history.best_epoch is not None
        return once, twice, forecaster.history.best_epoch


def trials() -> list[Trial]:
    """Daily series one day and a week ahead, and every fourth of M4's hourly ones two days ahead."""
    folder = data_folder()
    melbourne = folder / "daily_temperatures" / "daily-min-temperatures.csv"
    daily = {
        "seattle-weather": _without_last("seattle-weather", 0.2),
        "daily_temperatures": _without_last(str(melbourne), 0.2),
    }
    hourly = load_series(str(folder / "m4_hourly" / "Hourly-train.csv"))[::4]
    return [
        *(
            Trial(f"{name}, {horizon} ahead", series, len(series[0]) // 5, "rmse", {"horizon": horizon})
            for name, series in daily.items()
            for horizon in (1, 7)
        ),
        Trial("m4_hourly, 48 ahead", hourly, 48, "mase", {"horizon": 48, "stride": 96}),
    ]


def _without_last(data: str, share: float) -> list[Series]:
    return [one.slice(0, round(len(one) * (1 - share))) for one in load_series(data)]


started = time.perf_counter()
print(f"{'data':32} {'seed':>4} {'epochs':>6} {'once':>8} {'again':>8} {'change':>7}")
for trial in trials():
    changes = []
    for seed in SEEDS:
        once, twice, epochs = trial.run(seed)
        changes.append(twice / once - 1)
        print(f"{trial.name:32} {seed:4} {epochs:6} {once:8.4f} {twice:8.4f} {changes[-1]:+7.1%}", flush=True)
    print(f"{trial.name:32} mean {np.mean(changes):+36.1%}", flush=True)
print(f"{time.perf_counter() - started:.0f} s on {machine()}")
