"""The M4 competition's hourly series, 48 hours ahead, by one model, beside the seasonal naive forecast."""

from benchmarks.quality.claim import claim, data_folder

hourly = data_folder() / "m4_hourly"
claim(
    "mase",
    1.19,
    [
        "forecast",
        str(hourly / "Hourly-train.csv"),
        "--horizon",
        "48",
        "--test",
        str(hourly / "Hourly-test.csv"),
    ],
    better="less",
    smape=13.9,
)
