"""What the drawing of a network needs to know about it."""

from __future__ import annotations

from typing import Literal

from torch import nn

from unrolled.data.batches import Batch
from unrolled.inspection.drawing import Row, Unrolling
from unrolled.layers import GRU, LSTM, RNN
from unrolled.tasks.base import Estimator


def unrolling(estimator: Estimator, batch: Batch, steps: int) -> Unrolling:
    """The network of a fitted estimator over the first steps of a batch's longest sequence."""
    length, row = batch.lengths.max(0)
    shown = max(1, min(steps, int(length)))
    one = {name: values[int(row), :shown] for name, values in batch.inputs.items()}
    return Unrolling(
        inputs=estimator.step_labels(one),
        rows=_rows(estimator.model),
        outputs=_outputs(estimator, batch),
        more=int(length) > shown,
        feedback=estimator.task == "generate",
    )


def _rows(model: nn.Module) -> list[Row]:
    """The main recurrent layers' rows; encoders inside an input layer are part of the input."""
    layer = model.get_submodule("recurrent")
    assert isinstance(layer, RNN | GRU | LSTM)
    return [
        Row(number, type(layer).__name__, width, backward)
        for number, width in enumerate(layer.hidden_sizes, start=1)
        for backward in ((False, True) if layer.bidirectional else (False,))
    ]


def _outputs(estimator: Estimator, batch: Batch) -> Literal["each", "pooled", "last"]:
    if batch.targets_per_step:
        return "each"
    return "last" if estimator.model.causal else "pooled"
