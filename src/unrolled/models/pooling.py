"""From one vector a step to one vector a sequence; steps beyond a row's length never count."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def real_steps(time: int, lengths: Tensor, starts: Tensor | None = None) -> Tensor:
    """True where a step is real: ``(batch, time)``.

    Args:
        time: the steps of a row.
        lengths: ``(batch,)``, how many are real.
        starts: ``(batch,)``, from which one on; None: from the first.

    Example:
        >>> real_steps(3, torch.tensor([2, 0])).int().tolist()
        [[1, 1, 0], [0, 0, 0]]
    """
    steps = torch.arange(time, device=lengths.device)
    if starts is None:
        return steps < lengths.unsqueeze(1)
    return (steps >= starts.unsqueeze(1)) & (steps < (starts + lengths).unsqueeze(1))


def last_step(
    outputs: Tensor, lengths: Tensor, bidirectional: bool = False, starts: Tensor | None = None
) -> Tensor:
    """What a recurrent layer knows when it has read all: the output at the end it reads towards.

    Args:
        outputs: ``(batch, time, size)``; for two directions the first half of ``size`` reads forwards.
        lengths: ``(batch,)``; a row of length 0 gives zeros.
        bidirectional: take the second half, which reads backwards, at the first step.
        starts: see `real_steps`.

    Returns:
        ``(batch, size)``.

    Example:
        >>> outputs = torch.arange(6.0).view(1, 3, 2)
        >>> last_step(outputs, torch.tensor([2])), last_step(outputs, torch.tensor([2]), bidirectional=True)
        (tensor([[2., 3.]]), tensor([[2., 1.]]))
    """
    if outputs.shape[1] == 0:
        return outputs.new_zeros(outputs.shape[0], outputs.shape[2])
    rows = torch.arange(outputs.shape[0], device=outputs.device)
    ends = lengths if starts is None else starts + lengths
    last = outputs[rows, (ends - 1).clamp(min=0)]
    if bidirectional:
        half = outputs.shape[2] // 2
        # Of a row without any, whose zeros do not depend on where it is looked at, one that is there.
        first = (
            outputs[:, 0] if starts is None else outputs[rows, torch.minimum(starts, (ends - 1).clamp(min=0))]
        )
        last = torch.cat([last[:, :half], first[:, half:]], dim=1)
    return last * (lengths > 0).unsqueeze(1)


def mean_step(outputs: Tensor, lengths: Tensor, starts: Tensor | None = None) -> Tensor:
    """The mean over the real steps, ``(batch, size)``; a row of length 0 gives zeros."""
    real = real_steps(outputs.shape[1], lengths, starts).unsqueeze(2)
    return torch.where(real, outputs, 0).sum(1) / lengths.clamp(min=1).unsqueeze(1)


def max_step(outputs: Tensor, lengths: Tensor, starts: Tensor | None = None) -> Tensor:
    """The largest value of each unit over the real steps, ``(batch, size)``; length 0 gives zeros."""
    if outputs.shape[1] == 0:
        return outputs.new_zeros(outputs.shape[0], outputs.shape[2])
    real = real_steps(outputs.shape[1], lengths, starts).unsqueeze(2)
    largest = outputs.masked_fill(~real, torch.finfo(outputs.dtype).min).amax(1)
    return torch.where((lengths > 0).unsqueeze(1), largest, 0)


class AttentionStep(nn.Module):
    """A weighted mean over the real steps, the weights learned: ``softmax(v . tanh(W h_t + b))``.

    Yang et al. 2016, "Hierarchical Attention Networks", equations 5 to 7.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.projection = nn.Linear(size, size)
        self.context = nn.Linear(size, 1, bias=False)

    def weights(self, outputs: Tensor, lengths: Tensor, starts: Tensor | None = None) -> Tensor:
        """The weight of every step, ``(batch, time)``; 0 beyond a row's length."""
        scores = self.context(torch.tanh(self.projection(outputs))).squeeze(2)
        real = real_steps(outputs.shape[1], lengths, starts)
        return torch.where(real, scores, torch.finfo(scores.dtype).min).softmax(1) * real

    def forward(self, outputs: Tensor, lengths: Tensor, starts: Tensor | None = None) -> Tensor:
        """From ``(batch, time, size)`` to ``(batch, size)``; a row of length 0 gives zeros."""
        return (self.weights(outputs, lengths, starts).unsqueeze(2) * outputs).sum(1)
