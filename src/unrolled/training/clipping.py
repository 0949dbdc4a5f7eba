"""Gradient clipping, against gradients that explode (Pascanu, Mikolov & Bengio 2013)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from unrolled.training.config import TrainingConfig


@dataclass(frozen=True, slots=True)
class Clipped:
    """What clipping met: the gradient's norm before it, and whether it changed the gradient."""

    norm: float
    clipped: bool


class Clipping(ABC):
    """Limits the gradient before a step."""

    def __call__(self, parameters: Iterable[nn.Parameter]) -> Clipped:
        """Clip the gradients of the parameters in place."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        return Clipped(float(norm), self._clip(gradients, norm))

    @abstractmethod
    def _clip(self, gradients: list[Tensor], norm: Tensor) -> bool:
        """Change the gradients in place; True when they were changed."""

    def state(self) -> dict[str, float]:
        """What a checkpoint must keep."""
        return {}

    def restore(self, state: Mapping[str, float]) -> None:  # noqa: B027, most kinds keep nothing
        """The inverse of `state`."""


class NoClipping(Clipping):
    """Leaves the gradient as it is, and measures it."""

    def _clip(self, gradients: list[Tensor], norm: Tensor) -> bool:
        return False


class NormClipping(Clipping):
    """Scales a gradient whose norm exceeds the threshold down to it (Pascanu et al. 2013, algorithm 1).

    Example:
        >>> weight = nn.Parameter(torch.zeros(2))
        >>> weight.grad = torch.tensor([3.0, 4.0])
        >>> NormClipping(1.0)([weight]), [round(value, 3) for value in weight.grad.tolist()]
        (Clipped(norm=5.0, clipped=True), [0.6, 0.8])
    """

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold

    def _clip(self, gradients: list[Tensor], norm: Tensor) -> bool:
        return _scale_down(gradients, norm, self.threshold)


class ValueClipping(Clipping):
    """Limits every element to the threshold and its negative (Mikolov 2012)."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold

    def _clip(self, gradients: list[Tensor], norm: Tensor) -> bool:
        clipped = any(bool((gradient.abs() > self.threshold).any()) for gradient in gradients)
        if clipped:
            for gradient in gradients:
                gradient.clamp_(-self.threshold, self.threshold)
        return clipped


class StepClipping(Clipping):
    """Limits the error that enters the gates at every time step, inside the backward pass (Graves 2013).

    The recurrent layers do it, through their attribute `clip_step`; what arrives here is only measured.

    Args:
        model: its recurrent layers are set.
        threshold: the limit of each element of the error.
    """

    def __init__(self, model: nn.Module, threshold: float) -> None:
        for module in model.modules():
            if hasattr(module, "clip_step"):
                setattr(module, "clip_step", threshold)  # noqa: B010, a plain assignment needs the class of the layer

    def _clip(self, gradients: list[Tensor], norm: Tensor) -> bool:
        return False


class AutoClipping(Clipping):
    """Scales down to a multiple of the running average norm (Pascanu et al. 2013, section 3.2).

    The paper finds half to ten times the average norm to work alike. The first gradient is never clipped. A
    norm enters the average as at most ten times the average, so that one explosion does not lift it.

    Args:
        multiple: of the average norm.
        decay: of the exponential average.
    """

    def __init__(self, multiple: float, decay: float = 0.99) -> None:
        self.multiple = multiple
        self.decay = decay
        self.average = 0.0
        self._weight = 0.0

    def _clip(self, gradients: list[Tensor], norm: Tensor) -> bool:
        clipped = self._weight > 0 and _scale_down(gradients, norm, self.multiple * self.average)
        value = float(norm)
        if isfinite(value):
            entering = min(value, 10 * self.average) if self._weight else value
            # Divided by the weight so far, so that the first norms are averaged without a bias towards 0.
            weight = self.decay * self._weight + 1 - self.decay
            self.average += (1 - self.decay) / weight * (entering - self.average)
            self._weight = weight
        return clipped

    def state(self) -> dict[str, float]:
        """The average and the weight of what entered it."""
        return {"average": self.average, "weight": self._weight}

    def restore(self, state: Mapping[str, float]) -> None:
        """The inverse of `state`."""
        self.average, self._weight = state["average"], state["weight"]


def build_clipping(model: nn.Module, config: TrainingConfig) -> Clipping:
    """The clipping that the options ask for."""
    threshold = config.clip_threshold
    if config.clip == "none" or threshold is None:
        return NoClipping()
    if config.clip == "step":
        return StepClipping(model, threshold)
    return {"norm": NormClipping, "value": ValueClipping, "auto": AutoClipping}[config.clip](threshold)


def _scale_down(gradients: list[Tensor], norm: Tensor, threshold: float) -> bool:
    if not norm > threshold:
        return False
    factor = threshold / norm
    for gradient in gradients:
        gradient.mul_(factor.to(gradient.device))
    return True
