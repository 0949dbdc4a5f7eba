"""Claim: the peak memory of truncated BPTT does not grow with the length of the sequence.

    python -m benchmarks.tbptt_memory

Prints the peak beyond model and data for several lengths, beside that of full BPTT, and fails when that of
truncated BPTT grows from the shortest to the longest by more than a hundredth of what full BPTT's grows by.
"""

import sys

from benchmarks.machine import machine
from benchmarks.memory import HIDDEN, ROWS, peak_megabytes

# Below 4,000 steps the allocator is still filling its free lists, which is no growth with the length.
LENGTHS = (4_000, 16_000, 64_000)
KINDS = {"truncated, window 100": "truncated:100", "truncated, window 100, reach 300": "truncated:100:300"}


def main() -> None:
    print(machine())
    print(f"LSTM of {HIDDEN} units, {ROWS} rows; peak MB beyond model and data\n")
    print(f"{'length':>34}" + "".join(f"{length:>9,}" for length in LENGTHS))
    growth = []
    for name, kind in KINDS.items():
        peaks = [peak_megabytes(kind, length) for length in LENGTHS]
        print(f"{name:>34}" + "".join(f"{peak:9.1f}" for peak in peaks), flush=True)
        growth.append(peaks[-1] - peaks[0])
    full = [peak_megabytes("full", length) for length in LENGTHS]
    print(f"{'full':>34}" + "".join(f"{peak:9.1f}" for peak in full))
    holds = max(growth) < (full[-1] - full[0]) / 100
    print("\nholds" if holds else "\ndoes not hold")
    sys.exit(not holds)


if __name__ == "__main__":
    main()
