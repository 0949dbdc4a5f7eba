"""Model folders made wrong, their sums mended: they work, or are refused by a `ModelFolderError`."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import safetensors.torch
import torch

from tests.fuzz.hostile.batch import Batch
from tests.fuzz.hostile.folders import KINDS, data_of, folder_of
from tests.fuzz.hostile.mutations import json_bytes, mutated_bytes, mutated_value
from unrolled.inspection.weights import weights
from unrolled.tasks.registry import load

_TOGETHER = 10
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class ModelCase:
    """A kind of model, a file of its folder, and what that holds instead; None where it is gone."""

    kind: str
    file: str
    content: bytes | None
    mended: bool = True
    """Whether the manifest says that it holds this."""

    @contextmanager
    def prepared(self) -> Iterator[Callable[[], object]]:
        """Loading and using it."""
        data = data_of(self.kind)
        with tempfile.TemporaryDirectory() as home:
            folder = Path(home, "model")
            shutil.copytree(folder_of(self.kind), folder)
            self._change(folder)
            yield lambda: _use(folder, data)

    def _change(self, folder: Path) -> None:
        if self.content is None:
            (folder / self.file).unlink()
            return
        (folder / self.file).write_bytes(self.content)
        if self.mended and self.file != _MANIFEST:
            manifest = json.loads((folder / _MANIFEST).read_text())
            manifest["files"][self.file] = {
                "size": len(self.content),
                "sha256": hashlib.sha256(self.content).hexdigest(),
            }
            (folder / _MANIFEST).write_text(json.dumps(manifest))


def _use(folder: Path, data: Any) -> None:
    """What a person does with a model: look at it, predict, evaluate."""
    estimator = load(folder)
    weights(estimator.model)
    if estimator.task == "generate":
        list(estimator.generate(length=5))  # type: ignore[attr-defined]
    elif estimator.task == "forecast":
        list(estimator.forecast(None, paths=3))  # type: ignore[attr-defined]
    else:
        estimator.predict([each for each, _ in data[:3]])
    estimator.evaluate(data)
    estimator.save(folder.parent / "again")


def draw(random: Random) -> Batch:
    """Random models, each with one file made wrong at random."""
    return Batch([_case(random) for _ in range(_TOGETHER)])


def _case(random: Random) -> ModelCase:
    kind = random.choice(list(KINDS))
    folder = folder_of(kind)
    files = sorted(path.name for path in folder.iterdir() if path.is_file())
    name = random.choice([*files, *(name for name in files if name.endswith(".json")), "vocabulary.json"])
    content = (folder / name).read_bytes()
    if random.random() < 0.01:
        return ModelCase(kind, name, None)
    if name.endswith(".json") and random.random() < 0.85:
        return ModelCase(kind, name, json_bytes(mutated_value(random, json.loads(content))))
    if name.endswith(".safetensors") and random.random() < 0.7:
        return ModelCase(kind, name, with_tensors_changed(random, content))
    return ModelCase(kind, name, mutated_bytes(random, content), random.random() < 0.9)


def with_tensors_changed(random: Random, content: bytes) -> bytes:
    tensors = safetensors.torch.load(content)
    for _ in range(random.choice((1, 1, 2))):
        if not tensors:
            tensors["a"] = torch.zeros(1)
        name = random.choice(list(tensors))
        tensor = tensors[name]
        kind = random.randrange(9)
        if kind == 0:
            del tensors[name]
        elif kind == 1:
            tensors[random.choice(("", "a", "a/b", f"{name}.more"))] = tensor.clone()
        elif kind == 2:
            tensors[name] = tensor.reshape(-1)[: random.randint(0, tensor.numel())].clone()
        elif kind == 3:
            tensors[name] = tensor.unsqueeze(random.randint(0, tensor.dim())).clone()
        elif kind == 4:
            types = (torch.float64, torch.float16, torch.int64, torch.uint8, torch.bool, torch.bfloat16)
            tensors[name] = tensor.to(random.choice(types))
        elif kind == 5 and tensor.numel():
            value = random.choice((float("nan"), float("inf"), -1.0, 1e30, 1e9, -(2.0**40)))
            changed = tensor.clone().reshape(-1)
            at = random.randrange(tensor.numel())
            changed[at] = torch.tensor(value).to(tensor.dtype)
            tensors[name] = changed.reshape(tensor.shape)
        elif kind == 6:
            tensors[name] = torch.zeros(random.choice(((), (0,), (1,), (2, 3), (1, 1, 1), (100, 100))))
        elif kind == 7:
            tensors[name] = tensor.flip(0).clone() if tensor.dim() else tensor.clone()
        else:
            tensors[name] = tensors[random.choice(list(tensors))].clone()
    return safetensors.torch.save(tensors)
