"""`unrolled.Forecaster`: numbers in, the numbers that follow out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.data.buckets import Encoded
from unrolled.data.calendar import future_times, time_texts
from unrolled.data.example import Series
from unrolled.data.series_layout import SeriesLayout
from unrolled.data.several_targets import told_of_others
from unrolled.data.windows import WindowLoader
from unrolled.errors import ConfigError
from unrolled.models.base import SequenceModel
from unrolled.models.forecaster import ForecastNetwork
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.forecasting import ForecastBaseline
from unrolled.tasks.evaluation import Scored
from unrolled.tasks.forecasting.backtest import backtest_frame, horizon_before
from unrolled.tasks.forecasting.calibration import calibration
from unrolled.tasks.forecasting.config import ForecastConfig, ForecastOptions, ScoringOptions
from unrolled.tasks.forecasting.frames import forecast_frame, time_column
from unrolled.tasks.forecasting.future import continued, require_future, require_numbers, row
from unrolled.tasks.forecasting.loss import ForecastLoss
from unrolled.tasks.forecasting.origins import RollingOrigins
from unrolled.tasks.forecasting.paths import free_run
from unrolled.tasks.forecasting.preparing import SeriesPreparing
from unrolled.tasks.forecasting.scores import forecast_scores
from unrolled.tasks.forecasting.spans import Span
from unrolled.tasks.forecasting.streaming import ForecastStream
from unrolled.tasks.forecasting.warmup import WarmUp
from unrolled.tasks.given import AlreadyRead
from unrolled.tasks.inputs.schema import SeriesSchema
from unrolled.tasks.plots import plot_forecast
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.shares import Shares

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_WINDOWS = 4_000
"""Training windows an epoch at most, unless the stride says otherwise."""
_ORIGINS = 5_000
"""Steps of all series that forecasts are scored from, at most; of more, those at even distances."""


class Forecaster(SeriesPreparing):
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
    starts_anew: ClassVar[bool] = False  # it begins with a linear forecast that is not saved
    _takes_parts = False
    Config = ForecastConfig
    Options = ForecastOptions
    Scoring = ScoringOptions
    predicts_alone = True

    def _fit(
        self, train: Any, dev: Any, run_folder: str | Path | None, *, resume: bool, progress: bool
    ) -> None:
        super()._fit(train, dev, run_folder, resume=resume, progress=progress)
        # From here on errors are compared with the seasonal naive ones of all the data that was given.
        self._prepared = self._preparation.with_units(self._latest)

    def _end_training(self, held_out: Span, name: str) -> None:
        """Let the quantiles hold what they claim on data that training has not seen."""
        if not self.effective.quantiles:
            return
        model = cast(ForecastNetwork, self.model)
        found, actual = self._origins(self._scorable(held_out)).scaled(model)
        changes = calibration(found[..., 1:], actual, self.effective.quantiles)
        model.calibrate(*(torch.from_numpy(each) for each in changes))

    def _train_again(self, shares: Shares[Span], run_folder: str | Path | None, progress: bool) -> None:
        if self.effective.refit:
            self._save_run(run_folder)  # what was scored, lest the second training is stopped
            self._refit(progress)

    def _refit(self, progress: bool) -> None:
        """Train once more, on all the data, for as many epochs as were best."""
        assert self.history is not None
        epochs = self.history.best_epoch
        known = tuple(one for one in self._latest if not np.isnan(one.values).all())
        before = self._prepared, self._start
        self._learn(known)
        try:
            scored = self._train_anew(Span(known, (None,) * len(known)), epochs, progress)
        except KeyboardInterrupt:
            self._prepared, self._start = before
            raise
        assert isinstance(scored, ForecastNetwork)
        cast(ForecastNetwork, self.model).calibrate(scored.widening, scored.raising)
        self._baselines = {one.name: one for one in self._simple(known)}
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

    def _read_inputs(self, data: Any) -> Span:
        series = self._latest if data is None else self._load(data)
        require_numbers(series)
        for one in series:
            require_future(one, self._preparation.ahead, self.effective.horizon)
        return Span(series, (None,) * len(series))

    def _encode(self, data: Span) -> list[Encoded]:
        """The features ``(time, feature)`` of as many last steps as a forecast looks back."""
        context = cast(int, self.effective.context)
        return [
            Encoded({"values": self._preparation.read(one)[-context:]}, np.zeros(0)) for one in data.series
        ]

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
        extended = self._preparation.read(continued(series, times, np.full(len(times), np.nan)))
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

    def _origins(self, data: Span) -> RollingOrigins:
        """The steps that forecasts are scored from."""
        context, horizon = cast(int, self.effective.context), self.effective.horizon
        steps = data.origins(context, horizon, _ORIGINS)
        return RollingOrigins(data.series, steps, self._preparation, context, horizon)

    def _scorable(self, data: Span) -> Span:
        """The series that have something to score; of the others the user is told how many they are."""
        scored = data.scored(cast(int, self.effective.context), self.effective.horizon)
        if left_out := len(data.series) - len(scored.series):
            sentence = f"Too short for a forecast to be scored: {left_out:,} of {len(data.series):,} series."
            if sentence not in self.notices:
                self._note(sentence)
        return scored

    def _to_score(self, data: Span, options: ScoringOptions) -> Span:
        if options.origins is None:
            return data
        return data.backtested(options.origins, cast(int, self.effective.context), self.effective.horizon)

    def _scorer(self, data: Span) -> Callable[[], Scored]:
        data = self._scorable(data)
        origins = self._origins(data)
        if all(np.isnan(each).all() for each in origins.actual()):
            raise data.series[0].source.error("expected numbers to compare the forecasts with, got none")
        name, _ = self.monitored
        return lambda: origins.scored(self.model, self.effective.quantiles, name, data.last)

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
            context = cast(int, one.effective.context)
            before = horizon_before(after.series, place, one._preparation, context, one.effective.horizon)
            name = type(self).__name__
            frames.append(backtest_frame(before, one.model, one.effective.quantiles, level, name))
        made = pd.concat(frames, ignore_index=True)
        order = [name for name in ("unique_id", "target", "cutoff", "ds") if name in made]
        return made.sort_values(order, kind="stable", ignore_index=True)

    def _score_baseline(self, baseline: Baseline, data: Span) -> Mapping[str, float]:
        simple = cast(ForecastBaseline, baseline)
        origins = self._origins(self._scorable(data))
        pairs = zip(origins.series, origins.steps, strict=True)
        found = [simple.forecast(one, at, origins.horizon)[..., None] for one, at in pairs]
        return forecast_scores(origins.beside(found))
