"""The network of a forecaster: recurrent layers beside a direct connection from the newest numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.models.base import SequenceModel
from unrolled.models.config import NetworkConfig
from unrolled.models.one_to_one import build_causal

if TYPE_CHECKING:
    from unrolled.layers.state import State


class ForecastNetwork(SequenceModel):
    """Numbers of the next ``horizon`` steps, at every step, from the numbers so far.

    What is learnt is the change from the step's own number, the first of its inputs. The recurrent layers'
    forecast of it adds to that of a direct linear connection from the step's inputs and the last changes,
    the autoregressive part of LSTNet (Lai et al. 2018). The recurrent part starts at zero, so training
    starts from the direct connection alone: with no change, or from where `start` puts it.

    Args:
        input_size: numbers a step.
        horizon: steps ahead.
        quantiles: the levels of the quantiles given beside the point forecast, rising.
        network: the recurrent layers.
        lags: the numbers that the direct connection sees: the newest, and so many less one changes before it.
        input_noise: standard deviation of Gaussian noise added to the recurrent layers' inputs in training,
            which keeps them from learning few numbers by heart (Bishop 1995).
        relative: whether the step's own number is read as its distance from the mean of those that the direct
            connection sees; a forecast then rises and falls with the level as a whole.

    Raises:
        ConfigError: a bidirectional network, which would see the step it has to predict.

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
        lags: int = 1,
        input_noise: float = 0.0,
        relative: bool = False,
    ) -> None:
        super().__init__()
        self.horizon = horizon
        self.lags = lags
        self.input_noise = input_noise
        self.relative = relative
        self.spread: Tensor
        self.register_buffer("spread", torch.ones(horizon))
        self.widening: Tensor
        self.register_buffer("widening", torch.ones(horizon))
        self.raising: Tensor
        self.register_buffer("raising", torch.zeros(horizon))
        self.recurrent = build_causal(input_size, network)
        self.dropout = nn.Dropout(network.dropout)
        self.direct = nn.Linear(input_size + lags - 1, horizon)
        self.output = nn.Linear(network.output_size, horizon * (1 + len(quantiles)))
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
            spread: ``(horizon,)``, the standard deviation of the changes, the unit inside.
            weight: ``(horizon, input_size + lags - 1)``; the changes come last, the newest one first.
            bias: ``(horizon,)``.
        """
        with torch.no_grad():
            self.spread.copy_(spread)
            self.direct.weight.copy_(weight)
            self.direct.bias.copy_(bias)

    def calibrate(self, widening: Tensor, raising: Tensor) -> None:
        """Set what is made of the quantiles once training is over, so that they hold what they claim.

        Args:
            widening: ``(horizon,)``, the factor of their distance from the middle between the outermost two.
            raising: ``(horizon,)``, what is added to all of them.
        """
        self.widening.copy_(widening)
        self.raising.copy_(raising)

    @property
    def causal(self) -> bool:
        """Always: the next step is unknown when it is forecast."""
        return True

    def initial_state(self, batch_size: int) -> State:
        """The recurrent layers' state, and the last ``lags - 1`` numbers, NaN where there were none."""
        recent = self.direct.weight.new_full((self.lags - 1, batch_size), torch.nan)
        return self.recurrent.initial_state(batch_size), recent

    def forward(
        self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Forecasts ``(batch, time, horizon, 1 + quantiles)``: the point, then the quantiles, rising."""
        values = inputs["values"]
        batch, time, _ = values.shape
        before, recent = self.initial_state(batch) if state is None else state
        assert isinstance(recent, Tensor)
        numbers = torch.cat([recent.mT, values[..., 0]], 1)
        noise = self.input_noise * torch.randn_like(values) if self.training and self.input_noise else 0
        read = self._relative(values, numbers) if self.relative else values
        hidden, after = self.recurrent(read + noise, before, lengths=lengths)
        raw = self.output(self.dropout(hidden)).unflatten(-1, (self.horizon, -1))
        change = _rising(raw) + self.direct(self._direct_inputs(read, numbers)).unsqueeze(-1)
        ends = torch.full((batch,), time, device=values.device) if lengths is None else lengths
        last = ends[:, None] + torch.arange(self.lags - 1, device=values.device)
        made = values[..., :1, None] + self.spread[:, None] * change
        return self._calibrated(made), (after, numbers.gather(1, last).mT)

    def _calibrated(self, made: Tensor) -> Tensor:
        """The point as it is, and the quantiles as `calibrate` says."""
        point, quantiles = made[..., :1], made[..., 1:]
        if self.training or not quantiles.shape[-1]:
            return made
        middle = (quantiles[..., :1] + quantiles[..., -1:]) / 2
        widened = middle + self.widening[:, None] * (quantiles - middle) + self.raising[:, None]
        return torch.cat([point, widened], -1)

    def _relative(self, values: Tensor, numbers: Tensor) -> Tensor:
        """The inputs, their number less the mean of the last ``lags`` known ones."""
        level = numbers.unfold(1, self.lags, 1).nanmean(-1)
        return torch.cat([(values[..., 0] - level).unsqueeze(-1), values[..., 1:]], -1)

    def _direct_inputs(self, values: Tensor, numbers: Tensor) -> Tensor:
        """``(batch, time, input_size + lags - 1)``; a change from an unknown number is taken for none."""
        if self.lags == 1:
            return values
        changes = numbers.diff(dim=1).nan_to_num() / self.spread[0]
        return torch.cat([values, changes.unfold(1, self.lags - 1, 1).flip(-1)], -1)


def _rising(raw: Tensor) -> Tensor:
    """The point, and quantiles that never cross: all but the lowest are given by positive gaps."""
    point, lowest, gaps = raw[..., :1], raw[..., 1:2], raw[..., 2:]
    return torch.cat([point, torch.cat([lowest, functional.softplus(gaps)], -1).cumsum(-1)], -1)
