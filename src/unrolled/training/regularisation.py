"""Terms that hold the size of the error on its way back, added to the gradient of each update."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from unrolled.diagnosis.observation import Observation
from unrolled.diagnosis.penalties import flossing, omega
from unrolled.diagnosis.probes import probed
from unrolled.diagnosis.recurrence import Recurrence
from unrolled.layers.scan import Scan, Steps
from unrolled.layers.stack import RecurrentLayer

if TYPE_CHECKING:
    from unrolled.training.config import TrainingConfig


class Regularisation:
    """Observes a model's recurrent layers and computes the terms that the options ask for.

    Args:
        model: its recurrent layers are observed until `close`, where any term has a weight.
        config: the weights.

    Raises:
        ConfigError: a term has a weight, and the model has no recurrent layer.
    """

    def __init__(self, model: nn.Module, config: TrainingConfig) -> None:
        weights = {omega: config.omega, flossing: config.flossing}
        self._terms: dict[Callable[[Recurrence], Tensor], float] = {
            term: weight for term, weight in weights.items() if weight
        }
        self._received: list[Recurrence] = []
        self._observation = Observation(model, self._around) if self._terms else None

    def _around(self, name: str, layer: RecurrentLayer, scan: Scan, run: Callable[[Scan], Steps]) -> Steps:
        return probed(name, layer, scan, run, self._received.append)

    def term(self) -> Tensor | None:
        """The weighted terms of the recurrences that an error came through since the last time.

        Returns:
            The mean over recurrences, a scalar with a graph to the weights; None where there is none.
        """
        received, self._received[:] = list(self._received), []
        if not received:
            return None
        parts = [weight * term(each) for each in received for term, weight in self._terms.items()]
        return torch.stack([part.to(parts[0].dtype) for part in parts]).sum() / len(received)

    def close(self) -> None:
        """Leave the model as it was."""
        if self._observation is not None:
            self._observation.close()
