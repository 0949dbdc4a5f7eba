"""``unrolled.export.c``: a layer or a model that runs step by step as C99."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.export.c_code.files import Signature, Vectors, code, header, test_program
from unrolled.export.c_code.numbers import identifier, in_bytes
from unrolled.export.c_code.program import write_layers
from unrolled.export.c_code.source import Source
from unrolled.export.onnx_graphs.graph import frozen, largest_difference
from unrolled.export.result import Exported
from unrolled.layers.stack import RecurrentLayer
from unrolled.saving.files import make_folder, write_file

_SEQUENCES, _STEPS = 3, 12
_EXACT = 1e-4
"""By how much the compiled code may differ from what its weights say, as a share of an output."""


def c(thing: Any, folder: str | Path, *, name: str | None = None, int8: bool = False) -> Exported:
    """Write a layer, or a fitted estimator that runs step by step, as C99 without any dependency.

    Three files: ``NAME.h``, ``NAME.c`` with the weights, and ``NAME_test.c``, a program that says by how much its
    outputs differ from the original's and how long a step takes. There is a state, which ``NAME_begin`` fills and
    ``NAME_step`` carries on; nothing is allocated and nothing kept elsewhere.

    Args:
        thing: a layer of `unrolled.layers` in one direction, or an estimator whose network gives an output at
            every step.
        folder: where the files go.
        name: begins all public names; by default that of the cell or the task.
        int8: weight matrices in bytes, with a scale for each row.

    Returns:
        The files; the largest difference that ``int8`` makes to an output.

    Raises:
        ConfigError: it reads from the sequence's end, or is none of these.
    """
    if not isinstance(thing, RecurrentLayer):
        raise ConfigError(
            f"expected a layer of unrolled.layers or a fitted estimator to export, got {type(thing).__name__}."
        )
    if thing.bidirectional:
        raise ConfigError(
            "a bidirectional layer reads from the sequence's end, which a step has not seen: expected "
            "bidirectional=False, got True; unrolled.export.onnx takes it."
        )
    original = frozen(thing).float()
    used = in_bytes_and_back(original) if int8 else original
    source = Source(identifier(name or thing.cell_name), int8)
    top = write_layers(source, used, "input")
    size = used._state_sizes(used.num_layers - 1)[used.state_names[0]]
    source.copy("output", top, size)
    inputs = torch.randn(_SEQUENCES, _STEPS, thing.input_size, generator=torch.Generator().manual_seed(0))

    def run(layer: nn.Module) -> Tensor:
        first = inputs if thing.batch_first else inputs.transpose(0, 1)
        with torch.no_grad():
            output = layer(first)[0]
        return output if thing.batch_first else output.transpose(0, 1)

    expected = run(used)
    apart = largest_difference(run(original).numpy(), expected.numpy())
    signature = Signature(
        f"{source.name}: one step of {type(thing).__name__}({thing.extra_repr()})"
        + (", its matrices in bytes." if int8 else "."),
        (thing.input_size, "the features of a step."),
        (size, "the top layer's state."),
    )
    vectors = Vectors(inputs.numpy(), expected.contiguous().numpy(), _EXACT)
    return Exported(
        written(source, signature, vectors, folder),
        apart,
        {"weight bytes": source.weight_bytes, "state bytes": source.state_bytes},
    )


def written(source: Source, signature: Signature, vectors: Vectors, folder: str | Path) -> tuple[Path, ...]:
    """Write the three files."""
    home = make_folder(folder)
    return (
        write_file(home / f"{source.name}.h", header(source, signature)),
        write_file(home / f"{source.name}.c", code(source)),
        write_file(home / f"{source.name}_test.c", test_program(source, vectors)),
    )


def in_bytes_and_back(module: nn.Module) -> nn.Module:
    """A copy of a module whose matrices are what they come to in bytes."""
    rounded = copy.deepcopy(module)
    with torch.no_grad():
        for each in rounded.modules():
            if isinstance(each, RecurrentLayer):
                names = ("weight_ih", "weight_hh", "weight_hr")
                for parameter in (p for n, p in each.named_parameters() if n.startswith(names)):
                    parameter.copy_(_rounded(parameter))
            elif isinstance(each, nn.Linear):
                each.weight.copy_(_rounded(each.weight))
    return rounded


def _rounded(weight: Tensor) -> Tensor:
    if not weight.numel():
        return weight
    numbers, scale = in_bytes(weight.detach().numpy())
    return torch.from_numpy(numbers.astype(np.float32) * scale[:, None])
