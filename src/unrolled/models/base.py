"""What every network here has in common, whichever way it is wired."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

if TYPE_CHECKING:
    from unrolled.layers.state import State
    from unrolled.models.streaming import StepStream


class SequenceModel(nn.Module, ABC):
    """A network from named batch-first inputs to outputs, with the recurrent state as argument and result.

    The state is never kept inside the model: what comes out of one call is what the next one takes, so
    truncated backpropagation, streaming and resetting single rows need no hidden switch.

    Attributes:
        every_step: whether there is an output for each step, and not one for the sequence.
    """

    every_step: ClassVar[bool] = True

    @property
    @abstractmethod
    def causal(self) -> bool:
        """Whether the output at a step depends on no later input.

        A network that is not causal (a bidirectional one) can be neither trained in windows nor fed step by
        step.
        """

    @abstractmethod
    def forward(
        self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Run the network over a batch.

        Args:
            inputs: tensors by name, each ``(batch, time, ...)``.
            lengths: ``(batch,)`` int64, the true steps of every row, zero allowed; None: all rows are full.
            state: the state before the first step; None means ``initial_state``.

        Returns:
            The outputs, ``(batch, time, ...)`` per step or ``(batch, ...)`` for one output a sequence, and
            the state after the last true step.
        """

    @abstractmethod
    def initial_state(self, batch_size: int) -> State:
        """The state before the first step of a sequence, for ``batch_size`` rows."""

    def stream(self, state: State) -> StepStream | None:
        """Go on from a state one step at a time, in evaluation: many times as fast as calls of one step.

        Args:
            state: as the network returned it.

        Returns:
            None of a network that only runs as a whole.
        """
        return None
