"""The recurrent layer of any cell: one of the library's, or one's own."""

from collections.abc import Sequence
from typing import Any, Unpack, final

import torch
from torch import Tensor, nn

from unrolled.cells.lookup import program_of
from unrolled.errors import ConfigError
from unrolled.layers.stack import RecurrentExtras, RecurrentLayer
from unrolled.ops.cells.cell import Cell
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
        ConfigError: the cell's step cannot be traced, or an option's value cannot be used.

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
        program = program_of(cell)
        self.cell = program.name
        self.gate_names = program.gates
        self.state_names = program.states
        self.keep_gate = program.keep_gate
        self.write_gate = program.write_gate
        self.norm_groups = (1,) * len(program.inputs)
        self.hidden_norm_groups = (1,) * len(program.products)
        for name, value in (("forget_bias", forget_bias), ("chrono", chrono)):
            if value is not None and not program.remembers:
                raise ConfigError(
                    f"{name} is the bias of the gate that keeps the old state: expected {self.cell} to name "
                    f"its keep_gate with it, got keep_gate={self.keep_gate!r}."
                )
        super().__init__(
            program,
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

    def gates_of(self, parameter: str) -> tuple[str, ...]:
        """The gates that have a block in a parameter, such as "weight_ih", in their order."""
        if parameter in ("weight_hh", "bias_hh", "norm_hh_gain"):
            return self.program.products
        return self.program.inputs

    @property
    def cell_name(self) -> str:
        """What its definition is called."""
        return self.program.name

    def reset_parameters(self) -> None:
        """Fill all parameters anew: torch's start, then what the options and the cell ask for."""
        super().reset_parameters()
        for suffix in self._suffixes:
            for name, initial in self.program.parameters.items():
                parameter = self.get_parameter(name + suffix)
                if initial.kind == "constant":
                    nn.init.constant_(parameter, initial.first)
                else:
                    nn.init.uniform_(parameter, initial.first, initial.second)

    def matrices(self, weight_hh: Tensor) -> Tensor:
        """The recurrent matrices that are made of the weights."""
        if all(kind == "full" for kind in self.program.matrices):
            return weight_hh
        made = {"full": lambda weight: weight, "antisymmetric": lambda weight: weight - weight.t()}
        blocks = weight_hh.split(weight_hh.shape[-1])
        return torch.cat(
            [made[kind](block) for kind, block in zip(self.program.matrices, blocks, strict=True)]
        )

    def extra_repr(self) -> str:
        """The cell, the sizes, and every option that is not at its default."""
        return f"{self.cell}, {super().extra_repr()}"
