"""The equations of a model's recurrent cells, from their definitions."""

from __future__ import annotations

from torch import nn

from unrolled.layers.stack import RecurrentLayer
from unrolled.ops.cells.equations import equations


def cell_equations(model: nn.Module) -> dict[str, list[str]]:
    """Of each kind of cell in a model, by its name; of one that is not fused there are none."""
    return {
        layer.cell_name: equations(layer.program)
        for layer in model.modules()
        if isinstance(layer, RecurrentLayer) and layer.has_program
    }
