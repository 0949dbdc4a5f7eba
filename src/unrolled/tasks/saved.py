"""What every task's model folder must hold, and the network that its weights must fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from pydantic import with_config
from torch import Tensor, nn
from typing_extensions import TypedDict

from unrolled.data.table_form import SavedForm
from unrolled.models.config import NetworkConfig
from unrolled.saving.schema import ENTRIES
from unrolled.tasks.given_inputs import SavedGivenForm


@with_config(ENTRIES)
class SavedConfig(TypedDict):
    """``config.json``: the task, its effective options, what was decided, and how tables were written."""

    task: str
    options: dict[str, Any]
    notices: list[str]
    trained_on: NotRequired[list[str | None]]
    table: SavedForm | None
    given: SavedGivenForm | None


def require_layers(config: NetworkConfig, weights: Mapping[str, Tensor]) -> None:
    """See that there can be as many layers, and networks, as are claimed, before the first is made.

    Raises:
        ValueError: there are fewer weights than those.
    """
    claimed = config.num_layers * getattr(config, "ensemble", 1)
    if claimed > len(weights):
        raise ValueError(f"expected weights of {claimed:,} layers, got {len(weights):,} of all")


def require_weights(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """See that saved weights are those of a network, by name, shape and type.

    Args:
        network: on the device `meta`, so that it takes no memory.
        weights: those of the file.

    Raises:
        ValueError: one is missing, is no weight of it, is of another shape or type, or holds numbers that
            are none.
    """
    expected = network.state_dict()
    for name in (*expected, *weights):
        if name not in weights:
            raise ValueError(f"expected the weight {name!r}, found none")
        if name not in expected:
            raise ValueError(f"expected no weight {name!a:.100}")
        one, other = expected[name], weights[name]
        if one.shape != other.shape or one.dtype != other.dtype:
            raise ValueError(
                f"expected {name!r} of shape {tuple(one.shape)} as {one.dtype}, got {tuple(other.shape)} as "
                f"{other.dtype}"
            )
        if not other.isfinite().all():
            raise ValueError(f"expected finite numbers in {name!r}, found others")
