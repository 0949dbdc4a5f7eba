"""One-day-ahead temperature in Seattle: below linear autoregression, AR(7), on the last fifth of the days."""

from benchmarks.quality.claim import claim

claim("rmse", 2.89, ["forecast", "seattle-weather"], better="less")
