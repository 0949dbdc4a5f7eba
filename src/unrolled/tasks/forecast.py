"""`unrolled.Forecaster`: numbers in, the numbers that follow out."""

from __future__ import annotations

import copy
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import with_config
from torch import Tensor
from typing_extensions import TypedDict

from unrolled.data.buckets import Encoded
from unrolled.data.calendar import future_times, step_of, time_texts
from unrolled.data.categories import alike, static_names
from unrolled.data.example import Series
from unrolled.data.given_series import long_frame
from unrolled.data.loading import load_series_with_layout
from unrolled.data.public_holidays import days_of
from unrolled.data.seasons import find_season, usual_length
from unrolled.data.series import KnownSeries
from unrolled.data.series_layout import SavedSeriesLayout, SeriesLayout
from unrolled.data.several_targets import sister, told_of_others
from unrolled.data.windows import WindowLoader, features
from unrolled.errors import ConfigError
from unrolled.models.base import SequenceModel
from unrolled.models.forecaster import ForecastNetwork
from unrolled.saving.schema import ENTRIES
from unrolled.tasks.base import Estimator
from unrolled.tasks.baselines.autoregression import LinearAutoregression
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.forecasting import ForecastBaseline, Persistence, SeasonalNaive
from unrolled.tasks.details import errors_ahead
from unrolled.tasks.evaluation import Scored
from unrolled.tasks.folds import require_folds
from unrolled.tasks.forecasting.calibration import calibration
from unrolled.tasks.forecasting.config import ForecastConfig, ForecastOptions, ScoringOptions
from unrolled.tasks.forecasting.drawn import drawn_example
from unrolled.tasks.forecasting.frames import forecast_frame, time_column
from unrolled.tasks.forecasting.future import (
    SavedSeries,
    as_known,
    continued,
    joined,
    require_future,
    require_numbers,
    row,
    series_from_dict,
    series_to_dict,
)
from unrolled.tasks.forecasting.loss import ForecastLoss
from unrolled.tasks.forecasting.memory import usual_memory, usual_order, usual_season
from unrolled.tasks.forecasting.paths import free_run
from unrolled.tasks.forecasting.preparation import Preparation, SavedPreparation, require_logarithms
from unrolled.tasks.forecasting.rolling import rolling_forecasts
from unrolled.tasks.forecasting.scores import Forecasts, forecast_scores
from unrolled.tasks.forecasting.spans import Span
from unrolled.tasks.forecasting.start import LinearStart
from unrolled.tasks.forecasting.streaming import ForecastStream
from unrolled.tasks.forecasting.warmup import WarmUp
from unrolled.tasks.given import AlreadyRead
from unrolled.tasks.given_inputs import plain
from unrolled.tasks.inputs.schema import SeriesSchema
from unrolled.tasks.plots import plot_forecast
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.shares import Part, Shares

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_logger = logging.getLogger("unrolled")
_WINDOWS = 4_000
"""Training windows an epoch at most, unless the stride says otherwise."""
_DRAWN = 3
"""Series whose forecasts a report draws."""
_ORIGINS = 5_000
"""Steps of all series that forecasts are scored from, at most; of more, those at even distances."""


_YEARS_TO_COME = 30
"""Years after the training data whose holidays a model knows."""


@with_config(ENTRIES)
class _Saved(TypedDict):
    preparation: SavedPreparation
    layout: SavedSeriesLayout | None
    latest: list[SavedSeries]


