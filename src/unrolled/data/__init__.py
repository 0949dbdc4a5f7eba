"""Files to examples to batches; knows no layers, models or tasks."""
