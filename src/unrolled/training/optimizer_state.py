"""What an optimiser knows of every weight, by the weights' names: taken out, and taken up again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from unrolled.training.optimisation import build_optimizer

if TYPE_CHECKING:
    from unrolled.training.config import TrainingConfig


def knowledge(model: nn.Module, optimizer: Any) -> dict[str, Tensor]:
    """Copies of what an optimiser knows of each weight, as ``NAME/ENTRY``.

    Example:
        >>> model = nn.Linear(2, 1, bias=False)
        >>> optimizer = torch.optim.AdamW(model.parameters())
        >>> model(torch.ones(2)).backward()
        >>> optimizer.step()
        >>> sorted(knowledge(model, optimizer))
        ['weight/exp_avg', 'weight/exp_avg_sq', 'weight/step']
    """
    state = optimizer.state_dict()["state"]
    return {
        f"{name}/{entry}": value.detach().clone()
        for number, name in enumerate(_names(model, optimizer))
        for entry, value in state.get(number, {}).items()
        if isinstance(value, Tensor)
    }


def entries_of(config: TrainingConfig) -> dict[str, Tensor | None]:
    """What the optimiser of these options comes to know of a weight, here of one of a single number.

    Example:
        >>> from unrolled.training.config import TrainingConfig
        >>> {name: value.dim() for name, value in entries_of(TrainingConfig(optimizer="adamw")).items()}
        {'step': 0, 'exp_avg': 2, 'exp_avg_sq': 2}
    """
    weight = nn.Parameter(torch.zeros(1, 1))
    weight.grad = torch.zeros(1, 1)
    optimizer = build_optimizer(nn.ParameterList([weight]), config)
    optimizer.step()
    return optimizer.state_dict()["state"].get(0, {})


def take_up(model: nn.Module, optimizer: Any, known: Mapping[str, Tensor], entries: Collection[str]) -> bool:
    """Give an optimiser what another one knew.

    A weight may have grown since, as by classes that were added: nothing is known of what is new.

    Args:
        model: the network.
        optimizer: of its weights.
        known: as of `knowledge`.
        entries: what this optimiser must know of a weight, as of `entries_of`.

    Returns:
        Whether all of it fits; if not, nothing is changed.
    """
    weights = dict(model.named_parameters())
    names = list(_names(model, optimizer))
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in known.items():
        name, _, entry = key.rpartition("/")
        weight = weights.get(name)
        if weight is None or name not in names or not value.isfinite().all():
            return False
        fitted = value if value.dim() == 0 else _grown(value, weight)
        if fitted is None:
            return False
        state.setdefault(names.index(name), {})[entry] = fitted.clone()
    if not state or any(entry.keys() != set(entries) for entry in state.values()):
        return False
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return True


def _names(model: nn.Module, optimizer: Any) -> Iterator[str]:
    """The weights' names in the optimiser's order."""
    names = {id(weight): name for name, weight in model.named_parameters()}
    return (names[id(weight)] for group in optimizer.param_groups for weight in group["params"])


def _grown(value: Tensor, weight: Tensor) -> Tensor | None:
    """An entry with zeros where its weight has grown; None where it is no entry of this weight."""
    if value.dim() != weight.dim() or any(a > b for a, b in zip(value.shape, weight.shape, strict=True)):
        return None
    grown = torch.zeros(weight.shape, dtype=value.dtype)
    grown[tuple(map(slice, value.shape))] = value.cpu()
    return grown
