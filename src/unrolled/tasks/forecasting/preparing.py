"""What a forecaster learns before its network does: scales, memory, a linear start, simple methods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.data.categories import static_names
from unrolled.data.example import Series
from unrolled.data.seasons import usual_length
from unrolled.data.series_layout import SavedSeriesLayout, SeriesLayout
from unrolled.data.several_targets import told_of_others
from unrolled.errors import ConfigError
from unrolled.saving.schema import ENTRIES
from unrolled.tasks.baselines.autoregression import LinearAutoregression
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.forecasting import Persistence, SeasonalNaive
from unrolled.tasks.forecasting.ahead import holidays_ahead, known_ahead
from unrolled.tasks.forecasting.future import SavedSeries, series_from_dict, series_to_dict
from unrolled.tasks.forecasting.memory import usual_memory, usual_order, usual_season
from unrolled.tasks.forecasting.preparation import Preparation, SavedPreparation, require_logarithms
from unrolled.tasks.forecasting.reading import SeriesReading
from unrolled.tasks.forecasting.spans import Span
from unrolled.tasks.forecasting.start import LinearStart


@with_config(ENTRIES)
class _Saved(TypedDict):
    preparation: SavedPreparation
    layout: SavedSeriesLayout | None
    latest: list[SavedSeries]


class SeriesPreparing(SeriesReading):
    """A task on series, with all that it settles by looking at them."""

    Saved = _Saved

    def _reset(self) -> None:
        super()._reset()
        self._prepared: Preparation | None = None
        self._start: LinearStart | None = None

    @property
    def _preparation(self) -> Preparation:
        if self._prepared is None:
            raise ConfigError("this Forecaster has seen no data yet; call fit(train) first")
        return self._prepared

    def _prepare(self, train: Span) -> None:
        series = train.series
        self._settle(series)
        config = self.effective
        require_logarithms(series, config.scaling)
        self._learn_scales(series)
        if self._preparation.lacks_year(series):
            self._note(
                "The place in the year is not read, for no series spans the two years that it takes to learn."
            )
        memory = usual_memory(series, config.horizon, self._order(series), config.context, config.lags)
        if config.context is None:
            self._decide(f"Each forecast looks back {memory.context} steps.", context=memory.context)
        self._say_covariates(series[0])
        if config.lags is None:
            sentence = f"A direct linear connection sees the last {memory.lags} numbers."
            self._decide(sentence, lags=memory.lags)
        self._learn_start(series)

    def _say_covariates(self, first: Series) -> None:
        """Tell the user what is read beside the numbers, and up to when."""
        config = self.effective
        ahead = config.future_covariates or ()
        static, told = static_names(self._latest), told_of_others(self._targets)
        past = [name for name in first.names if name not in (*ahead, *static, *told)]
        if told:
            self._note("Of each number to forecast the network reads the others up to the present.")
        if never := [name for name in static if name not in told]:
            self._note(f"Covariates that never change within a series: {', '.join(never)}.")
        if past:
            self._note(f"Covariates, known up to the present: {', '.join(past)}.")
        if ahead:
            self._note(f"Covariates, known {config.horizon} steps ahead: {', '.join(ahead)}.")
        for country, days in self._preparation.holidays.items():
            years = len({day[:4] for day in days})
            self._note(f"Holidays of {country}, {len(days) / years:.3g} a year, are known ahead.")

    def _learn(self, series: Sequence[Series]) -> None:
        """Learn what `_prepare` learns, with all that it has settled."""
        self._learn_scales(series)
        self._learn_start(series)

    def _learn_scales(self, series: Sequence[Series]) -> None:
        config = self.effective
        self._prepared = Preparation.learn(
            series,
            config.scaling,
            config.calendar,
            config.future_covariates or (),
            config.horizon,
            holidays_ahead(config.holidays, series),
        )

    def _learn_start(self, series: Sequence[Series]) -> None:
        config, mask = self.effective, self._preparation.mask
        prepared = [self._preparation.apply(one) for one in series]
        lags = cast(int, config.lags)
        self._start = LinearStart.fit(prepared, config.horizon, lags, mask, bool(config.relative))

    def _settle(self, series: tuple[Series, ...]) -> None:
        """Settle what one series, or several of different sizes, ask for."""
        config, several = self.effective, len(series) > 1
        if config.point == "auto":
            point = "median" if several else "mean"
            self._decide(f"The point forecast is the {point}.", point=point)
        settled: dict[str, Any] = {"future_covariates": known_ahead(config.future_covariates, self._latest)}
        if config.scaling == "auto":
            logs = several and all((one.values[~np.isnan(one.values)] > 0).all() for one in series)
            if logs:
                self._note("The logarithms of the series are scaled.")
            settled["scaling"] = "log" if logs else "standard"
        if config.relative is None:
            settled["relative"] = several
        if config.refit is None:  # of many series it does not pay: benchmarks/quality/refit.py
            settled["refit"] = not several
        self._effective = self.effective.model_copy(update=settled)

    def _order(self, series: Sequence[Series]) -> int:
        return self.effective.ar_order or usual_order(usual_season(series))

    def _fit_baselines(self, train: Span) -> Iterable[Baseline]:
        made = list(self._simple(train.series))
        linear = cast(LinearAutoregression, made[-1])
        form = f", {linear.form}" if len(train.series) > 1 else ""
        self._note(f"The linear autoregression looks back {linear.order} steps{form}.")
        return made

    def _simple(self, series: Sequence[Series]) -> Iterator[Baseline]:
        order = min(self._order(series), max(1, usual_length([len(one) for one in series]) // 3))
        yield Persistence()
        if any(one.season > 1 for one in series):
            yield SeasonalNaive()
        yield LinearAutoregression.fit(series, order, self.effective.horizon)

    def _vocabularies(self) -> dict[str, Any]:
        # How another target changed is told from one step more.
        context = cast(int, self.effective.context) + bool(self._targets)
        return {
            "preparation": self._preparation.to_dict(),
            "layout": None if self._layout is None else self._layout.to_dict(),
            "latest": [
                series_to_dict(one.slice(max(0, len(one) - context), len(one))) for one in self._latest
            ],
        }

    def _restore(self, vocabularies: Mapping[str, Any]) -> None:
        self._prepared = Preparation.from_dict(vocabularies["preparation"])
        layout = vocabularies["layout"]
        self._layout = None if layout is None else SeriesLayout.from_dict(layout)
        self._latest = tuple(
            replace(series_from_dict(each), categories=self._prepared.categories)
            for each in vocabularies["latest"]
        )

    @classmethod
    def _baseline_kinds(cls) -> tuple[type[Baseline], ...]:
        return (Persistence, SeasonalNaive, LinearAutoregression)
