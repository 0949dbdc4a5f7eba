"""Commands to actions (SCAN, simple split, test): every symbol right, beside the nearest command seen."""

from benchmarks.quality.claim import claim, data_folder

folder = data_folder() / "scan"
train, test = (str(folder / f"tasks_{part}_simple.txt") for part in ("train", "test"))
claim("exact match", 0.99, ["translate", train, "--test", test], better="more")
