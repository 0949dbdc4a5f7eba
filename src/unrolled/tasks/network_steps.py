"""A network that is run on from wherever a stream is: its state as arrays by name, argument and result."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from unrolled.errors import DataError
from unrolled.layers.state import State, state_tensors
from unrolled.models.base import SequenceModel
from unrolled.tasks.stream_state import ArrayForm, StreamState


class NetworkSteps:
    """A causal network as its weights were when this was made; a single step goes the way of its stream.

    Args:
        model: is copied.

    Attributes:
        arrays: what those are that a state consists of.
    """

    def __init__(self, model: SequenceModel) -> None:
        self._model = copy.deepcopy(model).eval()
        self._initial = self._model.initial_state(1)
        self._stream = self._model.stream(self._initial)
        self._device = next(self._model.parameters()).device
        self._lock = Lock()  # the stream has one state, and several may run side by side
        self.arrays = network_arrays(self._model)

    def is_of(self, model: SequenceModel) -> bool:
        """Whether these are the weights that a network has now."""
        own, others = self._model.state_dict(), model.state_dict()
        return own.keys() == others.keys() and all(
            one.device == others[name].device and torch.equal(one, others[name]) for name, one in own.items()
        )

    def run(
        self, inputs: Mapping[str, np.ndarray], state: StreamState | None
    ) -> tuple[Tensor, dict[str, np.ndarray]]:
        """The outputs for the next steps of one sequence, without the batch's axis, and the state after them.

        Args:
            inputs: one step or more, each ``(time, ...)``.
            state: with the network's arrays among its own; None or one without begins anew.
        """
        given = {name: _one_row(values).to(self._device) for name, values in inputs.items()}
        before = self._initial
        if state is not None and not state.arrays.keys().isdisjoint(self.arrays):
            before = unpacked(state.arrays, before)
        steps = next(iter(given.values())).shape[1]
        if steps > 1 or self._stream is None:
            with torch.no_grad():
                outputs, after = self._model(given, torch.tensor([steps], device=self._device), before)
            return outputs[0].cpu(), packed(after)
        with self._lock:
            self._stream.state = before
            outputs = self._stream.step({name: values.squeeze(1) for name, values in given.items()})
            after = packed(self._stream.state)
        return (outputs if self._model.every_step else outputs[0]).cpu(), after


_STEPS: WeakKeyDictionary[SequenceModel, NetworkSteps] = WeakKeyDictionary()
_MAKING = Lock()


def network_steps(model: SequenceModel) -> NetworkSteps:
    """A network's steps, the same for all streams that are made while its weights are what they are."""
    with _MAKING:
        found = _STEPS.get(model)
        if found is None or not found.is_of(model):
            found = _STEPS[model] = NetworkSteps(model)
        return found


def _one_row(array: np.ndarray) -> Tensor:
    """A batch of one, of the types that `unrolled.data.buckets.pad` makes: a tenth of its time."""
    kind = torch.int64 if array.dtype.kind in "iu" else torch.get_default_dtype()
    return torch.from_numpy(np.ascontiguousarray(array)).to(kind).unsqueeze(0)


def network_arrays(model: SequenceModel) -> dict[str, ArrayForm]:
    """What the arrays are that `packed` makes of a network's state."""
    arrays = packed(model.initial_state(1))
    return {name: ArrayForm(array.dtype.kind, array.shape) for name, array in arrays.items()}


def packed(state: State) -> dict[str, np.ndarray]:
    """The tensors of a state, as arrays by name."""
    return {f"state.{at}": part.cpu().numpy() for at, part in enumerate(state_tensors(state))}


def unpacked(arrays: Mapping[str, np.ndarray], like: State) -> State:
    """The inverse of `packed`.

    Args:
        arrays: by name.
        like: a state of the same nesting and shapes.

    Raises:
        DataError: the arrays are not those of such a state.
    """
    numbers = iter(range(len(state_tensors(like))))

    def restored(part: State) -> Any:
        if isinstance(part, tuple):
            return tuple(map(restored, part))
        array = arrays.get(f"state.{next(numbers)}")
        if array is None or array.shape != tuple(part.shape):
            raise DataError(
                f"expected a state of this model, with an array {tuple(part.shape)}, got "
                f"{'none' if array is None else array.shape}"
            )
        return torch.from_numpy(array.copy()).to(part)

    return restored(like)
