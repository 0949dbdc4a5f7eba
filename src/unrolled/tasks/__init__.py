"""What a person wants from a network: one estimator a task."""
