"""The English word for a handwritten digit (MNIST, test), beside that of the nearest training image."""

import tempfile
from pathlib import Path

from benchmarks.quality.claim import claim, data_folder
from benchmarks.quality.digits import write_tables

with tempfile.TemporaryDirectory() as folder:
    tables = write_tables(data_folder() / "mnist" / "mnist.npz", Path(folder))
    claim(
        "exact match",
        0.97,
        ["caption", str(tables["train"]), "--test", str(tables["test"])],
        better="more",
    )
