"""Peak memory of one training batch, in a process of its own, beyond what model and data take."""

import psutil
import torch
from torch import nn

from benchmarks.processes import apart, peak_memory
from unrolled import LSTM
from unrolled.data.batches import Batch
from unrolled.models.base import SequenceModel
from unrolled.training import BPTT, Carry, CrossEntropy, FullBPTT, TrainingConfig, TruncatedBPTT
from unrolled.training.processes import build_accelerator

CLASSES, INPUTS, HIDDEN, ROWS = 32, 8, 64, 8


class Model(SequenceModel):
    def __init__(self):
        super().__init__()
        self.layer = LSTM(INPUTS, HIDDEN, batch_first=True)
        self.output = nn.Linear(HIDDEN, CLASSES)

    @property
    def causal(self):
        return True

    def initial_state(self, batch_size):
        return self.layer.initial_state(batch_size)

    def forward(self, inputs, lengths=None, state=None):
        outputs, state = self.layer(inputs["values"], state, lengths=lengths)
        return self.output(outputs), state


def peak_megabytes(kind: str, length: int) -> float:
    """Of one batch of a length; kind: full, full:SEGMENT or truncated:WINDOW[:REACH]."""
    return apart(measure, bptt_of(kind), length)


def bptt_of(kind: str) -> BPTT:
    name, *numbers = kind.split(":")
    return {"full": FullBPTT, "truncated": TruncatedBPTT}[name](*map(int, numbers))


def measure(bptt: BPTT, length: int) -> float:
    """Megabytes that the resident memory peaked above what it was before the batch."""
    accelerator = build_accelerator(TrainingConfig(device="cpu"))
    torch.manual_seed(0)
    model = Model()

    def train(length: int) -> None:
        batch = Batch(
            {"values": torch.randn(ROWS, length, INPUTS)},
            torch.full((ROWS,), length),
            torch.randint(CLASSES, (ROWS, length)),
            True,
        )
        before.append(psutil.Process().memory_info().rss)
        for _ in bptt.updates(model, CrossEntropy(), batch, Carry(), accelerator):
            model.zero_grad()

    before: list[int] = []
    train(256)  # what the first run sets up once is no part of the peak
    train(length)
    return (peak_memory() - before[-1]) / 2**20
