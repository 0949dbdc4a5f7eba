"""The pieces of `unrolled.Forecaster`."""
