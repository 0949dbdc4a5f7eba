"""What a checkpoint must hold: nothing is taken up of one that is not as the run that goes on needs it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import with_config
from torch import Tensor
from typing_extensions import TypedDict

from unrolled.layers.state import State, state_tensors
from unrolled.models.base import SequenceModel
from unrolled.saving.schema import ENTRIES, Count, Finite, Size
from unrolled.saving.weights import require_alike
from unrolled.training.bptt import Carry


@with_config(ENTRIES)
class SavedOptimizer(TypedDict):
    """What of an optimiser's state is no tensor."""

    numbers: dict[str, Any]
    param_groups: list[dict[str, Any]]


@with_config(ENTRIES)
class SavedSchedule(TypedDict):
    """As `Schedule.state` gives it."""

    factor: Finite
    waited: Count


@with_config(ENTRIES)
class SavedRun(TypedDict):
    """``run.json``."""

    position: dict[str, Any]
    options: dict[str, Any]
    batches: Count
    processes: Size
    optimizer: SavedOptimizer
    schedule: SavedSchedule
    clipping: dict[str, Finite]
    averaged: Count
    scaler: dict[str, Any] | None


def require_weights_or_none(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """See that the weights are those that are expected, or that there are none, for none were kept yet.

    Raises:
        ValueError: they are others.
    """
    if weights:
        require_alike(weights, expected)


def require_optimizer(
    state: Mapping[str, Any], optimizer: Any, entries: Mapping[str, Tensor | None], values: SavedOptimizer
) -> None:
    """See that an optimiser's state is of this optimiser and these weights.

    Args:
        state: what was saved, as `unflatten_optimizer` puts it together.
        optimizer: the one that takes it up.
        entries: what it knows of a weight, as of `entries_of`.
        values: what was saved beside the tensors.

    Raises:
        ValueError: an entry is missing, unknown, or of another shape, or holds numbers that are none.
    """
    # The learning rate is set anew before every update.
    own, saved = (
        [{name: value for name, value in group.items() if name != "lr"} for group in groups]
        for groups in (optimizer.state_dict()["param_groups"], values["param_groups"])
    )
    if json.loads(json.dumps(own)) != saved:
        raise ValueError("expected the groups of weights of this optimiser, got others")
    weights: Sequence[Tensor] = [weight for group in optimizer.param_groups for weight in group["params"]]
    for number, known in state["state"].items():
        if not 0 <= number < len(weights):
            raise ValueError(f"expected one of {len(weights)} weights, got what is known of number {number}")
        if known.keys() != entries.keys():
            raise ValueError(
                f"expected {', '.join(entries) or 'nothing'} of weight {number}, got other entries"
            )
        for name, one in entries.items():
            _require_entry(f"{number}.{name}", known[name], one, weights[number])


def _require_entry(name: str, value: Any, example: Tensor | None, weight: Tensor) -> None:
    if example is None:
        if value is not None:
            raise ValueError(f"expected nothing of {name!r}, got a value")
        return
    shape = weight.shape if example.dim() else example.shape
    if not isinstance(value, Tensor) or value.shape != shape or not value.is_floating_point():
        raise ValueError(f"expected {name!r} of shape {tuple(shape)}, got something else")
    # A scalar counts updates.
    if not value.isfinite().all() or (not value.dim() and value < 0):
        raise ValueError(f"expected finite numbers in {name!r}, found others")


def require_carried(carry: Carry, model: SequenceModel) -> None:
    """See that what is carried are states of this model, all of one number of rows.

    Raises:
        ValueError: they are of another form, or of several numbers of rows.
    """
    states = [each for each in (carry.state, *(past.state for past in carry.past)) if each is not None]
    rows = {tensor.shape[1] for state in states for tensor in state_tensors(state) if tensor.dim() > 1}
    for past in carry.past:
        window = past.window
        rows |= {tensor.shape[0] for tensor in (*window.inputs.values(), window.targets, window.lengths)}
    if not rows:
        return
    if len(rows) > 1:
        raise ValueError(f"expected states of as many rows as there are sequences, got {sorted(rows)}")
    expected = _form(model.initial_state(rows.pop()))
    for state in states:
        if _form(state) != expected:
            raise ValueError(f"expected a carried state of form {expected}, got {_form(state)}")


def _form(state: State) -> Any:
    """Its nesting, with a shape in place of each tensor, and whether it holds fractions."""
    if isinstance(state, tuple):
        return tuple(map(_form, state))
    return tuple(state.shape), state.is_floating_point()
