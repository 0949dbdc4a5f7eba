"""Claim: at length 10,000, `checkpoint_every` needs less than a tenth of the memory of plain BPTT.

    python -m benchmarks.checkpoint_memory

Prints both peaks beyond model and data, and fails when the claim does not hold.
"""

import statistics
import sys

from benchmarks.machine import machine
from benchmarks.memory import HIDDEN, ROWS, peak_megabytes

LENGTH, EVERY, REPEATS = 10_000, 100, 3


def main() -> None:
    print(machine())
    peaks: dict[str, list[float]] = {"full": [], f"full:{EVERY}": []}
    for _ in range(REPEATS):
        for kind, seen in peaks.items():
            seen.append(peak_megabytes(kind, LENGTH))
    plain, recomputed = (statistics.median(seen) for seen in peaks.values())
    print(
        f"LSTM of {HIDDEN} units, {ROWS} rows of {LENGTH:,} steps, peak beyond model and data, "
        f"median of {REPEATS} runs: "
        f"plain {plain:.1f} MB, checkpoint_every={EVERY} {recomputed:.1f} MB, {recomputed / plain:.1%}"
    )
    print("holds" if recomputed < plain / 10 else "does not hold")
    sys.exit(recomputed >= plain / 10)


if __name__ == "__main__":
    main()
