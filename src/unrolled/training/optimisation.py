"""How weights move: optimisers, learning-rate schedules, averaged weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import cos, pi
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from unrolled.training.config import TrainingConfig


def build_optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """The optimiser that the options ask for; only matrices decay, biases and gains do not."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [weight for weight in trained if weight.dim() >= 2], "weight_decay": config.weight_decay},
        {"params": [weight for weight in trained if weight.dim() < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=config.learning_rate)
    if config.optimizer == "rmsprop":
        return torch.optim.RMSprop(groups, lr=config.learning_rate)
    # Averaged SGD is plain SGD whose iterates are averaged beside it: momentum would average them twice.
    momentum = config.momentum if config.optimizer == "sgd" else 0.0
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=momentum)


class Schedule:
    """The learning rate at every batch: linear warm-up, then constant, plateau or cosine.

    Args:
        config: the options.
        batches: of the whole training.

    Example:
        >>> from unrolled.training.config import TrainingConfig
        >>> schedule = Schedule(TrainingConfig(learning_rate=1.0, warmup=4, schedule="cosine"), batches=104)
        >>> [round(schedule.learning_rate(batch), 2) for batch in (0, 3, 4, 54, 103)]
        [0.25, 1.0, 1.0, 0.5, 0.0]
    """

    def __init__(self, config: TrainingConfig, batches: int) -> None:
        self._config = config
        self._batches = batches
        self._warmup = config.warmup * batches if config.warmup < 1 else config.warmup
        self._factor = 1.0
        self._waited = 0

    def learning_rate(self, batch: int) -> float:
        """The learning rate of a batch, counted from 0 over all epochs."""
        rate = self._config.learning_rate * self._factor
        if batch < self._warmup:
            return rate * min(1.0, (batch + 1) / self._warmup)
        if self._config.schedule == "cosine":
            done = (batch - self._warmup) / max(1.0, self._batches - self._warmup)
            return rate * 0.5 * (1 + cos(pi * min(1.0, done)))
        return rate

    def end_epoch(self, better: bool) -> None:
        """Note whether the dev score became better than ever; on a plateau the rate goes down."""
        if self._config.schedule != "plateau":
            return
        self._waited = 0 if better else self._waited + 1
        if self._waited > self._config.plateau_patience:
            self._factor *= self._config.plateau_factor
            self._waited = 0

    def state(self) -> dict[str, Any]:
        """What a checkpoint must keep."""
        return {"factor": self._factor, "waited": self._waited}

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""
        self._factor, self._waited = state["factor"], state["waited"]


class WeightAverage:
    """The mean of the weights over the updates since averaging began (Polyak & Juditsky 1992).

    With a patience it begins when the dev score has not become better for so many epochs, the non-monotonic
    trigger of Merity, Keskar & Socher (2018).
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean: dict[str, Tensor] = {}

    def update(self, model: nn.Module) -> None:
        """Take the present weights into the mean."""
        self.count += 1
        for name, parameter in model.named_parameters():
            weight = parameter.detach()
            if name not in self.mean:
                self.mean[name] = weight.clone()
            else:
                self.mean[name].lerp_(weight, 1 / self.count)

    def assign(self, model: nn.Module) -> None:
        """Give the model the mean; nothing happens before averaging began."""
        _set_weights(model, self.mean)

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Put the mean in the model's place inside the `with`; nothing happens before averaging began."""
        parameters = dict(model.named_parameters())
        own = {name: parameters[name].detach().clone() for name in self.mean}
        _set_weights(model, self.mean)
        try:
            yield
        finally:
            _set_weights(model, own)

    def restore(self, count: int, mean: Mapping[str, Tensor]) -> None:
        """Take up an average again."""
        self.count, self.mean = count, dict(mean)


def _set_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, weight in weights.items():
            parameters[name].copy_(weight)
