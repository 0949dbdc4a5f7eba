"""How fast the recurrences are, beside what else one could use: `python -m benchmarks.recurrence --help`."""
