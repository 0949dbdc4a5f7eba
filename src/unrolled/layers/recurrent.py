"""The three recurrent layers, each the drop-in replacement of the one of the same name in `torch.nn`."""

from collections.abc import Sequence
from typing import Any, Literal, Unpack, final

import torch
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.layers.built_in import ACTIVATIONS, program_of_built_in
from unrolled.layers.cell_layer import Recurrent
from unrolled.layers.stack import RecurrentExtras, RecurrentLayer
from unrolled.ops.inputs import NORM_GROUPS


@final
class RNN(RecurrentLayer):
    """The simple recurrent network of Elman (1990); the equations stand in `unrolled.cells.library.elman`.

    Args:
        input_size: features of the input.
        hidden_size: units of every layer, or a sequence with the width of each.
        num_layers: layers.
        nonlinearity: "tanh", "relu", "sigmoid" or "identity".
        bias: add biases.
        batch_first: batches are ``(B, T, ...)``.
        dropout: share of units dropped between layers.
        bidirectional: read the sequence in both directions.
        device: of the parameters.
        dtype: of the parameters.
        **extras: what `torch.nn` lacks; see `unrolled.layers.stack.RecurrentLayer`.

    Example:
        >>> layer = RNN(3, 5, nonlinearity="identity")
        >>> output, h_n = layer(torch.randn(7, 2, 3), lengths=torch.tensor([7, 4]))
        >>> output.shape, h_n.shape
        (torch.Size([7, 2, 5]), torch.Size([1, 2, 5]))
    """

    cell = "rnn"
    gate_names = ("candidate",)
    norm_groups = hidden_norm_groups = NORM_GROUPS["rnn"]
    state_names = ("h",)
    keep_gate = None
    write_gate = None

    def __init__(
        self,
        input_size: int,
        hidden_size: int | Sequence[int],
        num_layers: int = 1,
        nonlinearity: Literal["tanh", "relu", "sigmoid", "identity"] = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        **extras: Unpack[RecurrentExtras],
    ) -> None:
        if nonlinearity not in ACTIVATIONS:
            raise ConfigError(
                f"expected nonlinearity to be one of {', '.join(ACTIVATIONS)}, got {nonlinearity!r}."
            )
        self.nonlinearity = nonlinearity
        super().__init__(
            program_of_built_in("rnn", nonlinearity),
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device,
            dtype,
            **extras,
        )


@final
class GRU(RecurrentLayer):
    """The gated recurrent unit of Cho et al. (2014); its equations: `unrolled.cells.library.gru_reset_after`.

    Args:
        input_size: features of the input.
        hidden_size: units of every layer, or a sequence with the width of each.
        num_layers: layers.
        bias: add biases.
        batch_first: batches are ``(B, T, ...)``.
        dropout: share of units dropped between layers.
        bidirectional: read the sequence in both directions.
        device: of the parameters.
        dtype: of the parameters.
        chrono: the longest dependency expected, in steps (Tallec & Ollivier 2018).
        **extras: what `torch.nn` lacks; see `unrolled.layers.stack.RecurrentLayer`.

    Example:
        >>> layer = GRU(3, 5, bidirectional=True, batch_first=True)
        >>> output, h_n = layer(torch.randn(2, 7, 3))
        >>> output.shape, h_n.shape
        (torch.Size([2, 7, 10]), torch.Size([2, 2, 5]))
    """

    cell = "gru"
    gate_names = ("reset_gate", "update_gate", "candidate")
    norm_groups = hidden_norm_groups = NORM_GROUPS["gru"]
    state_names = ("h",)
    keep_gate = "update_gate"
    write_gate = None

    def __init__(
        self,
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
        chrono: float | None = None,
        **extras: Unpack[RecurrentExtras],
    ) -> None:
        super().__init__(
            program_of_built_in("gru"),
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device,
            dtype,
            chrono=chrono,
            **extras,
        )


