"""What a forecaster reads: series, and which parts of them are held back."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from unrolled.data.categories import alike
from unrolled.data.example import Series
from unrolled.data.given_series import long_frame
from unrolled.data.loading import load_series_with_layout
from unrolled.data.seasons import find_season
from unrolled.data.series import KnownSeries
from unrolled.data.series_layout import SeriesLayout
from unrolled.data.several_targets import sister
from unrolled.tasks.base import Estimator
from unrolled.tasks.folds import require_folds
from unrolled.tasks.forecasting.config import ForecastConfig
from unrolled.tasks.forecasting.future import as_known, joined
from unrolled.tasks.forecasting.spans import Span
from unrolled.tasks.forecasting.understood import understood
from unrolled.tasks.given_inputs import plain
from unrolled.tasks.shares import Part, Shares

_logger = logging.getLogger("unrolled")


class SeriesReading(Estimator[Span, ForecastConfig]):
    """A task on series, which knows those of its training data to their end."""

    def _reset(self) -> None:
        super()._reset()
        self._latest: tuple[Series, ...] = ()
        self._layout: SeriesLayout | None = None

    @property
    def _targets(self) -> tuple[str, ...]:
        """The columns that are forecast, where there are several."""
        return () if self._layout is None else self._layout.targets

    def sisters(self) -> dict[str, dict[str, str]]:
        """For each series of the training data those whose numbers its covariates hold, by their names."""
        return {
            series.unique_id: {
                name: other for name in series.names if (other := sister(series, name)) is not None
            }
            for series in self._latest
        }

    def _load(self, data: Any) -> tuple[Series, ...]:
        data = long_frame(plain(data))
        if not isinstance(data, Sequence) or isinstance(data, str):
            return self._load_table(data)
        loaded = tuple(chain.from_iterable(map(self._load_one, data)))
        return loaded if self._latest else alike(loaded)

    def _load_one(self, given: Any) -> tuple[Series, ...]:
        """One of several series, or of several tables of series."""
        if not isinstance(given, Series):
            return self._load_table(given)
        # A season that was found in the training data is that of other series too.
        series = replace(given, season=self.effective.season or given.season)
        known = self._known()
        return (series if known is None else as_known(series, known),)

    def _load_table(self, data: Any) -> tuple[Series, ...]:
        config, known = self.effective, self._known()
        read = load_series_with_layout(
            data,
            unique_id=config.id_column,
            time=config.time_column,
            target=config.target_column,
            covariates=config.covariates,
            categories=config.categories,
            season=config.season,
            dayfirst=config.dayfirst,
            time_zone=config.time_zone,
            known=known,
            form=config.table_form(),
        )
        if known is None:
            self._layout = read.layout
        else:
            for note in read.layout.notes:
                if note not in self.notices:
                    _logger.info(note)
        return read.series

    def _known(self) -> KnownSeries | None:
        """What the training data says of how later data is to be read."""
        if not self._latest:
            return None
        names = self._latest[0].names
        steps = {one.of or one.unique_id: one.step for one in self._latest if one.step is not None}
        if steps:
            counts = Counter(steps.values())
            steps[""] = max(counts, key=lambda step: (counts[step], step))
        return KnownSeries(self._layout, names, steps, self._latest[0].categories)

    def _read(self, data: Any, *, labelled: bool, part: Part = "test") -> Span:
        """Read series; those that go on right after the data of `fit` are forecast from their first step on.

        Of others the first ``context`` steps are only looked back at.
        """
        loaded = self._load(data)
        if part == "train" and self._model is None:
            self._say_reading()
            self._latest = self._with_season(loaded)
            return Span(self._latest, (None,) * len(loaded))
        pairs = [joined(one, self._latest) for one in loaded]
        series, known = tuple(one for one, _ in pairs), tuple(start for _, start in pairs)
        if part == "valid":  # forecasts go on from where all that was given to `fit` ends
            self._went_on(Span(series, known))
        return Span(series, known)

    def _say_reading(self) -> None:
        """Tell the user what was assumed of the columns, and how to change it."""
        layout = self._layout
        if layout is None:
            return
        for note in layout.notes:
            self._note(note)
        if layout.others:
            listed = ", ".join(layout.others[:10]) + (", ..." if len(layout.others) > 10 else "")
            self._note(
                f"The column to forecast is {layout.target!r}, the first of numbers; --target-column takes "
                f"another: {listed}."
            )

    def _with_season(self, series: tuple[Series, ...]) -> tuple[Series, ...]:
        """The training series with the season they show, where neither an option nor their dates tell it."""
        config = self.effective
        if config.season is not None or any(one.season > 1 for one in series):
            return series
        learnt = (1 - config.test_share * self._keep_apart) * (1 - config.holdout)
        season = find_season([one.values[: round(len(one) * learnt)] for one in series])
        if season == 1:
            return series
        self._decide(f"The series repeat every {season} steps.", season=season)
        return tuple(replace(one, season=season) for one in series)

    def _hold_out(self, data: Span, *, keep_apart: bool) -> Shares[Span]:
        config = self.effective
        if keep_apart and config.origins is not None:
            before, test = data.split_horizons(config.origins, config.horizon)
            before.require_steps([config.holdout], config.horizon)
            kept = f"{config.origins} horizons"
        else:
            data.require_steps([config.test_share, config.holdout][not keep_apart :], config.horizon)
            before, test = data.split(config.test_share, config.horizon) if keep_apart else (data, None)
            kept = f"{config.test_share:.0%}"
        train, dev = before.split(config.holdout, config.horizon)
        if whole := len(data.series) - len(dev.series):
            self._note(
                f"Too short to hold a part back, and learnt from whole: {whole:,} of {len(data.series):,} "
                "series."
            )
        sentence = (
            f"No dev data was given: the last {kept} of each series is kept for the scores, "
            f"and the last {config.holdout:.0%} of what comes before is held out for early stopping."
            if keep_apart
            else f"The last {config.holdout:.0%} of each series is held out for early stopping."
        )
        return Shares(train, dev, sentence, kept_apart=test, before_test=before)

    def _folds(self, data: Span, count: int) -> Iterator[tuple[Span, Span]]:
        """The last share in ``count`` parts, each forecast from all that comes before it."""
        config = self.effective
        pairs = max(map(len, data.series)) // (2 * config.horizon)
        require_folds(count, pairs, "pairs of horizons in a series")
        for place in range(count, 0, -1):
            yield data.rolling(config.test_share / count, config.horizon, place)

    def _went_on(self, data: Span) -> None:
        names = {one.unique_id for one in data.series}
        self._latest = (*data.series, *(one for one in self._latest if one.unique_id not in names))

    def _begin_fold(self, kept: Span) -> None:
        self._latest = kept.series

    def _readings(self, train: Span, held_out: Span) -> list[str]:
        return understood(self._latest, self._layout or SeriesLayout(), self.effective.horizon)
