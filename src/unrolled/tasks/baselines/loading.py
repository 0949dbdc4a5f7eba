"""The baselines that a model folder holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from unrolled.saving.schema import conforming
from unrolled.tasks.baselines.base import Baseline, BaselineState


def loaded_baselines(
    kinds: Iterable[type[Baseline]],
    values: Mapping[str, Mapping[str, Any]],
    tensors: Mapping[str, Tensor],
    folder: str | Path,
) -> dict[str, Baseline]:
    """The baselines by name, each made of its entries and tensors, of which none is left over.

    Raises:
        ModelFolderError: an entry is not as a baseline's schema says.
        ValueError: there is no such baseline, its parts do not fit each other, or a tensor is no baseline's.
    """
    known = {kind.name: kind for kind in kinds}
    unknown = [name for name in values if name not in known]
    if unknown:
        raise ValueError(f"expected no baseline {unknown[0]!a:.60}, but of {', '.join(known)}")
    found, used = {}, set()
    for name, entries in values.items():
        kind, prefix = known[name], f"{name}/"
        own = {key.removeprefix(prefix): each for key, each in tensors.items() if key.startswith(prefix)}
        checked = conforming(Path(folder, "baselines.json"), entries, kind.Saved)
        baseline = found[name] = kind.from_state(BaselineState(checked, own))
        needed = baseline.state().tensors
        for key, tensor in needed.items():
            if tensor.shape != own[key].shape or tensor.dtype != own[key].dtype:
                raise ValueError(f"expected {key!r} of {name!r} as {tensor.dtype}, got {own[key].dtype}")
        used |= {prefix + key for key in needed}
    if left := sorted(set(tensors) - used):
        raise ValueError(f"expected no tensor {left[0]!a:.60} among those of the baselines")
    return found
