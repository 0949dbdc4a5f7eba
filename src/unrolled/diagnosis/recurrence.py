"""One recurrence as it ran, and its single steps run again apart from each other.

Legend: ``T`` steps, ``B`` rows, ``S`` the size of the whole state (h, or h and c), ``N`` single steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from unrolled.layers.scan import Scan, Steps
from unrolled.layers.stack import RecurrentLayer
from unrolled.ops.scan import previous_states, real_steps, step_order


@dataclass(slots=True)
class Recurrence:
    """One layer in one direction, as it ran once; its tensors are cut from the graph.

    Attributes:
        name: of the layer in the module.
        layer: what ran.
        scan: what it was run with; its weights are not cut, so that single steps can be differentiated.
        steps: what came out.
        direct: the gradient with respect to every h that does not come from a later step, ``(T, B, H)``,
            after a backward pass; None where nothing but the last state was used.
        hidden: dL/dh_t, ``(T, B, H)``, after a backward pass.
        others: the gradient with respect to every further state, such as dL/dc_t, ``(T, B, H)`` each, after a
            backward pass.
    """

    name: str
    layer: RecurrentLayer
    scan: Scan
    steps: Steps
    direct: Tensor | None = field(default=None)
    hidden: Tensor | None = field(default=None)
    others: tuple[Tensor, ...] = field(default=())

    @classmethod
    def of(cls, name: str, layer: RecurrentLayer, scan: Scan, steps: Steps) -> Recurrence:
        """Cut from the graph: what is kept by a gradient function must not keep that function."""
        cut = scan._replace(
            gates_x=scan.gates_x.detach(),
            initial=tuple(part.detach() for part in scan.initial),
            probes=(None,) * len(scan.probes),
            listen=None,
            noise=None,
        )
        done = Steps(
            tuple(states.detach() for states in steps.states),
            None if steps.gates is None else steps.gates.detach(),
            tuple(part.detach() for part in steps.final),
        )
        return cls(name, layer, cut, done)

    def forward_alone(self) -> Recurrence:
        """The same without gradients, and with nothing that leads to a graph."""
        weight_hh = self.scan.weight_hh.detach()
        return Recurrence(self.name, self.layer, self.scan._replace(weight_hh=weight_hh), self.steps)

    @property
    def gates(self) -> Tensor:
        """The gates' values at every step, ``(T, B, gates * H)``."""
        # A layer that is stood around returns them.
        assert self.steps.gates is not None
        return self.steps.gates

    def before(self) -> tuple[Tensor, ...]:
        """The state that every step started from, ``(T, B, ·)`` for each of its tensors."""
        real = real_steps(self.scan.lengths, len(self.steps.hidden))
        found = [
            previous_states(states, initial, real, self.scan.reverse)
            for states, initial in zip(self.steps.states, self.scan.initial, strict=True)
        ]
        if self.scan.resets is None:
            return tuple(found)
        anew = self.scan.resets.unsqueeze(-1)
        return tuple(
            torch.where(anew, initial, states)
            for states, initial in zip(found, self.scan.initial, strict=True)
        )

    def order(self, row: int | None = None) -> list[int]:
        """The steps of a row, or all of them, in the order in which they ran."""
        steps = len(self.steps.hidden)
        length = steps if self.scan.lengths is None or row is None else int(self.scan.lengths[row])
        return list(step_order(length, self.scan.reverse))

    def advance(self, gates_x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Run single steps, each from a state of its own.

        Args:
            gates_x: the input's share of every gate, ``(N, gates * H)``.
            state: the states before, ``(N, ·)`` each.

        Returns:
            The states after, ``(N, ·)`` each.
        """
        single = self.scan._replace(
            gates_x=gates_x.unsqueeze(0), initial=state, lengths=None, reverse=False, resets=None
        )
        return self.layer.scan(single).final


def step_jacobians(
    recurrence: Recurrence, steps: list[int], row: int = 0, *, differentiable: bool = False
) -> Tensor:
    """The Jacobians ds_t/ds_{t-1} of some steps of one row.

    Each step is run once for every element of its result, all side by side.

    Args:
        recurrence: as it ran.
        steps: the steps t.
        row: the row of the batch.
        differentiable: keep the graph to the weights. The inputs and states are constants.

    Returns:
        ``(steps, S, S)``: row i of each is the gradient of element i of the state after.
    """
    before = [states[steps, row] for states in recurrence.before()]
    size = sum(part.shape[-1] for part in before)
    with torch.enable_grad():
        state = tuple(part.repeat_interleave(size, 0).requires_grad_() for part in before)
        gates_x = recurrence.scan.gates_x[steps, row].repeat_interleave(size, 0)
        after = joined(recurrence.advance(gates_x, state))
        element = torch.eye(size, dtype=after.dtype, device=after.device).repeat(len(steps), 1)
        gradients = torch.autograd.grad(
            after, state, element, create_graph=differentiable, materialize_grads=True
        )
    found = joined(gradients).view(len(steps), size, size)
    if recurrence.scan.resets is None:
        return found
    # Nothing passes to the state before a step that begins anew.
    return torch.where(recurrence.scan.resets[steps, row].view(-1, 1, 1), 0.0, found)


def joined(state: tuple[Tensor, ...]) -> Tensor:
    """The whole state side by side, ``(N, S)``."""
    return state[0] if len(state) == 1 else torch.cat(state, -1)


def parted(state: Tensor, like: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The inverse of `joined`, parts as wide as those of ``like``."""
    return tuple(state.split([part.shape[-1] for part in like], -1))
