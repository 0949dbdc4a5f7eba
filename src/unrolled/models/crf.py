"""The linear-chain conditional random field: a probability for a whole sequence of tags.

Lafferty, McCallum and Pereira, "Conditional Random Fields" (2001). A path ``y`` through ``T`` steps has the
score ``sum over t of psi_t(y_(t-1), y_t)`` and the probability ``exp(score) / Z``. The potentials ``psi``:

    psi_0(i, j) = start_j + emission_0,j           (the same for every i)
    psi_t(i, j) = transition_i,j + emission_t,j
    and end_j is added to psi at a row's last step

They hold all there is to know, so what follows are functions of ``potentials (batch, time, tags, tags)`` and
``lengths (batch,)`` with no weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TransitionScores(nn.Module):
    """The weights of a linear-chain CRF: scores for a first tag, for a pair of tags, for a last tag."""

    def __init__(self, tags: int) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.zeros(tags))
        self.transition = nn.Parameter(torch.zeros(tags, tags))
        self.end = nn.Parameter(torch.zeros(tags))

    def forward(self, emissions: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The potentials ``(batch, time, tags, tags)`` of emissions ``(batch, time, tags)``."""
        batch, time, tags = emissions.shape
        if lengths is None:
            lengths = torch.full((batch,), time, device=emissions.device)
        step = torch.arange(time, device=emissions.device)
        before = torch.where((step == 0).view(time, 1, 1), self.start.expand(1, tags, tags), self.transition)
        at_end = (step == (lengths - 1).unsqueeze(1)).view(batch, time, 1, 1)
        return emissions.unsqueeze(2) + before + at_end * self.end


def log_partition(potentials: Tensor, lengths: Tensor) -> Tensor:
    """``log Z``, the logarithm of the sum over all paths, ``(batch,)``, by the forward algorithm.

    A row of length 0 has the one empty path: ``log Z = 0``.

    Example:
        >>> log_partition(torch.zeros(1, 3, 2, 2), torch.tensor([3])).exp()  # 2 ** 3 paths of score 0
        tensor([8.])
    """
    if potentials.shape[1] == 0:
        return potentials.new_zeros(potentials.shape[0])
    forward = potentials[:, 0, 0]
    for step in range(1, potentials.shape[1]):
        further = torch.logsumexp(forward.unsqueeze(2) + potentials[:, step], dim=1)
        forward = torch.where((step < lengths).unsqueeze(1), further, forward)
    return torch.where(lengths > 0, torch.logsumexp(forward, dim=1), 0)


def marginals(potentials: Tensor, lengths: Tensor) -> Tensor:
    """The probability of every tag at every step, ``(batch, time, tags)``, by the forward-backward algorithm.

    Example:
        >>> potentials = TransitionScores(2)(torch.tensor([[[0.0, 0.0], [0.0, 1.0986123]]]))
        >>> marginals(potentials, torch.tensor([2])).detach()
        tensor([[[0.5000, 0.5000],
                 [0.2500, 0.7500]]])
    """
    batch, time, tags, _ = potentials.shape
    if time == 0:
        return potentials.new_zeros(batch, 0, tags)
    forward, backward = [potentials[:, 0, 0]], [potentials.new_zeros(batch, tags)]
    for step in range(1, time):
        forward.append(torch.logsumexp(forward[-1].unsqueeze(2) + potentials[:, step], dim=1))
    for step in range(time - 1, 0, -1):
        earlier = torch.logsumexp(potentials[:, step] + backward[-1].unsqueeze(1), dim=2)
        backward.append(torch.where((step < lengths).unsqueeze(1), earlier, 0))
    return (torch.stack(forward, 1) + torch.stack(backward[::-1], 1)).softmax(2)


def path_score(potentials: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
    """The score ``(batch,)`` of the paths ``tags (batch, time)``."""
    batch, time = tags.shape
    before = torch.cat([tags.new_zeros(batch, 1), tags[:, :-1]], dim=1)[:, :time]
    pairs = (before * potentials.shape[3] + tags).unsqueeze(2)
    scores = potentials.flatten(2).gather(2, pairs).squeeze(2)
    real = torch.arange(time, device=tags.device) < lengths.unsqueeze(1)
    return torch.where(real, scores, 0).sum(1)


def best_path(potentials: Tensor, lengths: Tensor) -> Tensor:
    """The path of the highest score, ``(batch, time)`` int64, by Viterbi's algorithm; 0 beyond a row's end.

    Example:
        >>> potentials = TransitionScores(2)(torch.tensor([[[1.0, 0.0], [0.0, 2.0]]]))
        >>> best_path(potentials, torch.tensor([2]))
        tensor([[0, 1]])
    """
    batch, time, tags, _ = potentials.shape
    if time == 0:
        return torch.zeros(batch, 0, dtype=torch.int64, device=potentials.device)
    best = potentials[:, 0, 0]
    stay = torch.arange(tags, device=potentials.device).expand(batch, tags)
    came_from = [stay]
    for step in range(1, time):
        further, origin = (best.unsqueeze(2) + potentials[:, step]).max(dim=1)
        real = (step < lengths).unsqueeze(1)
        best = torch.where(real, further, best)
        came_from.append(torch.where(real, origin, stay))
    tag = best.argmax(1, keepdim=True)
    path = [tag]
    for origin in reversed(came_from[1:]):
        tag = origin.gather(1, tag)
        path.append(tag)
    found = torch.cat(path[::-1], dim=1)
    return torch.where(torch.arange(time, device=found.device) < lengths.unsqueeze(1), found, 0)
