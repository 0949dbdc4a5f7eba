"""A checkpoint: all that training needs to go on as if it had never stopped, written without pickle.

run.json                 position, scores, schedule, clipping, history, options
model.safetensors        the weights
optimizer.safetensors    the optimiser's state; its numbers are in run.json
best.safetensors         the weights with the best dev score
best-optimizer.safetensors  what the optimiser knew then
average.safetensors      the averaged weights
process-N.safetensors    of each process: random generators, carried state, windows within reach
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.layers.state import State
from unrolled.training.bptt import Carry, Past
from unrolled.training.carried_rows import joined, share_of


def flatten_optimizer(state: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Split an optimiser's `state_dict` into tensors `PARAMETER.NAME` and JSON values."""
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {}
    for parameter, entries in state["state"].items():
        for name, value in entries.items():
            (tensors if isinstance(value, Tensor) else numbers)[f"{parameter}.{name}"] = value
    return tensors, {"numbers": numbers, "param_groups": state["param_groups"]}


def unflatten_optimizer(tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `flatten_optimizer`."""
    state: dict[int, dict[str, Any]] = {}
    for key, value in [*tensors.items(), *values["numbers"].items()]:
        parameter, name = key.split(".", 1)
        state.setdefault(int(parameter), {})[name] = value
    return {"state": state, "param_groups": values["param_groups"]}


def process_tensors(carry: Carry) -> dict[str, Tensor]:
    """The random generators of this process and what its next batch is handed."""
    tensors = {
        "random.torch": torch.get_rng_state(),
        "random.numpy": _numbers(_numpy_random()),
        "random.python": _numbers(random.getstate()),
    }
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    tensors |= _flatten("carry", carry.state)
    for index, past in enumerate(carry.past):
        tensors |= _flatten(f"past.{index}.state", past.state)
        tensors |= {f"past.{index}.inputs.{name}": tensor for name, tensor in past.window.inputs.items()}
        tensors |= {
            f"past.{index}.lengths": past.window.lengths,
            f"past.{index}.targets": past.window.targets,
        }
        tensors[f"past.{index}.per_step"] = torch.tensor(past.window.targets_per_step)
        if past.window.starts is not None:
            tensors[f"past.{index}.starts"] = past.window.starts
    return tensors


def restore_processes(
    saved: Sequence[Mapping[str, Tensor]], rank: int, count: int, device: torch.device
) -> Carry:
    """Set the random generators, and return what the next batch is handed.

    Of another number of processes than saved it, each takes its share of the rows of all, which follow one
    another in the order of the processes; what it draws is then new.

    Args:
        saved: the tensors of each process.
        rank: the number of this one.
        count: how many there are now.
        device: where what is carried goes.
    """
    if len(saved) == count:
        _restore_random(saved[rank])
        return _carried(saved[rank], device)
    together = joined([_carried(tensors, device) for tensors in saved])
    return share_of(together, rank, count)


def _restore_random(tensors: Mapping[str, Tensor]) -> None:
    torch.set_rng_state(tensors["random.torch"])
    python, numpy = _value(tensors["random.python"]), _value(tensors["random.numpy"])
    random.setstate((python[0], tuple(python[1]), python[2]))
    np.random.set_state((numpy[0], np.array(numpy[1], dtype=np.uint32), *numpy[2:]))
    if "random.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random.cuda"])


def _carried(tensors: Mapping[str, Tensor], device: torch.device) -> Carry:
    past: list[Past] = []
    while f"past.{len(past)}.lengths" in tensors:
        prefix = f"past.{len(past)}."
        inputs = {
            name.removeprefix(f"{prefix}inputs."): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{prefix}inputs.")
        }
        window = Batch(
            inputs,
            tensors[f"{prefix}lengths"],
            tensors[f"{prefix}targets"],
            bool(tensors[f"{prefix}per_step"]),
            tensors.get(f"{prefix}starts"),
        )
        past.append(Past(window.to(device), _unflatten(f"{prefix}state", tensors, device)))
    return Carry(_unflatten("carry", tensors, device), tuple(past))


def _numpy_random() -> tuple[Any, ...]:
    kind, key, *rest = np.random.get_state(legacy=True)
    return kind, np.asarray(key).tolist(), *rest


def _numbers(value: Any) -> Tensor:
    """A JSON value as a tensor of bytes, so that a process is one safetensors file."""
    return torch.tensor(list(json.dumps(value).encode()), dtype=torch.uint8)


def _value(tensor: Tensor) -> Any:
    return json.loads(bytes(tensor.tolist()))


def _flatten(name: str, state: State | None) -> dict[str, Tensor]:
    if state is None:
        return {}
    if isinstance(state, tuple):
        return {
            key: tensor
            for index, part in enumerate(state)
            for key, tensor in _flatten(f"{name}/{index}", part).items()
        }
    return {name: state}


def _unflatten(name: str, tensors: Mapping[str, Tensor], device: torch.device) -> State | None:
    if name in tensors:
        return tensors[name].to(device)
    if not any(key.startswith(f"{name}/") for key in tensors):
        return None
    parts: list[State] = []
    while (part := _unflatten(f"{name}/{len(parts)}", tensors, device)) is not None:
        parts.append(part)
    return tuple(parts)
