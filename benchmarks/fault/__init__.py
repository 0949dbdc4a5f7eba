"""Faults, each provoked many times at moments drawn at random: what `benchmarks.faults` runs and counts."""
