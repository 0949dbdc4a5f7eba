"""A small model and small loaders, independent of the rooms under training."""

import torch
from torch import nn

from unrolled.data.batches import Batch
from unrolled.models.base import SequenceModel


class TinyModel(SequenceModel):
    """One LSTM cell unrolled by a loop, with learned initial state and dropout before the output."""

    def __init__(self, outputs=4, per_step=True, dropout=0.0, causal=True, hidden=5):
        super().__init__()
        self.cell = nn.LSTMCell(3, hidden)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, outputs)
        self.first = nn.ParameterList([nn.Parameter(torch.randn(1, 1, hidden)) for _ in range(2)])
        self.per_step = per_step
        self._causal = causal

    @property
    def causal(self):
        return self._causal

    def initial_state(self, batch_size):
        return tuple(first.expand(1, batch_size, -1) for first in self.first)

    def forward(self, inputs, lengths=None, state=None):
        values = inputs["values"]
        h, c = (part[0] for part in (self.initial_state(values.shape[0]) if state is None else state))
        outputs = []
        for step in range(values.shape[1]):
            h_next, c_next = self.cell(values[:, step], (h, c))
            real = torch.ones(len(h), dtype=torch.bool) if lengths is None else lengths > step
            h, c = torch.where(real[:, None], h_next, h), torch.where(real[:, None], c_next, c)
            outputs.append(h)
        states = h if not self.per_step else torch.stack(outputs, 1)
        return self.output(self.dropout(states)), (h[None], c[None])


def make_batch(seed=0, size=4, time=12, per_step=True, lengths=None, starts=None, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(size, time, 3, generator=generator, dtype=dtype)
    targets = torch.randint(4, (size, time) if per_step else (size,), generator=generator)
    lengths = torch.full((size,), time) if lengths is None else torch.tensor(lengths)
    starts = None if starts is None else torch.tensor(starts)
    return Batch({"values": values}, lengths, targets, per_step, starts)


def make_model(seed=0, dtype=torch.float64, **options):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return TinyModel(**options).to(dtype)


class TinyLoader:
    """Batches of whole sequences, or with `stream` rows that go on from batch to batch.

    Args:
        act: called with the number of each batch, over all epochs, before it is handed out.
        shard: rank and number of processes; each gets its run of the rows of the same batches.
    """

    def __init__(self, batches=5, stream=False, act=None, shard=(0, 1), time=12, size=4, per_step=True):
        self.number = batches
        self.stream = stream
        self.act = act
        self.shard = shard
        self.time = time
        self.size = size
        self.per_step = per_step

    def __len__(self):
        return self.number

    def batches(self, epoch, start=0):
        for index in range(start, self.number):
            if self.act is not None:
                self.act(epoch * self.number + index)
            starts = [index == 0, index == 0, True, index % 2 == 0] if self.stream else None
            lengths = (
                [self.time, self.time - 1, self.time, self.time // 2] if self.stream or index % 2 else None
            )
            whole = make_batch(
                1000 * epoch + index, self.size, self.time, self.per_step, lengths, starts, torch.float32
            )
            rank, world = self.shard
            own = slice(rank * self.size // world, (rank + 1) * self.size // world)
            yield Batch(
                {name: tensor[own] for name, tensor in whole.inputs.items()},
                whole.lengths[own],
                whole.targets[own],
                whole.targets_per_step,
                None if whole.starts is None else whole.starts[own],
            )
