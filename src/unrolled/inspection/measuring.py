"""A fitted model with some data, as the functions that the measurements of a diagnosis ask for."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.diagnosis import latest_steps, reorder, weight_faults
from unrolled.errors import DataError
from unrolled.inspection.rows import continued, together
from unrolled.models.conditional import ConditionalModel
from unrolled.models.encoder_decoder import EncoderDecoder
from unrolled.tasks.base import Estimator
from unrolled.training.constant import answers_in, constant_loss
from unrolled.training.loss import LossSum

_ROWS, _STEPS, _BATCHES = 256, 60_000, 16
"""The most sequences, steps of all together, and batches that they are taken from."""
_MANY_ROWS, _MANY_STEPS, _MANY_BATCHES = 2000, 200_000, 200
"""The same for a probe, which has to learn from them."""
_WINDOWS = 4
"""A model trained in windows is looked at over so many of them at least, and over so many steps:"""
_BEYOND = 128
_ENDS = 64
"""Places at which a model with an output a step is asked what it makes of the steps before."""
_LONGEST = 1000
"""Steps of a sequence that are looked at, its first; the triangle grows with their square."""


class Measured:
    """A model and a sample of its data.

    Args:
        estimator: fitted; its network is measured without dropout, as it predicts.
        data: what `Estimator.evaluate` takes.

    Attributes:
        model: the network.
        criterion: the loss that it was trained by.
        batch: some hundred sequences from all over the data, the longest first.
        sample: the first of them alone, without padding.
        per_step: there is a loss for every step, and not one for the whole sequence.
        reads: its input is a sequence, and not a picture that a sequence is written from.
        looks_back: it can be shown only the latest steps; one that answers at every step and sees what comes
            after cannot.

    Raises:
        DataError: the data cannot be used, or there is nothing in it.
    """

    def __init__(self, estimator: Estimator, data: object) -> None:
        self.model = estimator.model.eval()
        self._estimator, self._data = estimator, data
        self.criterion = estimator.criterion()
        self.batch = _sample(estimator, data, _ROWS, _STEPS, _BATCHES)
        length = int(self.batch.lengths[0])
        first = self.batch.rows(torch.tensor([0]))
        self.sample = first if first.target_lengths is not None else first.window(0, length)
        self.per_step = (
            self.batch.targets_per_step and self.criterion.separable and self.batch.target_lengths is None
        )
        self.reads = not isinstance(self.model, ConditionalModel) or isinstance(self.model, EncoderDecoder)
        one_answer = not self.batch.targets_per_step or self.batch.target_lengths is not None
        self.looks_back = self.reads and (one_answer or (self.per_step and self.model.causal))
        self._ends = _places(self.batch)

    def faults(self) -> tuple[str, ...]:
        """Why nothing can be measured, in sentences: NaN in weights or loss, no gradient."""
        said = weight_faults(self.model)
        if said:
            return said
        loss = self.loss()
        if not loss.isfinite():
            return (f"The loss on this data is {float(loss)}: no gradient means anything.",)
        if not loss.requires_grad:
            return ("The loss depends on no weight that needs a gradient: there is none to look at.",)
        return ()

    def many(self) -> Batch:
        """Far more sequences than `batch`, for what has to be learned from them."""
        return _sample(self._estimator, self._data, _MANY_ROWS, _MANY_STEPS, _MANY_BATCHES)

    def start(self) -> float | None:
        """The mean loss of the same network before training; None where that is not known any more."""
        if not self._estimator.starts_anew:
            return None
        trained, self.model = self.model, self._estimator.fresh_model().to(self._estimator.device).eval()
        try:
            with torch.no_grad():
                return float(self.loss())
        finally:
            self.model = trained

    def run(self, batch: Batch | None = None) -> Tensor:
        """The outputs for a batch, by default the whole one."""
        batch = self.batch if batch is None else batch
        outputs, _ = self.model(batch.inputs, batch.lengths)
        return outputs

    def loss(self, batch: Batch | None = None) -> Tensor:
        """The mean loss of a batch, by default the whole one."""
        batch = self.batch if batch is None else batch
        return _mean(self.criterion(self.run(batch), batch))

    def loss_at(self, steps: Tensor) -> Tensor:
        """See `unrolled.diagnosis.triangle.LossAt`."""
        copies = self.sample.rows(torch.zeros(len(steps), dtype=torch.int64))
        outputs = self.run(copies)
        if not self.per_step:
            return self.criterion(outputs, copies).total
        return self._at(outputs, copies, steps).total

    def loss_seen(self, count: int) -> float:
        """The mean loss when the model sees only so many of the latest steps."""
        rows, ends = self._ends if self.per_step else (None, self.batch.lengths - 1)
        batch = self.batch if rows is None else self.batch.rows(rows)
        lengths, inputs = batch.lengths, {}
        for name, values in batch.inputs.items():
            if name == "previous":  # what a decoder reads: not of the input's past
                inputs[name] = values
            else:
                inputs[name], lengths = latest_steps(values, ends, count)
        cut = replace(batch, inputs=inputs, lengths=lengths)
        with torch.no_grad():
            outputs, _ = self.model(cut.inputs, cut.lengths)
            if rows is None:
                return float(_mean(self.criterion(outputs, cut)))
            last = outputs[torch.arange(len(rows)), lengths - 1].unsqueeze(1)
            return float(_mean(self.criterion(last, _one_step(batch, ends))))

    def loss_in_order(self, order: Tensor | None) -> float:
        """The mean loss with the steps of each sequence in this order ``(B, T)``, or as they are."""
        batch = self.batch
        if order is not None:
            inputs = {
                name: values if name == "previous" else reorder(values, order)
                for name, values in batch.inputs.items()
            }
            moved = batch.targets_per_step and batch.target_lengths is None
            targets = reorder(batch.targets, order) if moved else batch.targets
            batch = replace(batch, inputs=inputs, targets=targets)
        with torch.no_grad():
            return float(self.loss(batch))

    def chance(self) -> float | None:
        """The loss of the best constant answer, of the losses for which it is a mean or a frequency."""
        return constant_loss(self.criterion, answers_in(self.batch).cpu(), self.batch.size)

    def _at(self, outputs: Tensor, batch: Batch, steps: Tensor) -> LossSum:
        picked = outputs[torch.arange(len(steps)), steps].unsqueeze(1)
        return self.criterion(picked, _one_step(batch, steps))


def _one_step(batch: Batch, steps: Tensor) -> Batch:
    """The targets of one step of every row, as a batch of that step alone."""
    rows = torch.arange(len(steps))
    return replace(
        batch,
        inputs={name: values[rows, steps].unsqueeze(1) for name, values in batch.inputs.items()},
        lengths=torch.ones_like(steps),
        targets=batch.targets[rows, steps].unsqueeze(1),
    )


def _sample(estimator: Estimator, data: object, most_rows: int, most_steps: int, most_batches: int) -> Batch:
    loader = estimator.loader(data)
    count = len(loader)
    taken: list[Batch] = []
    window = estimator.effective.window
    longest = _LONGEST if window is None else min(_LONGEST, max(_WINDOWS * window, _BEYOND))
    left = most_steps
    wanted = most_batches
    if window is not None and count:
        first = continued(loader.batches(0), longest)
        wanted = min(wanted, max(_BATCHES, -(-most_steps // max(1, first.size * first.time))))
    # From all over the data: its beginning may be of one class alone.
    for place in range(0, count, max(1, -(-count // wanted))):
        batch = continued(loader.batches(0, place), longest)
        cut = batch if batch.target_lengths is not None else batch.window(0, _LONGEST)
        read = cut.rows((cut.lengths > 0).nonzero().flatten())
        if read.size and left > 0:
            taken.append(read)
            left -= read.size * read.time
    if not taken:
        raise DataError(
            "expected sequences with one step at least, got none",
            path=str(data) if isinstance(data, str) else None,
        )
    # As many of each as fit: rows as long as the longest.
    rows = max(1, min(most_rows, most_steps // max(each.time for each in taken)) // len(taken))
    batch = together([each.rows(torch.arange(min(rows, each.size))) for each in taken])
    return batch.rows(batch.lengths.argsort(descending=True, stable=True)).to(estimator.device)


def _places(batch: Batch) -> tuple[Tensor, Tensor]:
    """Rows and steps, in the last half of long sequences, where there is much past to look back at."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.arange(_ENDS) % batch.size
    lengths = batch.lengths.cpu()[rows]
    back = (torch.rand(_ENDS, generator=generator) * ((lengths + 1) // 2)).long()
    return rows.to(batch.lengths.device), (lengths - 1 - back).to(batch.lengths.device)


def _mean(part: LossSum) -> Tensor:
    return part.total / max(part.count, 1)