@final
class LSTM(RecurrentLayer):
    """Long short-term memory, Hochreiter & Schmidhuber (1997).

    The equations stand in `unrolled.cells.library.long_short_term_memory`.

    Args:
        input_size: features of the input.
        hidden_size: units of every layer, or a sequence with the width of each.
        num_layers: layers.
        bias: add biases.
        batch_first: batches are ``(B, T, ...)``.
        dropout: share of units dropped between layers.
        bidirectional: read the sequence in both directions.
        proj_size: project h to this many units (Sak, Senior & Beaufays 2014); 0 does not.
        device: of the parameters.
        dtype: of the parameters.
        peepholes: let the gates see the cell (Gers & Schmidhuber 2000).
        forget_bias: the forget gate's bias at the start.
        chrono: the longest dependency expected, in steps (Tallec & Ollivier 2018).
        **extras: what `torch.nn` lacks; see `unrolled.layers.stack.RecurrentLayer`.

    Example:
        >>> layer = LSTM(3, (8, 4), num_layers=2, peepholes=True)
        >>> output, (h_n, c_n) = layer(torch.randn(7, 2, 3))
        >>> output.shape, [h.shape for h in h_n]
        (torch.Size([7, 2, 4]), [torch.Size([1, 2, 8]), torch.Size([1, 2, 4])])
    """

    cell = "lstm"
    gate_names = ("input_gate", "forget_gate", "candidate", "output_gate")
    norm_groups = hidden_norm_groups = NORM_GROUPS["lstm"]
    state_names = ("h", "c")
    keep_gate = "forget_gate"
    write_gate = "input_gate"

    def __init__(
        self,
        input_size: int,
        hidden_size: int | Sequence[int],
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        peepholes: bool = False,
        forget_bias: float | None = None,
        chrono: float | None = None,
        **extras: Unpack[RecurrentExtras],
    ) -> None:
        self.peepholes = peepholes
        super().__init__(
            program_of_built_in("lstm", peepholes=peepholes, cell_norm=extras.get("layer_norm", False)),
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device,
            dtype,
            proj_size=proj_size,
            forget_bias=forget_bias,
            chrono=chrono,
            **extras,
        )

    def _own_shapes(self, layer: int) -> dict[str, tuple[int, ...]]:
        hidden = self.hidden_sizes[layer]
        shapes: dict[str, tuple[int, ...]] = {}
        if self.layer_norm:
            shapes |= {"norm_cell_gain": (hidden,), "norm_cell_bias": (hidden,)}
        if self.peepholes:
            shapes |= {"peephole": (3, hidden)}
        return shapes

    def own_parameters(self, suffix: str) -> list[Tensor]:
        """Those of its program, ``(H,)`` each, of one layer in one direction."""
        peephole = self._parameter("peephole", suffix)
        norms = [self._parameter(name, suffix) for name in ("norm_cell_gain", "norm_cell_bias")]
        seen = [] if peephole is None else [*peephole.unbind(0)]
        return seen + [norm for norm in norms if norm is not None]


CELLS: dict[str, type[RNN] | type[GRU] | type[LSTM]] = {"rnn": RNN, "gru": GRU, "lstm": LSTM}
"""The layers by name."""


def build_recurrent(
    cell: str | dict[str, Any],
    input_size: int,
    hidden_size: int | Sequence[int],
    *,
    activation: str | None = None,
    projection_size: int = 0,
    peepholes: bool = False,
    **options: Any,
) -> RecurrentLayer:
    """Build a layer from the options a user writes in a configuration, the cell's name among them.

    Args:
        cell: a key of `CELLS`, or what `unrolled.layers.Recurrent` takes.
        input_size: features of the input.
        hidden_size: units of every layer, or a sequence with the width of each.
        activation: an RNN's nonlinearity.
        projection_size: an LSTM's ``proj_size``.
        peepholes: an LSTM's.
        **options: as the layer's constructor takes them.

    Raises:
        ConfigError: there is no such cell, or it does not have an option that is given.

    Example:
        >>> build_recurrent("gru", 3, 5, num_layers=2)
        GRU(3, 5, num_layers=2)
    """
    own = {"nonlinearity": ("rnn", activation), "proj_size": ("lstm", projection_size)}
    own |= {"peepholes": ("lstm", peepholes)}
    for name, (owner, value) in own.items():
        if value is None or value is False or (value == 0 and name == "proj_size"):
            continue
        if owner != cell:
            raise ConfigError(
                f"{name} is an option of cell={owner!r}: expected it unset for cell={cell!r}, got {value!r}."
            )
        options[name] = value
    if not isinstance(cell, str) or cell not in CELLS:
        return Recurrent(cell, input_size, hidden_size, **options)
    return CELLS[cell](input_size, hidden_size, **options)
