"""The Jacobians of one step, ds_t/ds_{t-1}: what every step does to an error that comes through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unrolled.diagnosis.probes import captured
from unrolled.diagnosis.recurrence import Recurrence, step_jacobians
from unrolled.diagnosis.result import Result
from unrolled.errors import ConfigError
from unrolled.layers import RNN


@dataclass(frozen=True, slots=True)
class RecurrentMatrix(Result):
    """What the recurrent weights alone say.

    Attributes:
        spectral_norm: the largest singular value of the matrix of each gate, by the gate's name.
        spectral_radius: the largest absolute value of its eigenvalues.
        slope: gamma, the steepest the activation can be: 1 for tanh, ReLU and the identity, 1/4 for the
            logistic function. None for gated cells, whose gradient has no bound of this kind.
    """

    spectral_norm: Mapping[str, float]
    spectral_radius: Mapping[str, float]
    slope: float | None

    def bound(self, lag: int) -> float | None:
        """``(gamma lambda)^lag``, which the norm of a product of so many Jacobians cannot exceed.

        Pascanu, Mikolov & Bengio (2013), section 2.1; lambda is the spectral norm. None for gated cells.

        Example:
            >>> RecurrentMatrix({"candidate": 0.5}, {"candidate": 0.4}, 1.0).bound(2)
            0.25
        """
        if self.slope is None:
            return None
        try:
            return (self.slope * max(self.spectral_norm.values())) ** lag
        except OverflowError:
            return float("inf")


@dataclass(frozen=True, slots=True)
class Jacobians(Result):
    """The Jacobians of one layer in one direction along one sequence, of the whole state (h, or h and c).

    Attributes:
        layer: its name in the module.
        state_size: their rows and columns.
        steps: the steps t whose Jacobian ds_t/ds_{t-1} was taken apart, a few of the sequence's.
        largest: their largest singular values.
        smallest: their smallest singular values.
        lags: numbers of steps, rising from 1.
        product_largest: the largest singular value of the product of so many Jacobians, the geometric mean
            over several ends in the sequence.
        product_smallest: the smallest, likewise.
        lyapunov: the largest Lyapunov exponents, falling, in natural logarithms per step: the mean growth
            of small changes of the state along their own directions. Above 0 they grow.
        matrix: what the recurrent weights alone say.
        time_constant: for each number of the state how many steps it takes to forget all but 1/e of what it
            holds, by what it passes on to itself: ``-1 / ln`` of the geometric mean of its own entry on the
            diagonal. Infinite where it forgets nothing.
    """

    layer: str
    state_size: int
    steps: tuple[int, ...]
    largest: tuple[float, ...]
    smallest: tuple[float, ...]
    lags: tuple[int, ...]
    product_largest: tuple[float, ...]
    product_smallest: tuple[float, ...]
    lyapunov: tuple[float, ...]
    matrix: RecurrentMatrix
    time_constant: tuple[float, ...] = ()

    @property
    def largest_lyapunov(self) -> float:
        """The largest Lyapunov exponent."""
        return self.lyapunov[0]


_WORK = 2e11
"""Multiplications and additions spent on the Jacobians of one layer; it settles how many steps are seen."""
_STEPS, _TAKEN_APART, _ENDS, _EXPONENTS = 400, 24, 4, 16
_SLOPES = {"tanh": 1.0, "relu": 1.0, "identity": 1.0, "sigmoid": 0.25}


def jacobians(module: nn.Module, run: Callable[[], object]) -> tuple[Jacobians, ...]:
    """Take the Jacobians of every recurrent layer apart, along the first sequence of a batch.

    Looked at are the last steps of the sequence, as many as can be had in some seconds: 400 at most, fewer of
    a wide layer.

    Args:
        module: holds recurrent layers, in the mode in which it shall be measured.
        run: one forward pass of it.

    Example:
        >>> from unrolled.layers import RNN, Recurrent
        >>> layer = RNN(1, 4, nonlinearity="identity")
        >>> with torch.no_grad():
        ...     _ = layer.weight_hh_l0.copy_(torch.eye(4) / 2)
        >>> (found,) = jacobians(layer, lambda: layer(torch.randn(20, 1, 1)))
        >>> found.largest[0], found.product_largest[1], round(found.largest_lyapunov, 3)
        (0.5, 0.25, -0.693)

    Raises:
        ConfigError: the module has no recurrent layer, or its states are not finite.
    """
    return tuple(_taken_apart(each) for each in captured(module, run) if each.order(0))


def _taken_apart(recurrence: Recurrence) -> Jacobians:
    size = sum(part.shape[-1] for part in recurrence.scan.initial)
    per_step = 6 * size * max(1, recurrence.scan.weight_hh.numel())
    order = recurrence.order(0)[-max(8, min(_STEPS, int(_WORK / per_step))) :]
    chunk = max(1, int(2**24 / (size * recurrence.scan.gates_x.shape[-1])))
    parts = [
        step_jacobians(recurrence, order[start : start + chunk]) for start in range(0, len(order), chunk)
    ]
    # In the order in which the steps ran; products underflow late in this type.
    each = torch.cat(parts).double().cpu()
    if not each.isfinite().all():
        raise ConfigError(
            f"expected finite derivatives of the states of {recurrence.name}, got NaN or infinite ones; its "
            "weights or inputs hold numbers that are none."
        )
    chosen = sorted({round(index) for index in torch.linspace(0, len(order) - 1, _TAKEN_APART).tolist()})
    values = torch.linalg.svdvals(each[chosen])
    lags = _lags(len(order))
    products = [torch.linalg.svdvals(product) for product in _products(each, lags)]
    return Jacobians(
        layer=recurrence.name,
        state_size=size,
        steps=tuple(order[index] for index in chosen),
        largest=tuple(values[:, 0].tolist()),
        smallest=tuple(values[:, -1].tolist()),
        lags=tuple(lags),
        product_largest=tuple(_geometric_mean(values[:, 0]) for values in products),
        product_smallest=tuple(_geometric_mean(values[:, -1]) for values in products),
        lyapunov=tuple(lyapunov_exponents(each, min(size, _EXPONENTS)).tolist()),
        matrix=_matrix(recurrence),
        time_constant=_time_constants(each),
    )


def _time_constants(each: Tensor) -> tuple[float, ...]:
    own = each.diagonal(dim1=-2, dim2=-1).abs().clamp_min(1e-300).log().mean(0)
    return tuple((-1 / own.clamp_max(0)).abs().tolist())


def _lags(longest: int) -> list[int]:
    """About a dozen lags, each some half as large again as the one before, up to the longest."""
    lags = {longest}
    lag = 1.0
    while lag < longest:
        lags.add(int(lag))
        lag = max(lag + 1, lag * 1.6)
    return sorted(lags)


def _products(each: Tensor, lags: list[int]) -> list[Tensor]:
    """The products of so many Jacobians before several ends, ``(ends, S, S)`` for each lag."""
    steps = len(each)
    found: list[list[Tensor]] = [[] for _ in lags]
    for end in sorted({round(end) for end in torch.linspace((steps + 1) // 2, steps, _ENDS).tolist()}):
        product = torch.eye(each.shape[-1], dtype=each.dtype)
        for lag in range(1, end + 1):
            product = product @ each[end - lag]
            if lag in lags:
                found[lags.index(lag)].append(product)
    return [torch.stack(products) for products in found]


def lyapunov_exponents(each: Tensor, count: int) -> Tensor:
    """The largest Lyapunov exponents of a sequence of Jacobians, falling.

    By QR decomposition after every step (Benettin et al. 1980); the first tenth lets the directions settle.

    Args:
        each: ``(steps, S, S)`` in the order in which the steps ran.
        count: how many.
    """
    stretch = torch.linalg.qr(each @ settled_directions(each, count)).R
    logs = stretch.diagonal(dim1=-2, dim2=-1).abs().clamp_min(torch.finfo(each.dtype).tiny).log()
    return logs[len(each) // 10 :].mean(0).sort(descending=True).values


def settled_directions(each: Tensor, count: int) -> Tensor:
    """The orthonormal directions that small changes of the state have before every step.

    Args:
        each: ``(steps, S, S)``, Jacobians in the order in which the steps ran.
        count: how many directions.

    Returns:
        ``(steps, S, count)``.
    """
    start = torch.randn(
        each.shape[-1], count, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    directions = [torch.linalg.qr(start.to(each)).Q]
    for jacobian in each[:-1]:
        directions.append(torch.linalg.qr(jacobian @ directions[-1]).Q)
    return torch.stack(directions)


def _matrix(recurrence: Recurrence) -> RecurrentMatrix:
    layer = recurrence.layer
    weight = recurrence.scan.weight_hh.detach().double().cpu()
    projection = layer._parameter("weight_hr", recurrence.scan.suffix)
    if projection is not None:
        weight = weight @ projection.detach().double().cpu()
    weight = layer.matrices(weight)
    gates = layer.gates_of("weight_hh")
    # No gate needs a matrix, and even nothing splits into one part.
    blocks = dict(zip(gates, weight.split(weight.shape[-1]) if gates else (), strict=True))
    slope = _SLOPES[layer.nonlinearity] if isinstance(layer, RNN) and not layer.layer_norm else None
    return RecurrentMatrix(
        {name: float(torch.linalg.matrix_norm(block, 2)) for name, block in blocks.items()},
        {name: float(torch.linalg.eigvals(block).abs().max()) for name, block in blocks.items()},
        slope,
    )


def _geometric_mean(values: Tensor) -> float:
    return float(values.clamp_min(1e-300).log().mean().exp())