class Forecaster(Estimator[Span, ForecastConfig]):
    """Forecast series of numbers: one model for all series, one or several steps ahead, with quantiles.

    The data is a table in long format, one row a step, from a file or a pandas DataFrame; or in wide format,
    one row a series; or a list of `unrolled.data.example.Series`. Other columns of numbers, or of
    categories, are read as covariates: known up to the present, but for those that never change within a
    series and ``future_covariates``. Missing numbers are allowed.

    Every step of a training window forecasts what followed it. Scores are those of rolling origins: from
    every step of the scored part (or, of many, from those at even distances), the next ``horizon`` steps are
    forecast from the ``context`` steps up to it.

    Example:
        >>> import pandas as pd
        >>> wave = pd.DataFrame({"t": range(300), "y": np.sin(np.arange(300) * 0.3)})
        >>> forecaster = Forecaster(context=14, epochs=4, quantiles=()).fit(wave)
        >>> scores = forecaster.dev_evaluation
        >>> scores.scores["rmse"] < scores.baselines["persistence"]["rmse"]
        True
    """

    task: ClassVar[str] = "forecast"
    Saved = _Saved
    starts_anew: ClassVar[bool] = False  # it begins with a linear forecast that is not saved
    _takes_parts = False
    Config = ForecastConfig
    Options = ForecastOptions
    Scoring = ScoringOptions
    predicts_alone = True

    def _reset(self) -> None:
        super()._reset()
        self._prepared: Preparation | None = None
        self._start: LinearStart | None = None
        self._latest: tuple[Series, ...] = ()
        self._layout: SeriesLayout | None = None

    def _fit(
        self, train: Any, dev: Any, run_folder: str | Path | None, *, resume: bool, progress: bool
    ) -> None:
        super()._fit(train, dev, run_folder, resume=resume, progress=progress)
        if self.effective.refit:
            self._save_run(run_folder)  # what was scored, lest the second training is stopped
            self._refit(progress)
        # From here on errors are compared with the seasonal naive ones of all the data that was given.
        self._prepared = self._preparation.with_units(self._latest)

    def _train(
        self,
        training: Span,
        held_out: Span,
        name: str,
        run_folder: str | Path | None,
        resume: bool,
        progress: bool,
        known: Mapping[str, Tensor] | None = None,
    ) -> None:
        super()._train(training, held_out, name, run_folder, resume, progress, known)
        if self.effective.quantiles:
            self._calibrate(held_out)

    def _calibrate(self, held_out: Span) -> None:
        """Let the quantiles hold what they claim on data that training has not seen."""
        data = self._scorable(held_out)
        origins = self._origins(data)
        read = self._looked_back(data, origins)
        model = cast(ForecastNetwork, self.model)
        found = rolling_forecasts(model, read, origins, cast(int, self.effective.context))
        ahead = np.arange(1, self.effective.horizon + 1)
        actual = [
            self._preparation.scaling(one, int(at[0]) + 1).apply(one.values)[at[:, None] + ahead]
            for one, at in zip(data.series, origins, strict=True)
        ]
        quantiles = np.concatenate(found)[..., 1:]
        changes = calibration(quantiles, np.concatenate(actual), self.effective.quantiles)
        model.calibrate(*(torch.from_numpy(each) for each in changes))

    def _refit(self, progress: bool) -> None:
        """Train once more, on all the data, for as many epochs as were best."""
        from unrolled.training.trainer import Trainer  # brings in accelerate, which takes a second to import

        assert self.history is not None
        epochs = self.history.best_epoch
        known = tuple(one for one in self._latest if not np.isnan(one.values).all())
        everything = Span(known, (None,) * len(known))
        self._learn(everything.series)
        scored = cast(ForecastNetwork, self.model)
        self._model = self.fresh_model()
        watched_once = self.effective.model_copy(update={"diagnose": False})
        trainer = Trainer(self.model, self._loss(), watched_once, progress=progress)
        try:
            trainer.fit(self._loader(everything, training=True), last=epochs)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                "Training again on all the data was interrupted; the model that was scored is kept."
            ) from None
        cast(ForecastNetwork, self.model.eval()).calibrate(scored.widening, scored.raising)
        self._baselines = {one.name: one for one in self._simple(everything.series)}
        self._note(f"The model was trained again on all the data, for {epochs} epochs, as many as were best.")

    @property
    def monitored(self) -> tuple[str, Literal["min", "max"]]:
        """The error that fits the point forecast, relative where series of several sizes are mixed."""
        if len(self._preparation.scalings) > 1:
            return "mase", "min"
        return ("rmse" if self.effective.point == "mean" else "mae"), "min"

    def forecast(self, data: Any = None, **options: Any) -> Iterator[dict[str, Any]]:
        """What follows each series, row by row as it is made, the state carried from step to step.

        Args:
            data: series up to the present, in any form that `fit` takes; None goes on from the end of the
                data given to `fit`.
            options: those of `unrolled.tasks.forecasting.config.ForecastOptions`. Beyond the horizon the
                point forecast is fed back as if it had come, with the covariates as they were last; the
                quantiles there are those of many paths drawn, each fed back to itself.

        Yields:
            A row for each series and step: ``unique_id``, ``ds``, ``y`` and one column a quantile, ``y_0.1``.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
            DataError: the data cannot be used; names the file, row and column.
        """
        return (each.value for each in self.predictions(data, **options))

    def predict(
        self, data: Any = None, *, h: int | None = None, level: Sequence[float] | None = None, **options: Any
    ) -> Any:
        """What follows each series: rows as of `forecast`, or asked for by ``h`` a frame as Nixtla's.

        Args:
            data: as for `forecast`, or a number in place of ``h``.
            h: how many steps ahead.
            level: intervals in per cent, such as 80; by default those of all quantiles.
            options: as for `forecast`.

        Returns:
            A list of rows; with ``h`` a DataFrame with the columns ``unique_id``, ``ds``, ``Forecaster``,
            ``Forecaster-lo-80`` and ``Forecaster-hi-80``.

        Raises:
            ConfigError: as for `forecast`; or the model has no quantiles for a level.
            DataError: as for `forecast`.
        """
        if isinstance(data, int | np.integer) and h is None:
            data, h = None, int(data)
        if h is None:
            if level is not None:
                raise ConfigError("level: expected h with it, the steps ahead; options of rows have none")
            return super().predict(data, **options)
        self._require_fitted()
        series = self._latest if data is None else self._load(data)
        rows = self.forecast(None if data is None else series, **options, steps=h)
        return forecast_frame(rows, series, self.effective.quantiles, level, type(self).__name__)

    def plot_forecast(self, data: Any = None, h: int | None = None, ax: Axes | None = None) -> Axes:
        """Draw what follows each series after its last known steps, with the widest interval.

        Args:
            data: as for `predict`.
            h: how many steps ahead; by default the horizon.
            ax: matplotlib's axes to draw on; a new figure by default.
        """
        if isinstance(data, int | np.integer) and h is None:
            data, h = None, int(data)
        self._require_fitted()
        series = self._latest if data is None else self._load(data)
        name = type(self).__name__
        frame = self.predict(series, h=h or self.effective.horizon)
        frame["unique_id"] = np.repeat([one.unique_id for one in series], h or self.effective.horizon)
        known = [(one.unique_id, time_column(one), one.values) for one in series]
        return plot_forecast(known, frame, name, ax)

    def predictions(self, data: Any = None, **options: Any) -> Iterator[Prediction]:
        """The rows of `forecast`, each as it is made."""
        self._require_fitted()
        chosen, series = self.chosen_options(options), self._read_inputs(data).series
        return chain.from_iterable(self._future(one, chosen) for one in series)

    def predictions_of_each(self, inputs: Sequence[Any], **options: Any) -> list[list[Prediction]]:
        """The rows that follow each series."""
        return [list(self.predictions([each], **options)) for each in inputs]

    def stream(self, **options: Any) -> ForecastStream:
        """Forecasts from new numbers as they come."""
        self._require_fitted()
        chosen, context = self.chosen_options(options), cast(int, self.effective.context)
        if targets := self._targets:
            raise ConfigError(f"expected one number to forecast, step by step, got {', '.join(targets)}")
        return ForecastStream(self._only_series, lambda series: self._future(series, chosen), context)

    def _only_series(self, given: Any) -> Series:
        series = self._load([given])
        if len(series) != 1:
            raise series[0].source.error(f"expected one series to go on with, got {len(series)}")
        return series[0]

    @property
    def hub_task(self) -> str | None:
        """Whatever is forecast."""
        return "time-series-forecasting"

    def input_schema(self) -> SeriesSchema:
        """A series with the covariates of the training data."""
        self._require_fitted()
        last = self._latest[0]
        times = () if last.counted else tuple(time_texts(last, last.times[-8:]))
        layout = self._layout or SeriesLayout()
        told = told_of_others(self._targets)
        time = layout.time[0] if len(layout.time) == 1 else None
        called = {"unique_id": layout.unique_id, "ds": time}
        covariates = tuple(name for name in self._preparation.names if name not in told)
        targets = self._targets
        if layout.target is not None and "y" in covariates:
            targets = (layout.target,)
        if not targets:
            called["y"] = layout.target
        return SeriesSchema(
            targets=targets,
            covariates=covariates,
            categories={
                name: each for name, each in self._preparation.categories.items() if name not in told
            },
            times=times,
            columns={
                name: column for name, column in called.items() if column is not None and column != name
            },
        )

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

    def _read_inputs(self, data: Any) -> Span:
        series = self._latest if data is None else self._load(data)
        require_numbers(series)
        for one in series:
            require_future(one, self._preparation.ahead, self.effective.horizon)
        return Span(series, (None,) * len(series))

    def _encode(self, data: Span) -> list[Encoded]:
        """The features ``(time, feature)`` of as many last steps as a forecast looks back."""
        context = cast(int, self.effective.context)
        return [Encoded({"values": self._features(one)[-context:]}, np.zeros(0)) for one in data.series]

    def _run(self, items: list[Encoded], options: ForecastOptions) -> list[NDArray[np.float64]]:
        """The scaled forecasts of one horizon, ``(horizon, 1 + quantiles)``."""
        return [self._ahead_of(item.inputs["values"]) for item in items]

    def _ahead_of(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        return next(free_run(self.model, features, lambda after: features, (), 0, np.random.default_rng()))

    def _decode(self, outputs: Sequence[Any], data: Span, options: ForecastOptions) -> list[Prediction]:
        return [
            prediction
            for one, made in zip(data.series, outputs, strict=True)
            for prediction in self._rows(one, future_times(one, len(made)), iter([made]), options)
        ]

    def _rows(
        self,
        series: Series,
        times: NDArray,
        made: Iterator[NDArray[np.float64]],
        options: ForecastOptions,
    ) -> Iterator[Prediction]:
        """A row for each step ahead, from scaled forecasts of a horizon at a time."""
        scaling = self._preparation.scaling(series)
        numbers = (scaling.undo(each) for block in made for each in block)
        steps = options.steps or self.effective.horizon
        for time, each in islice(zip(time_texts(series, times), numbers, strict=False), steps):
            yield Prediction(row(series, time, each, self.effective.quantiles))

    def _future(self, series: Series, options: ForecastOptions) -> Iterator[Prediction]:
        horizon = self.effective.horizon
        blocks = -(-(options.steps or horizon) // horizon)
        require_future(series, self._preparation.ahead, max(horizon, options.steps or 0))
        times = future_times(series, blocks * horizon)
        extended = self._features(continued(series, times, np.full(len(times), np.nan)))
        if self._preparation.mask:
            extended[len(series) :, -1] = 1.0  # what is fed back counts as present
        context = cast(int, self.effective.context)

        def ahead(after: int) -> NDArray[np.float32]:
            return extended[len(series) + after :][:horizon]

        made = free_run(
            self.model,
            extended[max(0, len(series) - context) : len(series)],
            ahead,
            self.effective.quantiles,
            options.paths,
            np.random.default_rng(self.effective.seed),
        )
        return self._rows(series, times, islice(made, blocks), options)

    def file_ending(self, first: str) -> str | None:
        """That of a table: nothing else can be forecast."""
        return super().file_ending(first) or (".csv" if first.strip() else None)

    @property
    def _preparation(self) -> Preparation:
        if self._prepared is None:
            raise ConfigError("this Forecaster has seen no data yet; call fit(train) first")
        return self._prepared

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
            names = {one.unique_id for one in series}
            self._latest = (*series, *(one for one in self._latest if one.unique_id not in names))
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

    def _prepare(self, train: Span) -> None:
        config = self.effective
        first = train.series[0]
        self._settle(train.series)
        config = self.effective
        require_logarithms(train.series, self.effective.scaling)
        self._learn_scales(train.series)
        order = self._order(train.series)
        if self._preparation.lacks_year(train.series):
            self._note(
                "The place in the year is not read, for no series spans the two years that it takes to learn."
            )
        memory = usual_memory(train.series, config.horizon, order, config.context, config.lags)
        if config.context is None:
            self._decide(f"Each forecast looks back {memory.context} steps.", context=memory.context)
        ahead = self.effective.future_covariates or ()
        static = static_names(self._latest)
        told = told_of_others(self._targets)
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
        if config.lags is None:
            sentence = f"A direct linear connection sees the last {memory.lags} numbers."
            self._decide(sentence, lags=memory.lags)
        self._learn_start(train.series)

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
            self._holidays(series),
        )

    def _holidays(self, series: Sequence[Series]) -> dict[str, tuple[str, ...]]:
        """The holidays of each country that was asked for, from the first year on to some to come."""
        countries = self.effective.holidays
        for one in series if countries else ():
            if one.times.dtype.kind != "M" or not _in_days(one.times):
                got = "a longer one" if one.times.dtype.kind == "M" else "none"
                raise one.source.error(
                    f"expected dates with a step of a day or shorter, for the holidays of "
                    f"{', '.join(countries)}, got {got}",
                    remedy="leave holidays out",
                )
        years = [int(str(one.times[end])[:4]) for one in series for end in (0, -1)] if countries else []
        return {country: days_of(country, min(years), max(years) + _YEARS_TO_COME) for country in countries}

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
        if config.scaling == "auto":
            logs = several and all((one.values[~np.isnan(one.values)] > 0).all() for one in series)
            if logs:
                self._note("The logarithms of the series are scaled.")
            self._effective = self.effective.model_copy(update={"scaling": "log" if logs else "standard"})
        self._settle_ahead(series[0])
        if config.relative is None:
            self._effective = self.effective.model_copy(update={"relative": several})
        if config.refit is None:  # of many series it does not pay: benchmarks/quality/refit.py
            self._effective = self.effective.model_copy(update={"refit": not several})

    def _settle_ahead(self, first: Series) -> None:
        """Settle which covariates are known ahead: those that were named, or that the data's end shows."""
        asked, names, static = self.effective.future_covariates, first.names, static_names(self._latest)
        if asked is None:
            futures = [one.future for one in self._latest if one.future is not None]
            unknown = [np.isnan(_said(future, first)) for future in futures]
            shown = tuple(
                name
                for place, name in enumerate(names)
                if name not in static and not all(each[:, place].all() for each in unknown)
            )
            self._effective = self.effective.model_copy(update={"future_covariates": shown})
            return
        for name in asked:
            if name not in names:
                raise first.source.error(
                    f"expected future_covariates to be among the covariates {', '.join(names) or '(none)'}, "
                    f"got {name!r}"
                )
        # What never changes is known by itself.
        known = tuple(name for name in asked if name not in static)
        self._effective = self.effective.model_copy(update={"future_covariates": known})

    def _readings(self, train: Span, held_out: Span) -> list[str]:
        series, config = self._latest, self.effective
        first, layout = series[0], self._layout or SeriesLayout()
        target = "" if first.source.column is None or layout.wide else f" of {first.source.column!r}"
        which = f"{len(series):,} series{target}" if len(series) > 1 else f"the series {first.unique_id!r}"
        if layout.others:
            which += f", the first of {1 + len(layout.others)} columns of numbers (--target-column: another)"
        if layout.targets:
            ids = len({one.of for one in series})
            which = f"{', '.join(map(repr, layout.targets))} of {ids:,} series"
        gaps, total = sum(int(np.isnan(one.values).sum()) for one in series), sum(map(len, series))
        return [
            which,
            self._span(series),
            f"gaps filled: {gaps:,} of {total:,} steps" if gaps else "no gaps",
            self._covariates(first),
            *([f"not read: {', '.join(layout.left_out)}"] if layout.left_out else []),
            f"horizon {config.horizon}",
        ]

    def _covariates(self, first: Series) -> str:
        """The covariates, those that never change last, with how many categories there are of each."""

        def told(names: Sequence[str]) -> str:
            counts = {name: len(first.categories.get(name, ())) for name in names}
            return ", ".join(
                f"{name} ({count} categories)" if count else name for name, count in counts.items()
            )

        others = told_of_others(self._targets)
        static = [name for name in static_names(self._latest) if name not in others]
        changing = [name for name in first.names if name not in (*static, *others)]
        said = f"covariates {told(changing)}" if changing else "no covariates" if not static else ""
        return "; ".join(part for part in (said, f"static {told(static)}" if static else "") if part)

    def _span(self, series: Sequence[Series]) -> str:
        """The step, or steps, and the first and the last time."""
        first = series[0]
        if first.counted:
            return f"steps counted, up to {max(map(len, series)):,}"
        steps = Counter(str(step_of(one)) for one in series)
        named = ", ".join(step for step, _ in steps.most_common(3)) + (", ..." if len(steps) > 3 else "")
        zone = f" ({first.zone})" if first.zone else ""
        starts = min(series, key=lambda one: one.times[0])
        ends = max(series, key=lambda one: one.times[-1])
        (since,), (until,) = time_texts(starts, starts.times[:1]), time_texts(ends, ends.times[-1:])
        return f"a step of {named}{zone}, {since} to {until}"

    def _build_model(self) -> SequenceModel:
        config = self.effective
        model = ForecastNetwork(
            self._input_size,
            config.horizon,
            config.quantiles,
            config,
            cast(int, config.lags),
            config.input_noise,
            bool(config.relative),
        )
        if self._start is not None:
            model.start(self._start.spread, self._start.weight, self._start.bias)
        return model

    def _order(self, series: Sequence[Series]) -> int:
        return self.effective.ar_order or usual_order(usual_season(series))

    @property
    def _input_size(self) -> int:
        return self._preparation.inputs

    def _loader(self, data: Span, *, training: bool) -> WarmUp:
        config = self.effective
        context, lags = cast(int, config.context), cast(int, config.lags)
        stride = config.stride
        if stride is None:
            steps = sum(len(one) for one in data.series)
            stride = max(1, (context - lags) // 5, steps // _WINDOWS)
        windows = WindowLoader(
            data.series,
            context,
            config.horizon,
            config.batch_size,
            seed=config.seed,
            stride=stride,
            per_step=True,
            shuffle=training,
            mask=self._preparation.mask,
            prepared=self._preparation.apply,
            shard=self._shard if training else (0, 1),
        )
        return WarmUp(windows, lags - 1)

    def _loss(self) -> ForecastLoss:
        model, config = cast(ForecastNetwork, self.model), self.effective
        point = "mean" if config.point == "mean" else "median"
        return ForecastLoss(point, config.quantiles, model.spread, config.loss_reduction)

    def _origins(self, data: Span) -> list[NDArray[np.int64]]:
        return data.origins(cast(int, self.effective.context), self.effective.horizon, _ORIGINS)

    def _features(self, series: Series, known: int | None = None) -> NDArray[np.float32]:
        return features(self._preparation.apply(series, known), mask=self._preparation.mask)

    def _scorable(self, data: Span) -> Span:
        """The series that have something to score; of the others the user is told how many they are."""
        scored = data.scored(cast(int, self.effective.context), self.effective.horizon)
        if left_out := len(data.series) - len(scored.series):
            sentence = f"Too short for a forecast to be scored: {left_out:,} of {len(data.series):,} series."
            if sentence not in self.notices:
                self._note(sentence)
        return scored

    def _looked_back(self, data: Span, origins: list[NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        """What is read of each series, to be forecast from these steps.

        One that training has not seen is scaled by what is known before the first forecast.
        """
        known = [int(at[0]) + 1 for at in origins]
        return [self._features(*each) for each in zip(data.series, known, strict=True)]

    def _to_score(self, data: Span, options: ScoringOptions) -> Span:
        if options.origins is None:
            return data
        return data.backtested(options.origins, cast(int, self.effective.context), self.effective.horizon)

    def _scorer(self, data: Span) -> Callable[[], Scored]:
        data = self._scorable(data)
        origins = self._origins(data)
        ahead = np.arange(1, self.effective.horizon + 1)
        if all(
            np.isnan(one.values[at[:, None] + ahead]).all()
            for one, at in zip(data.series, origins, strict=True)
        ):
            raise data.series[0].source.error("expected numbers to compare the forecasts with, got none")
        read = self._looked_back(data, origins)
        # After the steps that are scored, the last of all: what comes next is drawn.
        ends = [np.append(at, len(one) - 1) for one, at in zip(data.series, origins, strict=True)]

        def score() -> Scored:
            undone = self._undone(data, origins, read, ends)
            made = [(one, at, each[:-1]) for one, at, each in zip(data.series, origins, undone, strict=True)]
            forecasts = [self._beside(*each) for each in made]
            count = sum(int((~np.isnan(each.actual)).sum()) for each in forecasts)
            levels = self.effective.quantiles
            examples = tuple(
                drawn_example(*each, levels, future[-1])
                for each, future in zip(made[:_DRAWN], undone, strict=False)
            )
            before = [one.values[at] for one, at in zip(data.series, origins, strict=True)]
            name, _ = self.monitored
            return Scored(
                forecast_scores(forecasts, levels),
                count,
                "forecasts",
                examples,
                groups={}
                if data.last is None
                else {f"{name} by origin": self._by_origin(data, origins, forecasts)},
                details={"ahead": errors_ahead(forecasts, before)},
            )

        return score

    def _by_origin(
        self, data: Span, origins: list[NDArray[np.int64]], forecasts: Sequence[Forecasts]
    ) -> dict[str, float]:
        """How good the forecasts from each step were, by its time; or by its place, where series differ."""
        name, _ = self.monitored
        assert data.last is not None
        found = {}
        for place in range(data.last, 0, -1):
            chosen = [
                (one, int(at[-place]), each)
                for one, at, each in zip(data.series, origins, forecasts, strict=True)
                if len(at) >= place
            ]
            times = {time_texts(one, one.times[[at]])[0] for one, at, _ in chosen}
            label = times.pop() if len(times) == 1 else f"{place} from the end"
            parts = [each.only(-place) for _, _, each in chosen]
            if any((~np.isnan(part.actual)).any() for part in parts):
                found[str(label)] = forecast_scores(parts)[name]
        return found

    def _undone(
        self,
        data: Span,
        origins: list[NDArray[np.int64]],
        read: list[NDArray[np.float32]],
        ends: list[NDArray[np.int64]],
    ) -> list[NDArray[np.float64]]:
        """The forecasts of each series ``(origin, horizon, 1 + quantiles)``, on its own scale.

        Args:
            data: the series.
            origins: the steps of each that are scored, by which those new to training are scaled.
            read: what the network reads of each.
            ends: the steps to forecast from.
        """
        found = rolling_forecasts(self.model, read, ends, cast(int, self.effective.context))
        return [
            self._preparation.scaling(one, int(at[0]) + 1).undo(each)
            for one, at, each in zip(data.series, origins, found, strict=True)
        ]

    def backtest(
        self, X: Any, *, origins: int = 5, refit: bool = False, level: Sequence[float] | None = None
    ) -> pd.DataFrame:
        """Forecasts from several steps of the past, a horizon apart, beside what came.

        A model is trained on what comes before the first of them, and forecasts from each with all that is
        known there. This estimator is left as it is.

        Args:
            X: as for `fit`.
            origins: how many steps are forecast from, the last ones.
            refit: train anew before each of them.
            level: as for `predict`.

        Returns:
            A frame as Nixtla's ``cross_validation`` gives it: ``unique_id``, ``ds``, ``cutoff`` (the last
            step that was known), ``y``, ``Forecaster`` and the bounds of its intervals.

        Raises:
            ConfigError: the model has no quantiles for a level.
            DataError: the data cannot be used, or has no series that is long enough.

        Example:
            >>> import pandas as pd
            >>> wave = pd.DataFrame({"y": np.sin(np.arange(120) * 0.3)})
            >>> forecaster = Forecaster(horizon=3, context=14, epochs=1, quantiles=())
            >>> forecaster.backtest(wave, origins=2)[["ds", "cutoff"]].values.tolist()
            [[114, 113], [115, 113], [116, 113], [117, 116], [118, 116], [119, 116]]
        """
        import pandas as pd

        if origins < 1:
            raise ConfigError(f"origins: expected one at least, got {origins}")
        reader = self.__sklearn_clone__()
        data = reader._read(reader._handed_over(X, None, None)[0], labelled=True, part="train")
        one, frames = reader, []
        for place in range(origins, 0, -1):
            before, after = data.split_horizons(place, reader.effective.horizon)
            if refit or place == origins:
                one = copy.copy(reader)
                one._notices, one._keep_apart = list(reader._notices), False
                one._begin_fold(before)
                one._fit(AlreadyRead(before), None, None, resume=False, progress=False)
            frames.append(one._backtested(after, place, level))
        made = pd.concat(frames, ignore_index=True)
        order = [name for name in ("unique_id", "target", "cutoff", "ds") if name in made]
        return made.sort_values(order, kind="stable", ignore_index=True)

    def _backtested(self, data: Span, place: int, level: Sequence[float] | None) -> pd.DataFrame:
        """The forecasts of one of the last horizons of each series that has as many, beside what came."""
        import pandas as pd

        horizon = self.effective.horizon
        series = [one for one in data.series if (len(one) - 1) // horizon > place]
        origins = [np.array([len(one) - place * horizon - 1]) for one in series]
        span = Span(tuple(series), (None,) * len(series))
        found = self._undone(span, origins, self._looked_back(span, origins), origins)
        rows, known = [], []
        for one, (at,), (numbers,) in zip(series, origins, found, strict=True):
            steps = np.arange(at + 1, at + 1 + horizon)
            times = time_texts(one, one.times[steps])
            made = zip(times, numbers, strict=True)
            rows += [row(one, time, each, self.effective.quantiles) for time, each in made]
            known.append(pd.DataFrame({"cutoff": [time_column(one)[at]] * horizon, "y": one.values[steps]}))
        frame = forecast_frame(rows, series, self.effective.quantiles, level, type(self).__name__)
        for number, name in enumerate(("cutoff", "y")):
            frame.insert(2 + number, name, pd.concat(known, ignore_index=True)[name])
        return frame

    def _beside(self, series: Series, origins: NDArray[np.int64], found: NDArray[np.float64]) -> Forecasts:
        ahead = np.arange(1, self.effective.horizon + 1)
        return Forecasts(
            series.values[origins[:, None] + ahead],
            found[..., 0],
            found[..., 1:],
            self._preparation.seasonal_error(series, int(origins[0]) + 1),
            series.target,
        )

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

    def _score_baseline(self, baseline: Baseline, data: Span) -> Mapping[str, float]:
        simple = cast(ForecastBaseline, baseline)
        data = self._scorable(data)
        forecasts = []
        for one, origins in zip(data.series, self._origins(data), strict=True):
            found = simple.forecast(one, origins, self.effective.horizon)
            forecasts.append(self._beside(one, origins, found[..., None]))
        return forecast_scores(forecasts)

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


def _said(future: NDArray[np.float64], series: Series) -> NDArray[np.float64]:
    """The covariates of the future, NaN too where a category is none."""
    said = future.copy()
    for name, categories in series.categories.items():
        if "" in categories:
            column = said[:, series.names.index(name)]
            column[column == categories.index("")] = np.nan
    return said


def _in_days(times: np.ndarray) -> bool:
    """Whether most steps take a day or less."""
    return len(times) < 2 or bool(np.median(np.diff(times)) <= np.timedelta64(1, "D"))
