"""What the drawing of a network needs to know about it."""

from __future__ import annotations

from typing import Literal

from torch import nn

from unrolled.data.batches import Batch
from unrolled.inspection.drawing import Row, Unrolling
from unrolled.layers.stack import RecurrentLayer
from unrolled.models.conditional import ConditionalModel
from unrolled.models.encoder_decoder import EncoderDecoder
from unrolled.models.one_to_one import OneToOne
from unrolled.tasks.base import Estimator


def unrolling(estimator: Estimator, batch: Batch, steps: int) -> Unrolling:
    """The network of a fitted estimator over the first steps of a batch's longest sequence."""
    length, row = (int(each) for each in batch.lengths.max(0))
    shown = max(1, min(steps, length))
    one = {name: values[row, :shown] for name, values in batch.inputs.items() if name != "previous"}
    model = estimator.model
    conditional = isinstance(model, ConditionalModel)
    written = int(batch.output_lengths[row])
    answers = max(1, min(steps, written)) if conditional else shown
    targets = batch.targets[row, :answers] if batch.targets_per_step else batch.targets[row]
    expected = estimator.target_labels(targets)
    if not isinstance(model, ConditionalModel):
        return Unrolling(
            inputs=estimator.step_labels(one),
            rows=_rows(model.get_submodule("recurrent")),
            outputs=_outputs(estimator, batch),
            more=length > shown,
            feedback=isinstance(model, OneToOne),
            targets=expected,
        )
    previous = {"previous": batch.inputs["previous"][row, : max(1, min(steps, written))]}
    decoder = Unrolling(
        inputs=estimator.step_labels(previous),
        rows=_rows(model.decoder.recurrent),
        outputs="each",
        more=written > steps,
        feedback=True,
        targets=expected,
    )
    if not isinstance(model, EncoderDecoder):
        return decoder
    return Unrolling(
        inputs=estimator.step_labels(one),
        rows=_rows(model.encoder),
        outputs="none",
        more=length > shown,
        decoder=decoder,
        attends=model.decoder.attention is not None,
    )


def _rows(layer: nn.Module) -> list[Row]:
    """The recurrent layers' rows; encoders inside an input layer are part of the input."""
    assert isinstance(layer, RecurrentLayer)
    return [
        Row(number, layer.cell_name, width, layer.state_names, backward)
        for number, width in enumerate(layer.hidden_sizes, start=1)
        for backward in ((False, True) if layer.bidirectional else (False,))
    ]


def _outputs(estimator: Estimator, batch: Batch) -> Literal["each", "pooled", "last"]:
    if batch.targets_per_step:
        return "each"
    return "last" if estimator.model.causal else "pooled"
