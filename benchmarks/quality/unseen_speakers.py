"""Spoken digits of a speaker who is not in training (FSDD, each of six): beside a linear model.

The scores are averaged over the speakers, each of whom is left out once; `--group-column` names theirs.
"""

import csv
import tempfile
from pathlib import Path

from benchmarks.quality.claim import claim, data_folder, fewer

recordings = fewer(sorted((data_folder() / "fsdd" / "recordings").resolve().glob("*.wav")), 3)
speakers = sorted({recording.stem.split("_")[1] for recording in recordings})
with tempfile.TemporaryDirectory() as name:
    commands = []
    for left_out in fewer(speakers, 3):
        folders = {split: Path(name) / left_out / split for split in ("train", "test")}
        for split, folder in folders.items():
            folder.mkdir(parents=True)
            with (folder / "metadata.csv").open("w", newline="") as file:
                rows = csv.writer(file)
                rows.writerow(["file_name", "label", "speaker"])
                for recording in recordings:
                    digit, speaker, _ = recording.stem.split("_")
                    if (speaker == left_out) == (split == "test"):
                        rows.writerow([recording, f"digit {digit}", speaker])
        files = [str(folders["train"]), "--test", str(folders["test"])]
        commands.append(["classify", *files, "--group-column", "speaker", "--read-outside"])
    claim("accuracy", 0.85, *commands, better="more")
