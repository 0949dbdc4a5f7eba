"""Devices, mixed precision and several processes, all by accelerate.

The model is not wrapped for distributed training: an update of truncated BPTT runs the model several times
and hands a state from run to run, which the wrappers do not follow. Each process takes the gradient of its
rows, and the gradients are added up in one go before the step.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import nn

from unrolled.errors import ConfigError, TrainingError, UnrolledError

if TYPE_CHECKING:
    from accelerate import Accelerator

    from unrolled.training.config import TrainingConfig

Decided = TypeVar("Decided")
Piece = TypeVar("Piece")
Done = TypeVar("Done")

_PRECISIONS = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}


def build_accelerator(config: TrainingConfig) -> Accelerator:
    """The accelerator for the options and for the launcher's environment.

    Raises:
        ConfigError: this machine cannot compute in the precision.
        TrainingError: the other processes cannot be reached.
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
    _meet(config, cpu=cpu)
    try:
        return Accelerator(cpu=cpu, mixed_precision=_PRECISIONS[config.precision])
    except ValueError as error:
        raise ConfigError(
            f"precision: expected one that this machine computes in, got {config.precision!r} ({error}); "
            "use float32."
        ) from error


def _meet(config: TrainingConfig, *, cpu: bool) -> None:
    """Bring the processes together that a launcher started, where they have not met yet.

    One that ended before it came is never heard of, and a launcher such as srun does not end the others: they
    wait for it no longer than starting takes. Later one may long be busy while the others wait.

    Raises:
        TrainingError: the others did not come, or the launcher did not say where to.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1" or torch.distributed.is_initialized():
        return
    from accelerate.state import PartialState
    from torch.distributed.rendezvous import rendezvous

    later = timedelta(seconds=config.process_timeout)
    with meeting("--meeting-timeout", then="again"):
        try:
            store, rank, count = next(rendezvous("env://", timeout=timedelta(seconds=config.meeting_timeout)))
        except ValueError as error:
            raise TrainingError(
                f"expected the environment that a launcher such as torchrun gives its processes, but {error}."
            ) from error
    store.set_timeout(later)
    with meeting():
        PartialState(cpu=cpu, store=store, rank=rank, world_size=count, timeout=later)


@contextmanager
def meeting(
    bound: str = "--process-timeout", *, then: str = "with --resume to go on from the last checkpoint"
) -> Iterator[None]:
    """Within the context the processes wait for one another.

    Args:
        bound: the option that says how long.
        then: how to give the command where one does not come.

    Raises:
        TrainingError: one of them has ended, or has not come in time.
    """
    try:
        yield
    except RuntimeError as error:  # of torch.distributed, all of them
        rank, count = (os.environ.get(name, "?") for name in ("RANK", "WORLD_SIZE"))
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise TrainingError(
            f"process {rank} of {count} waited for the others, but one of them has ended or did not come "
            f"within {bound} ({said[0]:.120}); see what that one said, and give the same command "
            f"{then}."
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
    share_objects(found)
    if found[1] is not None:
        raise found[1]
    return found[0]


def share_objects(objects: list[Any]) -> None:
    """Replace the objects by those of the first process; there are several."""
    with meeting():
        torch.distributed.broadcast_object_list(objects, 0)


def gathered(accelerator: Accelerator, own: Any) -> list[Any]:
    """What every process has, in their order."""
    if accelerator.num_processes == 1:
        return [own]
    every: list[Any] = [None] * accelerator.num_processes
    with meeting():
        torch.distributed.all_gather_object(every, own)
    return every


@contextmanager
def dividing_work(accelerator: Accelerator) -> Iterator[None]:
    """Within the context, in every process, work that is `divided` is done by all of them together."""
    global _dividing
    before, _dividing = _dividing, accelerator
    try:
        yield
    finally:
        _dividing = before


_dividing: Accelerator | None = None
"""The processes that do it, where there are several."""


def dividing() -> int:
    """Among how many processes work that is `divided` is divided now.

    Example:
        >>> dividing()
        1
    """
    return 1 if _dividing is None else _dividing.num_processes


def divided(pieces: Iterable[Piece], work: Callable[[Piece], Done]) -> list[Done]:
    """What becomes of each of some pieces of work, in their order; the same in every process.

    Within `dividing_work` each process does one of so many as there are processes, and is told of the
    others'. The pieces do not depend on how many do them, and so neither does what becomes of them.

    Example:
        >>> divided([1, 2, 3], lambda number: number**2)
        [1, 4, 9]
    """
    if _dividing is None or dividing() == 1:
        return [work(piece) for piece in pieces]
    rank, count = _dividing.process_index, _dividing.num_processes
    own = {number: work(piece) for number, piece in enumerate(pieces) if number % count == rank}
    every = {number: done for part in gathered(_dividing, own) for number, done in part.items()}
    return [every[number] for number in sorted(every)]


def add_up(accelerator: Accelerator, *values: float) -> tuple[float, ...]:
    """The sum of each value over the processes."""
    if accelerator.num_processes == 1:
        return values
    summed = torch.tensor(values, dtype=torch.float64, device=accelerator.device)
    with meeting():
        torch.distributed.all_reduce(summed)
    return tuple(summed.tolist())


def largest(accelerator: Accelerator, value: int) -> int:
    """The largest value of all processes."""
    if accelerator.num_processes == 1:
        return value
    most = torch.tensor(value, device=accelerator.device)
    with meeting():
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
    with meeting():
        torch.distributed.all_reduce(flat)
    *sums, present = flat.split([*(p.numel() for p in trained), len(trained)])
    for parameter, gradient, processes in zip(trained, sums, present.tolist(), strict=True):
        parameter.grad = gradient.view_as(parameter) if processes else None


def share_weights(accelerator: Accelerator, model: nn.Module) -> None:
    """Give every process the weights of the first."""
    if accelerator.num_processes == 1:
        return
    with torch.no_grad(), meeting():
        for tensor in model.state_dict().values():
            torch.distributed.broadcast(tensor, 0)
