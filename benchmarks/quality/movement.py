"""Whether a person changes rooms, by radio signals (five folds): beside a linear model of statistics."""

import csv
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.quality.claim import claim, data_folder

FOLDS = 5

folder = (data_folder() / "indoor_movement" / "dataset").resolve()
with (folder / "MovementAAL_target.csv").open(newline="") as file:
    pairs = [(number, kind.strip()) for number, kind in list(csv.reader(file))[1:]]
files = [(folder / f"MovementAAL_RSS_{number}.csv", kind) for number, kind in pairs]
fold_of = np.random.default_rng(0).permutation(len(files)) % FOLDS
with tempfile.TemporaryDirectory() as name:
    commands = []
    for fold in range(FOLDS):
        tables = {split: Path(name) / f"{split}-{fold}.csv" for split in ("train", "test")}
        for split, table in tables.items():
            with table.open("w", newline="") as file:
                rows = csv.writer(file)
                rows.writerow(["file_name", "label"])
                rows.writerows(
                    row for row, its in zip(files, fold_of, strict=True) if (its == fold) == (split == "test")
                )
        given = [str(tables["train"]), "--test", str(tables["test"])]
        commands.append(["classify", *given, "--read-outside"])
    claim("accuracy", 0.90, *commands, better="more")
