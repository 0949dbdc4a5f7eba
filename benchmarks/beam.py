"""Claim: a beam of 5 costs less than 5 times greedy decoding on the same batch.

    python -m benchmarks.beam

A translator's network with default settings and random weights writes for the same sources, greedily and with
a beam, in turns; with random weights hardly any sequence stops early, so both write equally many symbols.
"""

import statistics
import sys
import time

import numpy as np
import torch

from benchmarks.machine import machine
from unrolled.data.buckets import Encoded
from unrolled.models.encoder_decoder import EncoderDecoder
from unrolled.tasks.translation.config import TranslateConfig
from unrolled.tasks.translation.network import build_network
from unrolled.tasks.writing.decoding import decode

ROUNDS = 7
SEQUENCES, SOURCE, TARGET = 128, 20, 40
WIDTH = 5


def seconds(model: EncoderDecoder, items: list[Encoded], width: int) -> tuple[float, int]:
    """The time to decode, and the symbols of the best sequences."""
    started = time.perf_counter()
    found = decode(model, items, [TARGET] * len(items), beam_size=width)
    return time.perf_counter() - started, sum(len(each[0].symbols) for each in found)


def main() -> None:
    print(machine())
    holds = True
    for vocabulary in (100, 10_000):
        torch.manual_seed(0)
        generator = np.random.default_rng(0)
        model = build_network(TranslateConfig(), vocabulary, vocabulary)
        end = np.zeros(1, dtype=np.int64)
        items = [
            Encoded({"tokens": generator.integers(2, vocabulary, size=SOURCE)}, end) for _ in range(SEQUENCES)
        ]
        greedy, beam, symbols = [], [], (0, 0)
        for width in (1, WIDTH):
            seconds(model, items, width)
        for _ in range(ROUNDS):
            one, one_symbols = seconds(model, items, 1)
            several, several_symbols = seconds(model, items, WIDTH)
            greedy.append(one)
            beam.append(several)
            symbols = one_symbols, several_symbols
        times = statistics.median(greedy), statistics.median(beam)
        ratio = times[1] / times[0]
        holds &= ratio < WIDTH
        shown = [
            f"{name} {spent:.3f} s ({count:,} symbols, {SEQUENCES / spent:,.0f} sequences/s)"
            for name, spent, count in zip(("greedy", f"beam {WIDTH}"), times, symbols, strict=True)
        ]
        print(f"vocabulary {vocabulary:,}: {', '.join(shown)}: {ratio:.2f} times", flush=True)
    print("holds" if holds else "does not hold")
    sys.exit(not holds)


if __name__ == "__main__":
    main()
