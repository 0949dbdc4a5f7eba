"""The recurrent layer of any cell: one of the library's, or one's own."""

from collections.abc import Sequence
from typing import Any, Unpack, final

import torch
from torch import Tensor, nn

from unrolled.cells.lookup import description_of
from unrolled.errors import ConfigError
from unrolled.layers.stack import RecurrentExtras, RecurrentLayer
from unrolled.ops.cells.cell import Cell, refuse
from unrolled.ops.cells.plain import PlainCell
from unrolled.ops.cells.program import Program


@final
class Recurrent(RecurrentLayer):
    """A layer of any recurrent cell, with every option that `LSTM` has.

    Parameters carry torch's names: ``weight_ih_l0`` holds the gates that the input has a share in,
    ``weight_hh_l0`` those with a recurrent matrix, each in the cell's order; the cell's own parameters follow
    by their names.

    Args:
        cell: a `Cell`, its class, its `Program`, the name of one of the library, or "file.py:Name".
        input_size: features of the input.
        hidden_size: units of every layer, or a sequence with the width of each.
        num_layers: layers.
        bias: add biases.
        batch_first: batches are ``(B, T, ...)``.
        dropout: share of units dropped between layers.
        bidirectional: read the sequence in both directions.
        device: of the parameters.
        dtype: of the parameters.
        forget_bias: the bias at the start of the gate that the cell calls its ``keep_gate``.
        chrono: the longest dependency expected, in steps (Tallec & Ollivier 2018), for the same gate.
        **extras: see `unrolled.layers.stack.RecurrentLayer`.

    Raises:
        ConfigError: the cell's step cannot be traced (or run, where it is not fused), or an option's value
            cannot be used.

    Example:
        >>> from unrolled.cells import Cell, tanh
        >>> class Elman(Cell):
        ...     gates = ("candidate",)
        ...
        ...     def step(self, x, u, h):
        ...         return tanh(x.candidate + u.candidate(h))
        >>> layer = Recurrent(Elman, 3, 5, num_layers=2)
        >>> output, h_n = layer(torch.randn(7, 2, 3), lengths=[7, 4])
        >>> output.shape, h_n.shape
        (torch.Size([7, 2, 5]), torch.Size([2, 2, 5]))
    """

    def __init__(
        self,
        cell: Cell | type[Cell] | Program | dict[str, Any] | str,
        input_size: int,
        hidden_size: int | Sequence[int],
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        forget_bias: float | None = None,
        chrono: float | None = None,
        **extras: Unpack[RecurrentExtras],
    ) -> None:
        described = description_of(cell)
        self.cell = described.name
        self.gate_names = described.gates
        self.state_names = described.states
        self.keep_gate = described.keep_gate
        self.write_gate = described.write_gate
        self.norm_groups = (1,) * len(described.inputs)
        self.hidden_norm_groups = (1,) * len(described.products)
        for name, value in (("forget_bias", forget_bias), ("chrono", chrono)):
            if value is not None and not described.remembers:
                raise ConfigError(
                    f"{name} is the bias of the gate that keeps the old state: expected {self.cell} to name "
                    f"its keep_gate with it, got keep_gate={self.keep_gate!r}."
                )
        super().__init__(
            described,
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device,
            dtype,
            forget_bias=forget_bias,
            chrono=chrono,
            **extras,
        )
        if isinstance(described, PlainCell):
            self._try(described)

    def _try(self, cell: PlainCell) -> None:
        """Run a step that nobody has seen yet, so that what does not fit is said at once."""
        weight = self._weight("weight_ih", "_l0")
        if weight.is_meta:
            return
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            inputs = weight.new_zeros(1, 2, self.input_size)
            try:
                self(inputs.transpose(0, 1) if self.batch_first else inputs)
            except ConfigError:
                raise
            except Exception as error:
                refuse(cell.cell, error)

    def gates_of(self, parameter: str) -> tuple[str, ...]:
        """The gates that have a block in a parameter, such as "weight_ih", in their order."""
        if parameter in ("weight_hh", "bias_hh", "norm_hh_gain"):
            return self.described.products
        return self.described.inputs

    @property
    def cell_name(self) -> str:
        """What its definition is called."""
        return self.described.name

    def reset_parameters(self) -> None:
        """Fill all parameters anew: torch's start, then what the options and the cell ask for."""
        super().reset_parameters()
        for suffix in self._suffixes:
            for name, initial in self.described.parameters.items():
                with self._filling(name + suffix) as parameter:
                    if initial.kind == "constant":
                        nn.init.constant_(parameter, initial.first)
                    else:
                        nn.init.uniform_(parameter, initial.first, initial.second)

    def matrices(self, weight_hh: Tensor) -> Tensor:
        """The recurrent matrices that are made of the weights."""
        kinds = self.described.matrices
        if all(kind == "full" for kind in kinds):
            return weight_hh
        made = {"full": lambda weight: weight, "antisymmetric": lambda weight: weight - weight.t()}
        blocks = weight_hh.split(weight_hh.shape[-1])
        return torch.cat([made[kind](block) for kind, block in zip(kinds, blocks, strict=True)])

    def extra_repr(self) -> str:
        """The cell, the sizes, and every option that is not at its default."""
        return f"{self.cell}, {super().extra_repr()}"
