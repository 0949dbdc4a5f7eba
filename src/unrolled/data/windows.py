"""Forecasting examples cut from series: a stretch of the past, and the steps that followed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from unrolled.data.batches import Batch
from unrolled.data.example import Series
from unrolled.data.scaling import fill
from unrolled.errors import ConfigError


def features(series: Series, *, mask: bool = False) -> np.ndarray:
    """What a network sees of a series at each step.

    Args:
        series: values and covariates, scaled already.
        mask: add a column that is 1 where the value is present and 0 where it is filled.

    Returns:
        `(time, feature)` float32: the value, the covariates, the mask; gaps closed by `fill`.
    """
    columns = [fill(series.values)[:, None], fill(series.covariates)]
    if mask:
        columns.append(~np.isnan(series.values)[:, None])
    return np.concatenate(columns, axis=1, dtype=np.float32)


def _as_it_is(series: Series) -> Series:
    return series


class WindowLoader:
    """Batches of windows over many series; only the series are kept, each window is cut when it is asked for.

    Args:
        series: scaled already, but for what ``prepared`` does; may hold NaN.
        context: the steps of the past in a window.
        horizon: the steps to forecast after it.
        batch_size: the windows of a batch, per process.
        seed: decides, with the epoch, the order.
        stride: the steps from one window's begin to the next one's.
        per_step: False asks for the `horizon` values after the context, targets `(batch, horizon)`. True
            asks for the `horizon` values after every step of the context, targets `(batch, context,
            horizon)`.
        shuffle: False keeps the windows in the order of the series and of time.
        mask: whether the inputs tell filled values; see `features`.
        prepared: scales a series, one at a time, so that not all are held in both forms.
        shard: `(rank, world_size)`: this process' number and how many share each batch.

    The inputs are `values` `(batch, context, feature)`. Targets are NaN where the series has no value, for
    the loss to leave out; a window with no target at all is no window. A series shorter than a window gives
    one of fewer steps, whose row is filled up behind its `lengths`, and where it is shorter than the horizon
    too, the targets that there are.

    Raises:
        DataError: no series gives a window.
        ConfigError: there are fewer windows than processes.

    Example:
        >>> series = Series("a", np.arange(6), np.arange(6.0), np.zeros((6, 0)))
        >>> loader = WindowLoader([series], context=3, horizon=2, batch_size=8, shuffle=False)
        >>> batch = next(loader.batches(epoch=0))
        >>> batch.inputs["values"][:, :, 0].tolist(), batch.targets.tolist()
        ([[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]], [[3.0, 4.0], [4.0, 5.0]])
    """

    def __init__(
        self,
        series: Sequence[Series],
        context: int,
        horizon: int,
        batch_size: int,
        *,
        seed: int = 0,
        stride: int = 1,
        per_step: bool = False,
        shuffle: bool = True,
        mask: bool = False,
        prepared: Callable[[Series], Series] = _as_it_is,
        shard: tuple[int, int] = (0, 1),
    ) -> None:
        self.context = context
        self.horizon = horizon
        self.seed = seed
        self.per_step = per_step
        self.shuffle = shuffle
        self.shard = shard
        # The series end to end, so that one look-up cuts a batch; no window crosses from one to the next, and
        # what lies beyond a series' end is missing.
        lengths = np.array([len(one) for one in series])
        begins = np.cumsum([0, *lengths])[:-1]
        self._values = np.full(lengths.sum() + horizon * len(series), np.nan, dtype=np.float32)
        every, starts = [], []
        for number, (one, begin) in enumerate(zip(map(prepared, series), begins, strict=True)):
            every.append(features(one, mask=mask))
            self._values[begin + horizon * number :][: len(one)] = one.values
            starts.append(self._starts(one.values, stride))
        self._features = every[0] if len(every) == 1 else np.concatenate(every)
        self._start_of = np.concatenate([at + begin for at, begin in zip(starts, begins, strict=True)])
        number = np.repeat(np.arange(len(series)), [len(at) for at in starts])
        self._target_of = self._start_of + horizon * number
        self._length_of = np.array([self._steps(len(one)) for one in series], dtype=np.int64)[number]
        if not len(self._start_of):
            raise series[0].source.error(
                "expected a series with a number to learn from and another one after it, got none"
            )
        world_size = shard[1]
        if len(self._start_of) < world_size:
            raise ConfigError(
                f"expected at least one window for each of {world_size} processes, got {len(self._start_of)}"
            )
        self._count = max(1, min(-(-self.windows // (batch_size * world_size)), self.windows // world_size))

    def _steps(self, length: int) -> int:
        """The steps of the windows of a series so long."""
        return min(self.context, length - 1)

    def _starts(self, values: np.ndarray, stride: int) -> np.ndarray:
        steps = self._steps(len(values))
        if steps < 1:
            return np.zeros(0, dtype=np.int64)
        starts = np.arange(0, max(1, len(values) - steps - self.horizon + 1), stride)
        present = np.concatenate([[0], np.cumsum(~np.isnan(values))])
        ends = np.minimum(starts + steps + self.horizon, len(values))
        return starts[present[ends] > present[starts + (1 if self.per_step else steps)]]

    def __len__(self) -> int:
        return self._count

    @property
    def windows(self) -> int:
        """The number of windows in all series."""
        return len(self._start_of)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from number `start` on."""
        order = np.arange(self.windows)
        if self.shuffle:
            np.random.default_rng((self.seed, epoch)).shuffle(order)
        bounds = np.arange(self._count + 1) * self.windows // self._count
        rank, world_size = self.shard
        for number in range(start, self._count):
            yield self._batch(order[bounds[number] : bounds[number + 1]][rank::world_size])

    def _batch(self, windows: np.ndarray) -> Batch:
        lengths = self._length_of[windows]
        within = np.minimum(np.arange(lengths.max()), lengths[:, None] - 1)
        last = within if self.per_step else lengths - 1
        first = self._target_of[windows].reshape(-1, *[1] * (last.ndim - 1))
        targets = self._values[(first + last)[..., None] + np.arange(1, self.horizon + 1)]
        dtype = torch.get_default_dtype()
        return Batch(
            inputs={
                "values": torch.from_numpy(self._features[self._start_of[windows][:, None] + within]).to(
                    dtype
                )
            },
            lengths=torch.from_numpy(lengths),
            targets=torch.from_numpy(targets).to(dtype),
            targets_per_step=self.per_step,
        )
