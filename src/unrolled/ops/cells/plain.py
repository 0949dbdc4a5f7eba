"""A cell whose step is run as it stands, as ordinary torch: what a program cannot say, at the pace of a loop.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.ops.cells import symbols
from unrolled.ops.cells.cell import Cell, Shares, called, place, require_described, states_of
from unrolled.ops.cells.description import Description
from unrolled.ops.cells.given import Given
from unrolled.ops.cells.reference import Ran, run_steps
from unrolled.ops.cells.surrounded import Surroundings
from unrolled.ops.listening import Listen, listening_probe
from unrolled.ops.scan import clamp_gradient, each_step, real_steps, zero_padding


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlainCell(Description):
    """A cell with the step that it is run by.

    Attributes:
        cell: its definition.
    """

    cell: Cell

    @classmethod
    def of(cls, cell: Cell) -> Self:
        """A definition with ``fused = False``.

        Raises:
            ConfigError: something does not fit its description.
        """
        require_described(cell)
        inputs, products = (
            tuple(cell.gates if given is None else given)
            for given in (cell.input_gates, cell.recurrent_gates)
        )
        unknown = sorted(set(cell.matrices) - set(products))
        if unknown:
            raise ConfigError(
                f"expected matrices of {called(cell)} for gates with a recurrent matrix, {list(products)}, "
                f"got {unknown}."
            )
        return cls(
            name=called(cell),
            states=tuple(cell.states),
            gates=tuple(cell.gates),
            inputs=inputs,
            products=products,
            matrices=tuple(cell.matrices.get(gate, "full") for gate in products),
            parameters=dict(cell.parameters),
            keep_gate=cell.keep_gate,
            write_gate=cell.write_gate,
            cell=cell,
        )


def run_plain(cell: PlainCell, around: Surroundings, given: Given, listen: Listen | None = None) -> Ran:
    """Run a cell's own step over all steps, with what is around it.

    The values of the gates are what a step is given to make them of: the sum of the input's share and of all
    recurrent products. Clamped is the gradient with respect to each of these. What is added to a state is
    never seen by the others of the same step.

    Args:
        cell: whose step.
        around: what is around it.
        given: what it is run with.
        listen: hears the norm of every dL/dh_t on the way back, or None.
    """
    return run_steps(given, _Around(cell, around, given, listen).step, len(cell.gates))


class _Around:
    """One step at a time, with all that lies around it in a scan."""

    def __init__(self, cell: PlainCell, around: Surroundings, given: Given, listen: Listen | None) -> None:
        own, products = len(cell.parameters), len(cell.products)
        # No gradient comes of what is not read, not even of NaN.
        real = real_steps(given.lengths, len(given.gates_x))
        given = given._replace(gates_x=zero_padding(given.gates_x, real))
        self._cell = cell
        units = given.vectors
        self._bound = cell.cell.with_parameters(dict(zip(cell.parameters, units, strict=False)))
        self._extent = given.initial[0].shape
        self._given = given
        size = self._extent[-1]
        vectors = iter(units[own:])
        self._matrices = (
            dict(zip(cell.products, given.weight_hh.split(size), strict=True)) if products else {}
        )
        self._biases = {gate: next(vectors) for gate in cell.products if around.bias}
        self._gains = {gate: next(vectors) for gate in cell.products if around.normalised}
        streams = iter([each_step(stream, given.gates_x) for stream in given.streams])
        self._mask = next(streams) if around.masked else None
        self._keeps = [next(streams) if there else None for there in around.zoneout]
        self._probes = [next(streams) if there else None for there in around.probed]
        self._noise = next(streams) if around.noisy else None
        first = given.initial[0]
        shape = (len(given.gates_x), *first.shape)
        self._heard = None if listen is None else listening_probe(listen, first, shape)

    def step(self, t: int, before: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        cell, given = self._cell, self._given
        shares = given.gates_x[t].split(self._extent[-1], -1) if cell.inputs else ()
        entered = {
            gate: clamp_gradient(share, given.bound) for gate, share in zip(cell.inputs, shares, strict=True)
        }
        x = Shares(dict(entered).__getitem__, cell.inputs)

        def product(gate: str) -> Callable[[Any], Tensor]:
            def multiply(value: Any) -> Tensor:
                made = self._multiplied(t, gate, value)
                entered[gate] = entered[gate] + made if gate in entered else made
                return made

            return multiply

        returned = self._bound.step(x, Shares(product, cell.products), *before)
        new = []
        for index, result in enumerate(states_of(cell.cell, returned)):
            state = self._whole(result, f"{cell.name}.step to return {cell.states[index]}", place(cell.cell))
            keep, probe = self._keeps[index], self._probes[index]
            if keep is not None:
                state = keep[t] * before[index] + (1 - keep[t]) * state
            if probe is not None:
                state = state + probe[t]
            for added in (self._noise, self._heard):
                if added is not None and index == 0:
                    state = state + added[t]
            new.append(state)
        empty = given.gates_x.new_zeros(())
        return new, [entered.get(gate, empty).expand(self._extent) for gate in cell.gates]

    def _multiplied(self, t: int, gate: str, value: Any) -> Tensor:
        value = self._whole(value, f"u.{gate}(...) of a value")
        if self._mask is not None:
            value = value * self._mask[t]
        made = value @ self._matrices[gate].t()
        if gate in self._gains:
            made = symbols.normalise(made) * self._gains[gate]
        if gate in self._biases:
            made = made + self._biases[gate]
        return clamp_gradient(made, self._given.bound)

    def _whole(self, value: Any, expected: str, where: str = "") -> Tensor:
        """A value of every unit of every row."""
        like, (rows, size) = self._given.gates_x, self._extent
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = like.new_tensor(float(value))
        if not isinstance(value, Tensor):
            raise ConfigError(f"expected {expected}, a tensor, got {type(value).__name__}{where}.")
        if value.shape not in ((), (size,), (1, size), (rows, size)):
            raise ConfigError(
                f"expected {expected} of shape {(rows, size)}, got {tuple(value.shape)}{where}."
            )
        if value.dtype is not like.dtype or value.device != like.device:
            raise ConfigError(
                f"expected {expected} of {like.dtype} on {like.device}, "
                f"got {value.dtype} on {value.device}{where}."
            )
        return value.expand(rows, size)
