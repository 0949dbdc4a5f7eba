"""Splice junctions in DNA, no string twice, a fixed fifth for testing: beside a linear model of places."""

import csv
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.quality.claim import claim, data_folder

with (data_folder() / "dna_splice" / "splice.csv").open(newline="") as file:
    known = {row["sequence"].strip(): row["label"].strip() for row in csv.DictReader(file)}
strings = sorted(known)
order = np.random.default_rng(0).permutation(len(strings)).tolist()
parts = {"test": order[: len(order) // 5], "train": order[len(order) // 5 :]}
with tempfile.TemporaryDirectory() as folder:
    tables = {split: Path(folder) / f"{split}.csv" for split in parts}
    for split, table in tables.items():
        with table.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["sequence", "label"])
            rows.writerows((strings[place], known[strings[place]]) for place in parts[split])
    claim("accuracy", 0.95, ["classify", str(tables["train"]), "--test", str(tables["test"])], better="more")
