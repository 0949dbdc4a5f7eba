"""The network of a forecaster: recurrent layers beside a direct connection from the newest numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.models.config import NetworkConfig
from unrolled.models.one_to_one import OneToOne


class ForecastNetwork(OneToOne):
    """Numbers of the next ``horizon`` steps, at every step, from the numbers so far.

    What is learnt is the change from the step's own number, the first of its inputs. The recurrent layers'
    forecast of it adds to that of a direct linear connection from the step's inputs, as the autoregressive
    part of LSTNet does (Lai et al. 2018). The recurrent part starts at zero, so training starts from the
    direct connection alone: with no change, or from where `start` puts it.

    Args:
        input_size: numbers a step.
        horizon: steps ahead.
        quantiles: the levels of the quantiles given beside the point forecast, rising.
        network: the recurrent layers.
        input_noise: standard deviation of Gaussian noise added to the recurrent layers' inputs in training,
            which keeps them from learning few numbers by heart (Bishop 1995).

    Example:
        >>> model = ForecastNetwork(3, horizon=2, quantiles=(0.1, 0.9), network=NetworkConfig(hidden_size=4))
        >>> outputs, state = model({"values": torch.zeros(1, 5, 3)})
        >>> outputs.shape
        torch.Size([1, 5, 2, 3])
        >>> outputs[0, 0, 0].detach()
        tensor([ 0.0000, -1.2816,  1.2816])
    """

    def __init__(
        self,
        input_size: int,
        horizon: int,
        quantiles: Sequence[float],
        network: NetworkConfig,
        input_noise: float = 0.0,
    ) -> None:
        super().__init__(input_size, network)
        self.horizon = horizon
        self.input_noise = input_noise
        self.spread: Tensor
        self.register_buffer("spread", torch.ones(horizon))
        self.direct = nn.Linear(input_size, horizon)
        self.output = nn.Linear(self.hidden_width, horizon * (1 + len(quantiles)))
        for parameter in (self.direct.weight, self.direct.bias, self.output.weight, self.output.bias):
            nn.init.zeros_(parameter)
        if quantiles:
            # They start as the quantiles of a standard normal distribution around the point forecast.
            normal = torch.special.ndtri(torch.tensor(quantiles, dtype=torch.float64))
            gaps = normal.diff().expm1().log()
            with torch.no_grad():
                self.output.bias.view(horizon, -1)[:, 1:] = torch.cat([normal[:1], gaps])

    def start(self, spread: Tensor, weight: Tensor, bias: Tensor) -> None:
        """Set the size of the changes, and the direct connection's first weights.

        Args:
            spread: ``(horizon,)``, the standard deviation of the changes; forecasts are in these units
                inside.
            weight: ``(horizon, input_size)``.
            bias: ``(horizon,)``.
        """
        with torch.no_grad():
            self.spread.copy_(spread)
            self.direct.weight.copy_(weight)
            self.direct.bias.copy_(bias)

    def _features(self, inputs: Mapping[str, Tensor]) -> Tensor:
        values = inputs["values"]
        if self.training and self.input_noise:
            values = values + self.input_noise * torch.randn_like(values)
        return values

    def _outputs(self, inputs: Mapping[str, Tensor], hidden: Tensor) -> Tensor:
        """Forecasts ``(batch, time, horizon, 1 + quantiles)``: the point, then the quantiles, rising."""
        raw = self.output(hidden).unflatten(-1, (self.horizon, -1))
        point, lowest, gaps = raw[..., :1], raw[..., 1:2], raw[..., 2:]
        # Gaps between quantiles are positive, so they never cross.
        rising = torch.cat([lowest, functional.softplus(gaps)], -1).cumsum(-1)
        change = torch.cat([point, rising], -1) + self.direct(inputs["values"]).unsqueeze(-1)
        return inputs["values"][..., :1, None] + self.spread[:, None] * change
