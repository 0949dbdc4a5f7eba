"""What every task's model folder must hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from pydantic import with_config
from torch import Tensor
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
