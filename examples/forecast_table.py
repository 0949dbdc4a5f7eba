"""Forecast two series of a table together, with quantiles.

    python examples/forecast_table.py

The table is in long format: one row a step, with the columns unique_id, ds and y.
"""

import numpy as np
import pandas as pd

import unrolled


def sales(days: int = 200) -> pd.DataFrame:
    """Two shops with a weekly rhythm, one ten times as large as the other."""
    noise = np.random.default_rng(0)
    dates = pd.date_range("2024-01-01", periods=days)
    weekly = 5 + 3 * np.sin(2 * np.pi * np.arange(days) / 7)
    shops = [
        pd.DataFrame({"unique_id": shop, "ds": dates, "y": size * (weekly + noise.normal(0, 0.5, days))})
        for shop, size in (("corner", 1.0), ("market", 10.0))
    ]
    return pd.concat(shops)


def main() -> None:
    """Train, print the scores beside the baselines, and forecast a week."""
    forecaster = unrolled.Forecaster(hidden_size=16, epochs=10, horizon=7).fit(sales())
    print(forecaster.dev_evaluation)
    print(pd.DataFrame(forecaster.predict()).round(2).to_string(index=False))


if __name__ == "__main__":
    main()
