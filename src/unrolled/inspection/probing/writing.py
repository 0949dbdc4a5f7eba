"""The probe of what writes a sequence given something else: what was read, or written before, that it misses.

Looked at are what was written so many steps before, and the symbols of the input by their place from its
start and from its end, which an error reaches through all that was written and through the rest of the input;
of an input that is no sequence its single numbers, each in eight ranges.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from unrolled.data.batches import Batch
from unrolled.diagnosis import Need
from unrolled.inspection.measuring import Measured
from unrolled.inspection.probing.arrays import Floats, Ints, chance_of, symbols_of, told_by
from unrolled.inspection.probing.mixture import FEWEST, Places, saved

_PLACES = 20_000
"""Symbols of targets that are looked at, at most."""
_OWN, _SHIFTS = 16, 2
"""Steps of what was written that are looked back, and places beside the one of a symbol's own number."""
_FEATURES, _RANGES, _PLACED = 16, 8, 32
"""Numbers of an input that is no sequence; their ranges; places of a text that are told apart."""


def probe_writing(measured: Measured) -> Need | None:
    """What a model that writes misses at each distance; None where there is too little data."""
    batch = measured.many()
    lengths = batch.output_lengths.cpu().numpy()
    rows, steps = np.nonzero(np.arange(batch.targets.shape[1]) < lengths[:, None])
    kept = rows < max(1, round(batch.size * min(1.0, _PLACES / max(1, len(rows)))))
    rows, steps = rows[kept], steps[kept]
    if len(rows) < FEWEST:
        return None
    told = told_by(measured, batch)[rows, steps]
    targets = batch.targets.cpu().numpy()[rows, steps].astype(np.int64)
    places = Places.of(rows, steps, targets, told)
    # What it is worth to know which place of the text it is, is no matter of the past.
    placed = np.minimum(steps, _PLACED - 1)
    usually = saved(places, placed)
    found: dict[int, tuple[float, float]] = {}
    for lag, gains in _looked_at(measured, batch, places, placed):
        gains = np.where(np.isnan(gains), 0.0, gains - usually)
        gain, error = float(gains.mean()), float(gains.std() / np.sqrt(len(gains)))
        if lag not in found or gain > found[lag][0]:
            found[lag] = gain, error
    lags = sorted(found)
    return Need(
        "what usually follows single symbols",
        tuple(lags),
        tuple(found[lag][0] for lag in lags),
        loss=float(-told.mean() - usually.mean()),
        error=float(np.median([error for _, error in found.values()])),
        chance=chance_of(targets),
    )


def _looked_at(
    measured: Measured, batch: Batch, places: Places, placed: Ints
) -> Iterator[tuple[int, Floats]]:
    """By distance, how much the loss of each place falls with what stands there; NaN: nothing does."""
    rows, steps = places.rows, places.steps
    previous = batch.inputs["previous"].cpu().numpy()
    for lag in range(1, min(_OWN, int(steps.max())) + 1):
        there = np.where(steps >= lag, previous[rows, np.maximum(steps - lag, 0)] + 1, 0)
        yield lag, saved(places, _in_order(there))
    if not measured.reads:
        for values in _numbers(batch):
            gains = saved(places, values[rows] * _PLACED + placed)
            for step in range(int(steps.max()) + 1):
                # An error of this place meets the input before the first step.
                yield step + 1, np.where(steps == step, gains, np.nan)
        return
    symbols = symbols_of(batch)
    if symbols is None:
        return
    ends = batch.lengths.cpu().numpy()[rows]
    for shift in range(-_SHIFTS, _SHIFTS + 1):
        for at in (steps + shift, ends - 1 - steps + shift):
            inside = (at >= 0) & (at < ends)
            if inside.sum() < FEWEST:
                continue
            there = np.where(inside, symbols[rows, np.clip(at, 0, symbols.shape[1] - 1)] + 1, 0)
            yield int(np.median((steps + ends - at)[inside])), saved(places, _in_order(there))


def _in_order(context: Ints) -> Ints:
    """The same contexts by numbers without gaps."""
    return np.unique(context, return_inverse=True)[1].astype(np.int64)


def _numbers(batch: Batch) -> Iterator[Ints]:
    """The numbers of each row's input, in ranges ``(rows,)``: of a picture its mean in squares."""
    for name, tensor in batch.inputs.items():
        if name == "previous":
            continue
        values = tensor.cpu()
        if not values.is_floating_point() and values.dim() <= 2:
            columns = values.reshape(len(values), -1).long().numpy().T[:_FEATURES]
            yield from (np.minimum(_in_order(each), 10_000) for each in columns)
            continue
        flat = values.double().flatten(1).unsqueeze(1)
        if flat.shape[2] > _FEATURES:
            flat = torch.nn.functional.adaptive_avg_pool1d(flat, _FEATURES)
        for each in flat.squeeze(1).numpy().T:
            edges = np.unique(np.quantile(each, np.linspace(0, 1, _RANGES + 1)[1:-1]))
            yield np.searchsorted(edges, each).astype(np.int64)
