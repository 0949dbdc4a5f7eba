"""The options of a forecaster: of its training, and of its forecasts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from unrolled.models.config import Share, Size
from unrolled.tasks.config import TaskConfig
from unrolled.tasks.prediction import PredictOptions
from unrolled.tasks.work import LONGER, WIDER


class ForecastConfig(TaskConfig):
    """The options of training a forecaster; the defaults suit a few hundred to a few thousand steps."""

    id_column: str | None = Field(
        None,
        description="The column that names the series; by default unique_id or a like name, if there is one.",
    )
    time_column: str | None = Field(
        None,
        description="The column of dates or numbers, or two with a comma between them, of dates and of clock "
        "times; by default ds, date or a like name.",
    )
    target_column: str | None = Field(
        None,
        description="The column to forecast, or several with commas between, by one network; by default y, "
        "value or target, else the first one of numbers.",
    )
    covariates: tuple[str, ...] | None = Field(
        None,
        description="Columns that help, known up to the present; by default all others of numbers, and those "
        "of a few different texts.",
    )
    categories: tuple[str, ...] | None = Field(
        None,
        description="Those of the covariates whose numbers stand for categories, such as a shop's kind; "
        "texts are categories in any case.",
    )
    future_covariates: tuple[str, ...] | None = Field(
        None,
        description="Those of the covariates that are known ahead, such as prices, promotions and holidays: "
        "they are read for the whole horizon; by default those that the training data has after its last "
        "number to forecast.",
    )
    dayfirst: bool | None = Field(
        None,
        description="Whether the day comes before the month in dates such as 01/02/2024; by default as the "
        "whole column shows.",
    )
    time_zone: str | None = Field(
        None,
        description="The zone by whose clocks the series go, such as Europe/Berlin, where dates are written "
        "without their offset, or in UTC; by default as they show.",
    )
    season: int | None = Field(
        None,
        ge=1,
        description="Steps after which the series repeat; by default what is usual for their dates, or what "
        "they show.",
    )
    horizon: Size = Field(1, description="How many steps ahead are forecast at once.")
    context: int | None = Field(
        None,
        ge=2,
        description="Steps of the past that are read; by default 28, or if that is more, two seasons, or "
        "the lags and one season.",
    )
    lags: int | None = Field(
        None,
        ge=1,
        description="Numbers that a linear connection sees beside the network; by default as ar_order, or a "
        "cycle of several seasons, such as a week of days, where the series show one.",
    )
    stride: int | None = Field(
        None,
        ge=1,
        description="Steps between training windows; by default a fifth of those that a window teaches, or "
        "more.",
    )
    point: Literal["auto", "mean", "median"] = Field(
        "auto",
        description="The point forecast: the mean (squared error) or the median (absolute error); auto takes "
        "the median where several series of different sizes are mixed.",
    )
    quantiles: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.1, 0.9),
        description="Quantiles forecast beside the point, such as 0.1 and 0.9; none are possible too.",
    )
    scaling: Literal["auto", "standard", "log", "minmax", "none"] = Field(
        "auto",
        description="How every series is scaled; forecasts are scaled back. log scales the logarithms; auto "
        "does where several series are mixed and all numbers are above zero, else standard.",
    )
    relative: bool | None = Field(
        None,
        description="Read numbers relative to the mean of the last lags, so that no level is new to the "
        "network; by default where several series are mixed.",
    )
    calendar: bool = Field(
        True,
        description="Read the next step's place in the year, week and day, as its date or season gives it.",
    )
    holidays: tuple[str, ...] = Field(
        (),
        description="Countries, such as DE, or parts of them, such as DE-BY, whose public holidays are read "
        "for the whole horizon, of steps of a day or shorter.",
    )
    input_noise: float = Field(
        0.3,
        ge=0,
        description="Standard deviation of noise on the scaled inputs in training, against overfitting.",
    )
    test_share: float = Field(
        0.2, gt=0, lt=0.9, description="Last share of the steps to be tested on when no dev data is given."
    )
    origins: int | None = Field(
        None,
        ge=1,
        description="Keep so many horizons of each series for the scores, in place of test_share, and "
        "forecast from the step before each of them: a backtest.",
    )
    ar_order: int | None = Field(
        None,
        ge=1,
        description="Steps the linear autoregression looks back; by default 7, or a season up to 48.",
    )

    refit: bool | None = Field(
        None,
        description="After the scores are taken, train once more on all the data, for as many epochs as were "
        "best; by default where it is one series.",
    )
    holdout: float = Field(
        0.2, gt=0, lt=1, description="Share of the steps before the test share that is held out as dev data."
    )
    hidden_size: Size | tuple[Size, ...] = Field(
        32, description="Units of each recurrent layer; several numbers give every layer its own width."
    )
    dropout: Share = Field(0.2, description="Share of units dropped between layers and before the output.")
    epochs: int = Field(40, ge=1, description="Passes over the training data, at most.")
    learning_rate: float = Field(3e-3, gt=0, description="Size of the updates, after warm-up.")
    weight_decay: float = Field(
        0.01, ge=0, description="Decay of weight matrices; biases and gains never decay."
    )
    schedule: Literal["constant", "plateau", "cosine"] = Field(
        "cosine",
        description="How the learning rate falls: not, when the dev score stands still, or as a cosine.",
    )
    patience: int | None = Field(
        15,
        ge=1,
        description="Epochs without a better dev score before training stops; none never stops early.",
    )

    @field_validator("quantiles")
    @classmethod
    def _rising(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if list(levels) != sorted(set(levels)):
            raise ValueError(f"expected rising levels without repeats, got {levels}")
        return levels


class ScoringOptions(PredictOptions):
    """The options of scoring a trained model.

    Example:
        >>> ScoringOptions(origins=4).origins
        4
    """

    origins: int | None = Field(
        None,
        ge=1,
        description="Score forecasts from the last so many steps of each series that are a horizon apart, "
        "and say how good those from each were, instead of from every step.",
    )


class ForecastOptions(PredictOptions):
    """The options of a forecast from a trained model.

    Example:
        >>> ForecastOptions(steps=14).steps
        14
    """

    steps: int | None = Field(
        None,
        ge=1,
        description="How many steps ahead; beyond the horizon forecasts are fed back.",
        json_schema_extra=LONGER,
    )
    paths: int = Field(
        100,
        ge=2,
        description="Paths drawn beyond the horizon, whose spread gives the quantiles there.",
        json_schema_extra=WIDER,
    )
