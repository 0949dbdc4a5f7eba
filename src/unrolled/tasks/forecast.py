"""`unrolled.Forecaster`: numbers in, the numbers that follow out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.data.calendar import future_times
from unrolled.data.example import Series
from unrolled.data.loading import load_series
from unrolled.data.windows import WindowLoader, features
from unrolled.errors import ConfigError
from unrolled.models.base import SequenceModel
from unrolled.models.forecaster import ForecastNetwork
from unrolled.tasks.base import Estimator, Scored
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.forecasting import (
    ForecastBaseline,
    LinearAutoregression,
    Persistence,
    SeasonalNaive,
)
from unrolled.tasks.forecasting.config import ForecastConfig, ForecastOptions
from unrolled.tasks.forecasting.future import (
    continued,
    joined,
    row,
    series_from_dict,
    series_to_dict,
    shown,
)
from unrolled.tasks.forecasting.loss import ForecastLoss
from unrolled.tasks.forecasting.preparation import Preparation
from unrolled.tasks.forecasting.scores import Forecasts, forecast_scores
from unrolled.tasks.forecasting.spans import Span
from unrolled.tasks.forecasting.start import LinearStart
from unrolled.tasks.forecasting.warmup import WarmUp
from unrolled.tasks.options import validated

_DRAWN = 366
"""Steps of a series that an evaluation keeps for the report."""
_WINDOWS = 10_000
"""Training windows an epoch at most, unless the stride says otherwise."""


class Forecaster(Estimator[Span]):
    """Forecast series of numbers: one model for all series, one or several steps ahead, with quantiles.

    The data is a table in long format, one row a step, from a file or a pandas DataFrame; or a list of
    `unrolled.data.example.Series`. Other columns of numbers are read as covariates, known up to the present;
    the calendar of the next step is the only input from the future. Missing numbers are allowed.

    Every step of a training window forecasts what followed it. Scores are those of rolling origins: from
    every step of the scored part, the next ``horizon`` steps are forecast from the ``context`` steps up to
    it.

    Example:
        >>> import pandas as pd
        >>> wave = pd.DataFrame({"t": range(300), "y": np.sin(np.arange(300) * 0.3)})
        >>> forecaster = Forecaster(context=14, epochs=4, quantiles=()).fit(wave)
        >>> scores = forecaster.dev_evaluation
        >>> scores.scores["rmse"] < scores.baselines["persistence"]["rmse"]
        True
    """

    task: ClassVar[str] = "forecast"
    Config = ForecastConfig
    Options: ClassVar[type[ForecastOptions]] = ForecastOptions
    effective: ForecastConfig

    def _reset(self) -> None:
        super()._reset()
        self._prepared: Preparation | None = None
        self._start: LinearStart | None = None
        self._before_test: tuple[Series, ...] | None = None
        self._latest: tuple[Series, ...] = ()

    @property
    def monitored(self) -> tuple[str, Literal["min", "max"]]:
        """The error that fits the point forecast, relative where series of several sizes are mixed."""
        if len(self._preparation.scalings) > 1:
            return "mase", "min"
        return ("rmse" if self.effective.point == "mean" else "mae"), "min"

    def predict(self, data: Any = None, **options: Any) -> list[dict[str, Any]]:
        """What follows each series.

        Args:
            data: series up to the present, in any form that `fit` takes; None goes on from the end of the
                data given to `fit`.
            options: ``steps``: how many steps ahead, the horizon by default. Beyond the horizon the point
                forecast is fed back as if it had come, with the covariates as they were last; the quantiles
                there are those given that path, too narrow for the true future.

        Returns:
            A row for each series and step: ``unique_id``, ``ds``, ``y`` and one column a quantile, ``y_0.1``.
        """
        self._require_fitted()
        steps = validated(ForecastOptions, options).steps or self.effective.horizon
        series = self._latest if data is None else self._load(data)
        return [line for one in series for line in self._future(one, steps)]

    def _future(self, series: Series, steps: int) -> list[dict[str, Any]]:
        times = future_times(series, steps)
        found: list[NDArray[np.float64]] = []
        extended = series
        while len(found) < steps:
            made = self._forecast(extended, np.array([len(extended) - 1]))[0]
            found.extend(made)
            extended = continued(series, times, np.array([numbers[0] for numbers in found[:steps]]))
        return [
            row(series.unique_id, time, numbers, self.effective.quantiles)
            for time, numbers in zip(times, found, strict=False)
        ]

    @property
    def _preparation(self) -> Preparation:
        if self._prepared is None:
            raise ConfigError("this Forecaster has seen no data yet; call fit(train) first")
        return self._prepared

    def _load(self, data: Any) -> tuple[Series, ...]:
        if isinstance(data, Sequence) and not isinstance(data, str):
            return tuple(data)
        config = self.effective
        return load_series(
            data,
            unique_id=config.id_column,
            time=config.time_column,
            target=config.target_column,
            covariates=config.covariates,
            season=config.season,
        )

    def _read(self, data: Any, *, labelled: bool) -> Span:
        """Read series; those that go on right after the data of `fit` are forecast from their first step on.

        Of others the first ``context`` steps are only looked back at.
        """
        pairs = [joined(one, self._latest) for one in self._load(data)]
        series, known = tuple(one for one, _ in pairs), tuple(start for _, start in pairs)
        if self._model is None:  # in fit: the training data, and then the dev data, which may follow it
            names = {one.unique_id for one in series}
            self._latest = (*series, *(one for one in self._latest if one.unique_id not in names))
        return Span(series, known)

    def _hold_out(self, data: Span) -> tuple[Span, Span, str]:
        config = self.effective
        before, self._kept_apart = data.split(config.test_share, config.horizon)
        self._before_test = before.series
        train, dev = before.split(config.holdout, config.horizon)
        sentence = (
            f"No dev data was given: the last {config.test_share:.0%} of each series is kept for the scores, "
            f"and the last {config.holdout:.0%} of what comes before is held out for early stopping."
        )
        return train, dev, sentence

    def _prepare(self, train: Span) -> None:
        config = self.effective
        first = train.series[0]
        self._prepared = Preparation.learn(train.series, config.scaling, config.calendar)
        if config.context is None:
            # A third of the shortest series leaves it some windows.
            shortest = min(map(len, train.series))
            context = max(2, min(max(28, 2 * first.season), shortest // 3))
            self._decide(f"Each forecast looks back {context} steps.", context=context)
        if first.names:
            self._note(f"Covariates, known up to the present: {', '.join(first.names)}.")
        if config.lags is None:
            lags = min(self._usual_order(first), max(1, cast(int, self.effective.context) // 2))
            self._decide(f"A direct linear connection sees the last {lags} numbers.", lags=lags)
        series = [self._preparation.apply(one) for one in train.series]
        lags = cast(int, self.effective.lags)
        self._start = LinearStart.fit(series, config.horizon, lags, self._preparation.mask)

    def _build_model(self) -> SequenceModel:
        config = self.effective
        model = ForecastNetwork(
            self._input_size,
            config.horizon,
            config.quantiles,
            config,
            cast(int, config.lags),
            config.input_noise,
        )
        if self._start is not None:
            model.start(self._start.spread, self._start.weight, self._start.bias)
        return model

    def _usual_order(self, series: Series) -> int:
        return self.effective.ar_order or (series.season if 7 <= series.season <= 48 else 7)

    @property
    def _input_size(self) -> int:
        return 1 + len(self._preparation.names) + self._preparation.cycles + self._preparation.mask

    def _loader(self, data: Span, *, training: bool) -> WarmUp:
        config = self.effective
        context = cast(int, config.context)
        stride = config.stride
        if stride is None:
            steps = sum(len(one) for one in data.series)
            stride = max(1, context // 7, steps // _WINDOWS)
        windows = WindowLoader(
            [self._preparation.apply(one) for one in data.series],
            context,
            config.horizon,
            config.batch_size,
            seed=config.seed,
            stride=stride,
            per_step=True,
            shuffle=training,
            mask=self._preparation.mask,
            shard=self._shard if training else (0, 1),
        )
        return WarmUp(windows, cast(int, config.lags) - 1)

    def _loss(self) -> ForecastLoss:
        model, config = cast(ForecastNetwork, self.model), self.effective
        return ForecastLoss(config.point, config.quantiles, model.spread, config.loss_reduction)

    def _origins(self, data: Span) -> list[NDArray[np.int64]]:
        return data.origins(cast(int, self.effective.context), self.effective.horizon)

    def _forecast(self, series: Series, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Forecasts ``(origin, horizon, 1 + quantiles)`` from each of the given steps, scaled back."""
        context = cast(int, self.effective.context)
        values = features(self._preparation.apply(series), mask=self._preparation.mask)
        found = []
        for chosen in np.array_split(origins, -(-len(origins) // 1024)):
            lengths = np.minimum(chosen + 1, context)
            at = (chosen + 1 - lengths)[:, None] + np.arange(context)
            windows = values[np.minimum(at, len(values) - 1)]
            with torch.no_grad():
                outputs, _ = self.model(
                    {"values": torch.from_numpy(windows).to(self.device)},
                    torch.from_numpy(lengths).to(self.device),
                )
            found.append(outputs[torch.arange(len(chosen)), lengths - 1].double().cpu().numpy())
        return self._preparation.scaling(series).undo(np.concatenate(found))

    def _scorer(self, data: Span) -> Callable[[], Scored]:
        origins = self._origins(data)
        ahead = np.arange(1, self.effective.horizon + 1)
        if all(
            np.isnan(one.values[at[:, None] + ahead]).all()
            for one, at in zip(data.series, origins, strict=True)
        ):
            raise data.series[0].source.error("expected numbers to compare the forecasts with, got none")

        def score() -> Scored:
            made = [(one, at, self._forecast(one, at)) for one, at in zip(data.series, origins, strict=True)]
            forecasts = [self._beside(one, at, found) for one, at, found in made]
            count = sum(int((~np.isnan(each.actual)).sum()) for each in forecasts)
            examples = tuple(self._example(*each) for each in made[:3])
            scores = forecast_scores(forecasts, self.effective.quantiles)
            return Scored(scores, count, "forecasts", examples)

        return score

    def _beside(self, series: Series, origins: NDArray[np.int64], found: NDArray[np.float64]) -> Forecasts:
        ahead = np.arange(1, self.effective.horizon + 1)
        return Forecasts(
            series.values[origins[:, None] + ahead],
            found[..., 0],
            found[..., 1:],
            self._preparation.seasonal_error(series, int(origins[0]) + 1),
        )

    def _example(
        self, series: Series, origins: NDArray[np.int64], found: NDArray[np.float64]
    ) -> dict[str, Any]:
        """The end of the scored part, each step forecast once."""
        horizon = self.effective.horizon
        chosen = np.arange(len(origins) - 1, -1, -horizon)[::-1][-max(1, _DRAWN // horizon) :]
        steps = (origins[chosen][:, None] + np.arange(1, horizon + 1)).ravel()
        drawn = found[chosen].reshape(len(steps), -1)
        example: dict[str, Any] = {
            "series": series.unique_id,
            "time": [shown(time) for time in series.times[steps]],
            "actual": [None if np.isnan(number) else float(number) for number in series.values[steps]],
            "forecast": drawn[:, 0].tolist(),
        }
        if len(self.effective.quantiles) > 1:
            example |= {"lower": drawn[:, 1].tolist(), "upper": drawn[:, -1].tolist()}
        return example

    def _fit_baselines(self, train: Span) -> Iterable[Baseline]:
        # They have nothing to tune, so they learn from the dev share as well.
        series = self._before_test or train.series
        season = series[0].season
        order = self._usual_order(series[0])
        order = min(order, max(1, min(map(len, series)) // 3))
        scaled = [self._preparation.scaling(one).apply(one.values) for one in series]
        yield Persistence()
        if season > 1:
            yield SeasonalNaive(season)
        yield LinearAutoregression.fit(scaled, order)
        self._note(f"The linear autoregression looks back {order} steps.")

    def _score_baseline(self, baseline: Baseline, data: Span) -> Mapping[str, float]:
        simple = cast(ForecastBaseline, baseline)
        forecasts = []
        for one, origins in zip(data.series, self._origins(data), strict=True):
            scaling = self._preparation.scaling(one)
            found = simple.forecast(scaling.apply(one.values), origins, self.effective.horizon)
            forecasts.append(self._beside(one, origins, scaling.undo(found)[..., None]))
        return forecast_scores(forecasts)

    def _vocabularies(self) -> dict[str, Any]:
        context = cast(int, self.effective.context)
        return {
            "preparation": self._preparation.to_dict(),
            "latest": [
                series_to_dict(one.slice(max(0, len(one) - context), len(one))) for one in self._latest
            ],
        }

    def _restore(self, vocabularies: Mapping[str, Any]) -> None:
        self._prepared = Preparation.from_dict(vocabularies["preparation"])
        self._latest = tuple(series_from_dict(each) for each in vocabularies["latest"])

    @classmethod
    def _baseline_kinds(cls) -> tuple[type[Baseline], ...]:
        return (Persistence, SeasonalNaive, LinearAutoregression)
