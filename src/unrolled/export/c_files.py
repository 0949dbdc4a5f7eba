"""``unrolled.export.c``: a layer or a model that runs step by step as C99."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.export.c_code.files import Signature, Vectors, code, header, test_program
from unrolled.export.c_code.networks import write_network
from unrolled.export.c_code.numbers import identifier, in_bytes
from unrolled.export.c_code.program import write_layers
from unrolled.export.c_code.source import Source
from unrolled.export.c_models import best_paths, frame_of, outputs_at_every_step
from unrolled.export.onnx_graphs.graph import frozen, largest_difference
from unrolled.export.result import Exported
from unrolled.layers.checks import whole_number
from unrolled.layers.stack import RecurrentLayer
from unrolled.models.base import SequenceModel
from unrolled.models.one_to_one import LanguageModel
from unrolled.saving.files import make_folder, write_file
from unrolled.tasks.base import Estimator

_SEQUENCES, _STEPS = 3, 12
_EXACT = 1e-4
"""By how much the compiled code may differ from what its weights say, as a share of an output."""


def c(
    thing: Any,
    folder: str | Path,
    *,
    name: str | None = None,
    int8: bool = False,
    path_steps: int = 256,
) -> Exported:
    """Write a layer, or a fitted estimator that runs step by step, as C99 without any dependency.

    Three files: ``NAME.h``, ``NAME.c`` with the weights, and ``NAME_test.c``, a program that says by how much
    its outputs differ from the original's and how long a step takes. There is a state, which ``NAME_begin``
    fills and ``NAME_step`` carries on; nothing is allocated and nothing kept elsewhere. Of a tagger with a
    CRF ``NAME_path`` names the best path's tags; of a forecaster of several series ``NAME_begin`` takes the
    number of one.

    Args:
        thing: a layer of `unrolled.layers` in one direction, or an estimator whose network gives an output at
            every step.
        folder: where the files go.
        name: begins all public names; by default that of the cell or the task.
        int8: weight matrices in bytes, with a scale for each row.
        path_steps: of a tagger with a CRF, the latest steps whose tags ``NAME_path`` names.

    Returns:
        The files; the largest difference that ``int8`` makes to an output; bytes of weights and state; where
        there is a C compiler, microseconds a step.

    Raises:
        ConfigError: it reads from the sequence's end, or is none of these; with a compiler, the code does not
            give what the original does.
    """
    if isinstance(thing, RecurrentLayer):
        return _layer(thing, folder, name or thing.cell_name, int8)
    if isinstance(thing, Estimator):
        return _model(thing, folder, name or thing.task, int8, whole_number("path_steps", path_steps, 1))
    raise ConfigError(
        f"expected a layer of unrolled.layers or a fitted estimator, got {type(thing).__name__}."
    )


def _layer(layer: RecurrentLayer, folder: str | Path, name: str, int8: bool) -> Exported:
    if layer.bidirectional:
        raise ConfigError(
            "a bidirectional layer reads from the sequence's end, which a step has not seen: expected "
            "bidirectional=False, got True; unrolled.export.onnx takes it."
        )
    original = cast("RecurrentLayer", frozen(layer).float())
    used = cast("RecurrentLayer", in_bytes_and_back(original)) if int8 else original
    source = Source(identifier(name), int8)
    size = used._state_sizes(used.num_layers - 1)[used.state_names[0]]
    source.copy("output", write_layers(source, used, "input"), size)
    inputs = torch.randn(_SEQUENCES, _STEPS, layer.input_size, generator=torch.Generator().manual_seed(0))

    def run(one: nn.Module) -> np.ndarray:
        with torch.no_grad():
            output = one(inputs if layer.batch_first else inputs.transpose(0, 1))[0]
        return (output if layer.batch_first else output.transpose(0, 1)).numpy()

    expected = run(used)
    signature = Signature(
        f"{source.name}: one step of {type(layer).__name__}({layer.extra_repr()})"
        + (", its matrices in bytes." if int8 else "."),
        (layer.input_size, "the features of a step."),
        (size, "the top layer's state."),
    )
    files = written(source, signature, Vectors(inputs.numpy(), expected, _EXACT), folder)
    return _exported(source, files, largest_difference(run(original), expected))


def _model(
    estimator: Estimator[Any, Any], folder: str | Path, name: str, int8: bool, path_steps: int
) -> Exported:
    frame = frame_of(estimator)
    original = cast("SequenceModel", frozen(estimator.model).float())
    used = cast("SequenceModel", in_bytes_and_back(original)) if int8 else original
    source = Source(identifier(name), int8)
    if getattr(used, "transitions", None) is not None:
        source.limits["PATH"] = path_steps
    made, count = write_network(source, used, frame.write_before(source))
    frame.write_after(source, made, count)
    inputs = frame.draw(_SEQUENCES, _STEPS)

    def run(model: SequenceModel) -> np.ndarray:
        found = frame.after(outputs_at_every_step(model, frame.before(inputs)))
        return found.reshape(*found.shape[:2], -1).astype(np.float32)

    expected = run(used)
    signature = Signature(
        f"{source.name}: one step of a model of the task {estimator.task}"
        + (", its matrices in bytes." if int8 else "."),
        (frame.inputs, frame.says),
        (count, frame.gives),
    )
    paths = best_paths(used, frame.before(inputs), path_steps)
    vectors = Vectors(inputs, expected, _EXACT, frame.series_of(_SEQUENCES), paths)
    files = written(source, signature, vectors, folder)
    return _exported(source, files, largest_difference(run(original), expected))


def _exported(source: Source, files: tuple[Path, ...], apart: float) -> Exported:
    """The files, and what a compiler here makes of them, if there is one."""
    numbers: dict[str, float] = {"weight bytes": source.weight_bytes, "state bytes": source.state_bytes}
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is not None:
        numbers["microseconds a step"] = _timed(compiler, files)
    return Exported(files, apart, numbers)


def _timed(compiler: str, files: tuple[Path, ...]) -> float:
    """Build the test program with the strictest warnings and run it.

    Raises:
        ConfigError: it does not build, or does not reproduce its vectors.
    """
    with tempfile.TemporaryDirectory() as home:
        program = str(Path(home) / "test")
        sources = [str(file) for file in files[1:]]
        strict = ["-std=c99", "-O3", "-Wall", "-Wextra", "-Werror"]
        built = subprocess.run(
            [compiler, *strict, *sources, "-lm", "-o", program], capture_output=True, text=True
        )
        ran = None if built.returncode else subprocess.run([program], capture_output=True, text=True)
    said = re.search(r"([0-9.]+) microseconds", "" if ran is None else ran.stdout)
    if ran is None or ran.returncode or said is None:
        shown = (built.stderr if ran is None else ran.stdout).strip().splitlines()
        raise ConfigError(
            f"{files[1]}: expected its test program to reproduce its vectors, got: {' '.join(shown[:3])}"
        )
    return float(said[1])


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
            elif isinstance(each, LanguageModel):
                scores = each.embedding.weight if each.output_weight is None else each.output_weight
                scores.copy_(_rounded(scores))
    return rounded


def _rounded(weight: Tensor) -> Tensor:
    if not weight.numel():
        return weight
    numbers, scale = in_bytes(weight.detach().numpy())
    return torch.from_numpy(numbers.astype(np.float32) * scale[:, None])
