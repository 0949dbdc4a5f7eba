"""Handwritten digits read row by row, 28 steps (MNIST, test), beside logistic regression on pixels."""

import tempfile
from pathlib import Path

from benchmarks.quality.claim import claim, data_folder
from benchmarks.quality.digits import write_tables

with tempfile.TemporaryDirectory() as folder:
    tables = write_tables(data_folder() / "mnist" / "mnist.npz", Path(folder))
    claim(
        "accuracy",
        0.98,
        ["classify", str(tables["train"]), "--test", str(tables["test"])],
        better="more",
    )
