"""Devices, mixed precision and several processes, all by accelerate.

The model is not wrapped for distributed training: an update of truncated BPTT runs the model several times
and hands a state from run to run, which the wrappers do not follow. Each process takes the gradient of its
rows, and the gradients are added up in one go before the step.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import nn

from unrolled.errors import ConfigError, UnrolledError

if TYPE_CHECKING:
    from accelerate import Accelerator

    from unrolled.training.config import TrainingConfig

Decided = TypeVar("Decided")

_PRECISIONS = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}


def build_accelerator(config: TrainingConfig) -> Accelerator:
    """The accelerator for the options and for the launcher's environment.

    Raises:
        ConfigError: this machine cannot compute in the precision.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    # accelerate keeps its settings for the life of the process; each training sets its own anew.
    AcceleratorState._reset_state()
    # Without an accelerator accelerate must be told to expect processes on CPUs.
    cpu = config.device == "cpu" or not torch.accelerator.is_available()
    # On a CPU accelerate would take float16 for float32 without a word.
    if cpu and config.precision == "float16":
        raise ConfigError("precision: expected float32 or bfloat16 on a CPU, got 'float16'.")
    try:
        return Accelerator(cpu=cpu, mixed_precision=_PRECISIONS[config.precision])
    except ValueError as error:
        raise ConfigError(
            f"precision: expected one that this machine computes in, got {config.precision!r} ({error}); "
            "use float32."
        ) from error


def decided_by_the_first(config: TrainingConfig, decide: Callable[[], Decided]) -> Decided:
    """What ``decide`` finds in the first process, in every process; an error it raises too.

    What depends on the disk, such as a free name, could else come out differently in each.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1":
        return decide()
    accelerator = build_accelerator(config)
    found: list[Any] = [None, None]
    if accelerator.is_main_process:
        try:
            found[0] = decide()
        except UnrolledError as error:
            found[1] = error
    torch.distributed.broadcast_object_list(found, 0)
    if found[1] is not None:
        raise found[1]
    return found[0]


def add_up(accelerator: Accelerator, *values: float) -> tuple[float, ...]:
    """The sum of each value over the processes."""
    if accelerator.num_processes == 1:
        return values
    summed = torch.tensor(values, dtype=torch.float64, device=accelerator.device)
    torch.distributed.all_reduce(summed)
    return tuple(summed.tolist())


def largest(accelerator: Accelerator, value: int) -> int:
    """The largest value of all processes."""
    if accelerator.num_processes == 1:
        return value
    most = torch.tensor(value, device=accelerator.device)
    torch.distributed.all_reduce(most, torch.distributed.ReduceOp.MAX)
    return int(most)


def add_up_gradients(accelerator: Accelerator, parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its sum over the processes.

    A gradient that some processes lack counts as zero there; one that all lack stays missing, since
    optimisers leave such a parameter alone.
    """
    if accelerator.num_processes == 1:
        return
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
    present = gradients[0].new_tensor([p.grad is not None for p in trained])
    flat = torch.cat([*(gradient.flatten() for gradient in gradients), present])
    torch.distributed.all_reduce(flat)
    *sums, present = flat.split([*(p.numel() for p in trained), len(trained)])
    for parameter, gradient, processes in zip(trained, sums, present.tolist(), strict=True):
        parameter.grad = gradient.view_as(parameter) if processes else None


def share_weights(accelerator: Accelerator, model: nn.Module) -> None:
    """Give every process the weights of the first."""
    if accelerator.num_processes == 1:
        return
    with torch.no_grad():
        for tensor in model.state_dict().values():
            torch.distributed.broadcast(tensor, 0)
