"""What all recurrent layers share: stacking, direction, lengths, state, regularisation."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from unrolled.errors import ConfigError, ShapeError
from unrolled.layers import checks
from unrolled.layers.engines import run
from unrolled.layers.engines.cudnn import lay_out
from unrolled.layers.engines.engine import Pass
from unrolled.layers.engines.kernels import CELLS as KERNELS
from unrolled.layers.engines.programs import run_scan
from unrolled.layers.html_table import html_table
from unrolled.layers.initialisation import (
    RECURRENT_INITS,
    chrono_bias,
    fill_gate_bias,
    fill_recurrent,
    fill_uniform,
)
from unrolled.layers.layout import StateLayout
from unrolled.layers.record import Direction, Unrolled
from unrolled.layers.regularisation import variational_mask, zoneout_weights
from unrolled.layers.scan import Listener, Observer, Scan, Steps
from unrolled.layers.sequences import Lengths, arrange
from unrolled.layers.state import State
from unrolled.ops.cells.plain import PlainCell
from unrolled.ops.cells.program import Program

if TYPE_CHECKING:
    from unrolled.layers.streaming import Stream

INITIAL_STATES = ("zeros", "learned", "random")
RANDOM_STATE_DEVIATION = 0.1
PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
"""Of every cell, in the order of `unrolled.ops.kernel_pass.Pass`."""


class RecurrentExtras(TypedDict, total=False):
    """The keyword arguments that `torch.nn` does not have; `RecurrentLayer` says what each does."""

    layer_norm: bool
    recurrent_dropout: float
    variational_dropout: bool
    zoneout: float | tuple[float, float]
    weight_drop: float
    state_noise: float
    initial_state: Literal["zeros", "learned", "random"]
    recurrent_init: Literal["uniform", "orthogonal", "identity", "xavier"]
    clip_step: float | None


class RecurrentLayer(nn.Module):
    """Base of `RNN`, `GRU`, `LSTM` and `Recurrent`: drop-in for `torch.nn`'s, with the options it lacks.

    Parameters carry torch's names, shapes and gate order, so without extras a state_dict moves both ways.

    Args:
        described: what the cell computes, its program or its own step; a projection comes after it.
        input_size: features of the input.
        hidden_size: units of every layer, or a sequence with the width of each.
        num_layers: layers, one on top of the other.
        bias: add ``bias_ih`` and ``bias_hh``.
        batch_first: batches are ``(B, T, ...)`` rather than ``(T, B, ...)``; states are not affected.
        dropout: share of units dropped between layers in training.
        bidirectional: read the sequence in both directions; outputs are concatenated.
        device: of the parameters.
        dtype: of the parameters, float32 or float64.
        layer_norm: normalise the input's and the recurrent product of the gates, and an LSTM's cell before
            its tanh (Ba, Kiros & Hinton 2016).
        recurrent_dropout: share of the hidden units hidden from the recurrent product, the same units at
            every step of a sequence (variational dropout, Gal & Ghahramani 2016).
        variational_dropout: let ``dropout`` too drop the same units at every step.
        zoneout: probability with which a unit keeps its old value at a step (Krueger et al. 2017); for an
            LSTM two of them where h and c differ.
        weight_drop: share of the recurrent weights dropped for a forward pass (Merity et al. 2018).
        state_noise: standard deviation of the Gaussian noise added to the output h at every step in training,
            which the next step reads (Song, Yang & Wang 2016); an LSTM's cell has none.
        initial_state: "zeros"; "learned", a parameter; "random", drawn with standard deviation 0.1 in
            training and zero in evaluation.
        recurrent_init: "uniform" as torch; "orthogonal", "identity" or "xavier", each gate by itself.
        proj_size: LSTM: project h to this many units (Sak, Senior & Beaufays 2014).
        forget_bias: LSTM: the forget gate's bias at the start.
        chrono: LSTM and GRU: the longest dependency expected, in steps; biases are drawn so that units
            remember for 1 to that many steps (Tallec & Ollivier 2018).
        clip_step: clamp the gradient with respect to what enters each gate to ``±clip_step`` at every step
            of the backward pass (Graves 2013). Can be set later: ``layer.clip_step = 1.0``.

    Raises:
        ConfigError: an option's value cannot be used.
    """

    cell: str
    """Its name."""
    peepholes: bool = False
    """Whether the gates see the cell, which an LSTM's alone can."""
    nonlinearity: str = "tanh"
    """Of the simple recurrent network, which alone has a choice."""
    gate_names: tuple[str, ...]
    """The gates in the order in which they lie in the weights."""
    state_names: tuple[str, ...]
    """The tensors of the state."""
    norm_groups: tuple[int, ...]
    """How many gates each normalisation of the input's product runs over."""
    hidden_norm_groups: tuple[int, ...]
    """The same of the recurrent product."""
    keep_gate: str | None
    """The gate that holds on to the old state, for the biases that make it remember."""
    write_gate: str | None
    """The gate that lets the new in, where it is another one."""
    observers: tuple[Observer, ...] = ()
    """Called around every recurrence, the last one outermost; for measuring, such as `unrolled.diagnosis`."""

    listeners: tuple[Listener, ...] = ()
    """They hear how large the error of every step is, which costs a layer next to nothing."""

    def __init__(
        self,
        described: Program | PlainCell,
        input_size: int,
        hidden_size: int | Sequence[int],
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
        *,
        proj_size: int = 0,
        forget_bias: float | None = None,
        chrono: float | None = None,
        layer_norm: bool = False,
        recurrent_dropout: float = 0.0,
        variational_dropout: bool = False,
        zoneout: float | tuple[float, float] = 0.0,
        weight_drop: float = 0.0,
        state_noise: float = 0.0,
        initial_state: str = "zeros",
        recurrent_init: str = "uniform",
        clip_step: float | None = None,
    ) -> None:
        super().__init__()
        self.described = described
        self.input_size = checks.whole_number("input_size", input_size, 1)
        self.num_layers = checks.whole_number("num_layers", num_layers, 1)
        self.hidden_sizes = checks.widths(hidden_size, num_layers)
        self.hidden_size = hidden_size if isinstance(hidden_size, int) else self.hidden_sizes
        self.proj_size = checks.whole_number("proj_size", proj_size, 0)
        if self.proj_size >= min(self.hidden_sizes):
            raise ConfigError(f"expected proj_size below hidden_size={hidden_size}, got {proj_size}.")
        widths = dict.fromkeys(self.state_names, self.hidden_sizes)
        if self.proj_size:
            widths["h"] = (self.proj_size,) * num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.bidirectional = bidirectional
        self.dropout = checks.share("dropout", dropout)
        if dropout and num_layers == 1:
            warnings.warn(
                "dropout acts between layers: expected num_layers above 1 with it, got "
                f"dropout={dropout} and num_layers=1, where it does nothing.",
                stacklevel=3,
            )
        self.variational_dropout = variational_dropout
        self.recurrent_dropout = checks.share("recurrent_dropout", recurrent_dropout)
        self.weight_drop = checks.share("weight_drop", weight_drop)
        self.state_noise = checks.at_least_zero("state_noise", state_noise)
        each = zoneout if isinstance(zoneout, tuple) else (zoneout,) * len(self.state_names)
        if len(each) != len(self.state_names):
            raise ConfigError(f"expected a zoneout for {' and '.join(self.state_names)}, got {zoneout!r}.")
        self.zoneout = tuple(checks.share("zoneout", share) for share in each)
        self.layer_norm = layer_norm
        self.initial_state_kind = checks.choice("initial_state", initial_state, INITIAL_STATES)
        self.recurrent_init = checks.choice("recurrent_init", recurrent_init, RECURRENT_INITS)
        self.forget_bias = forget_bias
        self.chrono = chrono
        if not bias and (forget_bias is not None or chrono is not None):
            raise ConfigError(
                "forget_bias and chrono set a bias: expected bias=True with them, got bias=False."
            )
        if forget_bias is not None and chrono is not None:
            raise ConfigError("forget_bias and chrono set the same bias: expected one of them, got both.")
        if chrono is not None and chrono <= 2:
            raise ConfigError(f"expected chrono, the longest dependency, above 2 steps, got {chrono!r}.")
        self.clip_step = clip_step

        self._directions = 2 if bidirectional else 1
        self._layout = StateLayout(widths, self._directions)
        built_in = self.cell in KERNELS and not (layer_norm or self.peepholes or self.proj_size)
        self._plain = built_in and self._layout.equal
        # The endings of the parameters' names, one for each layer and direction, in torch's order.
        self._suffixes = tuple(
            f"_l{layer}{direction}"
            for layer in range(num_layers)
            for direction in ("", "_reverse")[: self._directions]
        )
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        for index, suffix in enumerate(self._suffixes):
            layer = index // self._directions
            for name, shape in self._parameter_shapes(layer).items():
                self.register_parameter(name + suffix, nn.Parameter(torch.empty(shape, **made)))
        self._places = tuple(
            range(first, first + self._directions)
            for first in range(0, len(self._suffixes), self._directions)
        )
        self._present = frozenset(self._parameters)
        self._names = tuple(tuple(name + suffix for name in PARAMETERS) for suffix in self._suffixes)
        self.reset_parameters()
        self.flatten_parameters()

    def _state_sizes(self, layer: int) -> dict[str, int]:
        """The width of each tensor of a layer's state."""
        return {name: widths[layer] for name, widths in self._layout.widths.items()}

    def _torch_shapes(self, layer: int) -> dict[str, tuple[int, ...]]:
        """The parameters that torch.nn has too, in its order."""
        hidden, state = self.hidden_sizes[layer], self._state_sizes(layer)[self.state_names[0]]
        below = self.input_size
        if layer:
            below = self._state_sizes(layer - 1)[self.state_names[0]] * self._directions
        rows = {name: len(self.gates_of(name)) * hidden for name in PARAMETERS}
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows["weight_ih"], below),
            "weight_hh": (rows["weight_hh"], state),
        }
        if self.bias:
            shapes |= {name: (rows[name],) for name in PARAMETERS[2:] if rows[name]}
        if self.proj_size:
            shapes |= {"weight_hr": (self.proj_size, hidden)}
        return shapes

    def _extra_shapes(self, layer: int) -> dict[str, tuple[int, ...]]:
        """The parameters of options that torch.nn lacks."""
        hidden = self.hidden_sizes[layer]
        shapes: dict[str, tuple[int, ...]] = {}
        if self.layer_norm:
            gains = ("norm_ih_gain", "norm_hh_gain")
            shapes |= {name: (len(self.gates_of(name)) * hidden,) for name in gains}
        shapes |= self._own_shapes(layer)
        if self.initial_state_kind == "learned":
            shapes |= {f"initial_{name}": (size,) for name, size in self._state_sizes(layer).items()}
        return shapes

    def _own_shapes(self, layer: int) -> dict[str, tuple[int, ...]]:
        """The parameters of the cell's own."""
        return dict.fromkeys(self.described.parameters, (self.hidden_sizes[layer],))

    def own_parameters(self, suffix: str) -> list[Tensor]:
        """Those of its program, ``(H,)`` each, of one layer in one direction."""
        return [self._weight(name, suffix) for name in self.described.parameters]

    def gates_of(self, parameter: str) -> tuple[str, ...]:
        """The gates that have a block in a parameter, such as "weight_ih", in their order."""
        return self.gate_names

    def _parameter_shapes(self, layer: int) -> dict[str, tuple[int, ...]]:
        return self._torch_shapes(layer) | self._extra_shapes(layer)

    def _parameter(self, name: str, suffix: str) -> Tensor | None:
        """A parameter, or None where the layer has none of that name."""
        return self._weight(name, suffix) if name + suffix in self._present else None

    def _weight(self, name: str, suffix: str) -> Tensor:
        # Not get_parameter: under functional_call or a parametrisation the attribute is a plain tensor.
        # Where it is a parameter, the table of parameters is several times quicker than the attribute.
        parameter = self._parameters.get(name + suffix)
        return getattr(self, name + suffix) if parameter is None else parameter

    def _weights(self, index: int) -> tuple[Any, ...]:
        """Both matrices of one layer in one direction, and both biases or None."""
        own, (ih, hh, bias_ih, bias_hh) = self._parameters, self._names[index]
        try:
            return own[ih], own[hh], *((own[bias_ih], own[bias_hh]) if self.bias else (None, None))
        except KeyError:  # under a parametrisation
            return tuple(self._parameter(name, self._suffixes[index]) for name in PARAMETERS)

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters that `torch.nn` has too, of each layer and direction, as torch lists them."""
        return [
            [self._weight(name, suffix) for name in self._torch_shapes(index // self._directions)]
            for index, suffix in enumerate(self._suffixes)
        ]

    @property
    def has_program(self) -> bool:
        """Whether what the cell computes is known as data, rather than as its own step alone."""
        return isinstance(self.described, Program)

    @property
    def program(self) -> Program:
        """What the cell computes; a projection comes after it.

        Raises:
            ConfigError: the cell is not fused.
        """
        if isinstance(self.described, PlainCell):
            return self.described.cell.program()  # which says that there is none
        return self.described

    @property
    def cell_name(self) -> str:
        """What a person calls the cell."""
        return type(self).__name__

    @property
    def mode(self) -> str:
        """What `torch.nn` calls the cell: "LSTM", "GRU", "RNN_TANH", "RNN_RELU"..."""
        return f"RNN_{self.nonlinearity.upper()}" if self.cell == "rnn" else self.cell.upper()

    def __prepare_scriptable__(self) -> Self:
        raise ConfigError(
            f"torch.jit.script cannot compile {type(self).__name__}: expected a module of torch.nn there; "
            "torch.compile and torch.export take this one, and a torch.nn layer takes its state_dict."
        )

    def reset_parameters(self) -> None:
        """Fill all parameters anew: torch's start, in torch's order, then what the options ask for."""
        for index, suffix in enumerate(self._suffixes):
            layer = index // self._directions
            for name in self._torch_shapes(layer):
                with self._filling(name + suffix) as parameter:
                    fill_uniform(parameter, self.hidden_sizes[layer])
        for index, suffix in enumerate(self._suffixes):
            layer = index // self._directions
            with self._filling("weight_hh" + suffix) as weight:
                if len(weight):
                    fill_recurrent(weight, self.recurrent_init, len(weight) // self.hidden_sizes[layer])
            for name in self._extra_shapes(layer):
                with self._filling(name + suffix) as parameter:
                    nn.init.constant_(parameter, 1.0 if name.endswith("gain") else 0.0)

            if self.forget_bias is not None:
                self._fill_gate(self.keep_gate, self.forget_bias, suffix)
            if self.chrono is not None:
                horizon = chrono_bias(self.chrono, self.hidden_sizes[layer])
                self._fill_gate(self.keep_gate, horizon, suffix)
                self._fill_gate(self.write_gate, -horizon, suffix)

    def _fill_gate(self, gate: str | None, value: float | Tensor, suffix: str) -> None:
        # All in bias_ih, none in bias_hh, since the two are added.
        for name, own in (("bias_ih", value), ("bias_hh", 0.0)):
            gates = self.gates_of(name)
            if gate in gates:
                with self._filling(name + suffix) as bias:
                    fill_gate_bias(bias, gates.index(gate), len(gates), own)

    @contextmanager
    def _filling(self, name: str) -> Iterator[Tensor]:
        """A parameter to be filled in place; under a parametrisation what is made of it, and back again."""
        parameter = self._parameters.get(name)
        if parameter is not None:
            yield parameter
            return
        made = getattr(self, name).detach().clone()
        yield made
        with torch.no_grad():
            setattr(self, name, made)

    def flatten_parameters(self) -> None:
        """Lay the weights out on a GPU as cuDNN wants them, where it computes this layer."""
        lay_out(self)

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)
        self.flatten_parameters()  # moved to another device they are apart again
        return self

    def initial_state(self, batch_size: int) -> State:
        """The state before the first step of ``batch_size`` sequences, as ``initial_state`` configures it.

        Returns:
            ``(num_layers * directions, batch_size, width)``, for an LSTM the pair of these for h and c.
            Where the layers' widths differ each is a tuple with one tensor ``(directions, batch_size,
            width)`` a layer.
        """
        return self._layout.join([self._fresh(index, batch_size) for index in range(len(self._suffixes))])

    @property
    def _starts_from_zeros(self) -> bool:
        """Whether the initial state is zeros, as random ones are in evaluation."""
        return self.initial_state_kind == "zeros" or (
            self.initial_state_kind == "random" and not self.training
        )

    def _fresh(self, index: int, rows: int) -> tuple[Tensor, ...]:
        """The part of `initial_state` that one layer in one direction takes, ``(B, width)`` each."""
        suffix = self._suffixes[index]
        reference = self._weight("weight_hh", suffix)
        parts = []
        for name, widths in self._layout.widths.items():
            size = widths[index // self._directions]
            if self._starts_from_zeros:
                parts.append(reference.new_zeros(rows, size))
            elif self.initial_state_kind == "random":
                parts.append(torch.randn_like(reference.new_empty(rows, size)) * RANDOM_STATE_DEVIATION)
            else:
                parts.append(self._weight(f"initial_{name}", suffix).expand(rows, size))
        return tuple(parts)

    def forward(
        self,
        input: Tensor | PackedSequence,
        hx: State | None = None,
        lengths: Lengths | None = None,
        resets: Tensor | None = None,
    ) -> tuple[Any, Any]:
        """Run over whole sequences.

        Args:
            input: ``(T, B, input_size)``, with ``batch_first`` ``(B, T, input_size)``; ``(T,
                input_size)`` for one sequence; or a PackedSequence.
            hx: the state before the first step, as `initial_state` returns it (for a single sequence
                without the batch dimension); None for a fresh one.
            lengths: ``(B,)`` whole numbers, a tensor or a list, the real steps of each row, in any order,
                zero allowed. What lies past them is never read.
            resets: ``(T, B)`` bool, with ``batch_first`` ``(B, T)``: before such a step the row's state is
                the initial one, and no gradient passes; so episodes and documents lie one after the other in
                a row. Who reads from the end begins anew where what follows has begun.

        Returns:
            The output of the top layer at every step, laid out as ``input`` and zero past each row's end;
            and the state at each row's true end, laid out as ``hx``.

        Raises:
            ShapeError: a tensor does not fit; the message says what was expected and what came.
        """
        arranged = arrange(input, lengths, self.batch_first, self.input_size, resets)
        output, final, _ = run(Pass(self, arranged, arranged.enter_state(hx)))
        if arranged.packed is not None:
            return arranged.pack(output), final
        return arranged.leave(output), arranged.leave_state(final)

    def unroll(
        self,
        input: Tensor,
        hx: State | None = None,
        lengths: Lengths | None = None,
        resets: Tensor | None = None,
        *,
        gates: bool = False,
        probe: bool = False,
    ) -> Unrolled:
        """Run over whole sequences and return every step of every layer.

        Args:
            input: as in `forward`, but not packed.
            hx: as in `forward`.
            lengths: as in `forward`.
            resets: as in `forward`.
            gates: return the gates' values too.
            probe: return tensors whose ``grad``, after a backward pass, holds the total gradient of the
                loss with respect to every hidden (and cell) state.

        Example:
            >>> from unrolled.layers import LSTM
            >>> layer = LSTM(3, 4)
            >>> result = layer.unroll(torch.randn(5, 2, 3), gates=True)
            >>> result.directions[0].gates["forget_gate"].shape
            torch.Size([5, 2, 4])
        """
        if isinstance(input, PackedSequence):
            raise ShapeError(
                "expected a padded tensor, got a PackedSequence; pass lengths beside it instead."
            )
        arranged = arrange(input, lengths, self.batch_first, self.input_size, resets)
        given = Pass(self, arranged, arranged.enter_state(hx), unrolled=True, probe=probe)
        output, final, looked_at = run(given)
        directions = []
        for index, (steps, probes) in enumerate(looked_at):
            assert steps.gates is not None
            named = zip(self.gate_names, steps.gates.chunk(len(self.gate_names), -1), strict=True)
            directions.append(
                Direction(
                    layer=index // self._directions,
                    reverse=index % self._directions == 1,
                    states={
                        name: arranged.leave(states)
                        for name, states in zip(self.state_names, steps.states, strict=True)
                    },
                    gates={name: arranged.leave(values) for name, values in named} if gates else {},
                    probes=probes,
                )
            )
        return Unrolled(arranged.leave(output), arranged.leave_state(final), tuple(directions))

    def stream(self, batch_size: int = 1) -> "Stream":
        """This layer, in evaluation, for input that arrives step by step; see `unrolled.layers.streaming`.

        Args:
            batch_size: sequences that run side by side.

        Raises:
            ConfigError: the layer is bidirectional.
        """
        from unrolled.layers.streaming import Stream

        return Stream(self, batch_size)

    def scan(self, scan: Scan) -> Steps:
        """Run the cell over all steps of one layer in one direction."""
        return run_scan(self, scan)

    def matrices(self, weight_hh: Tensor) -> Tensor:
        """The matrices of the gates, one above the other, that are made of the recurrent weights."""
        return weight_hh

    def _hidden_mask(self, like: Tensor) -> Tensor | None:
        return variational_mask(like, self.recurrent_dropout, self.training)

    def _zoneouts(self, steps: int, state: tuple[Tensor, ...]) -> list[Tensor | None]:
        """The keep weights of each tensor of the state."""
        return [
            zoneout_weights(steps, part, share, self.training)
            for part, share in zip(state, self.zoneout, strict=True)
        ]

    def _repr_html_(self) -> str:
        rows = [(name, " × ".join(map(str, weight.shape))) for name, weight in self.named_parameters()]
        count = sum(weight.numel() for weight in self.parameters())
        return html_table(f"{type(self).__name__}({self.extra_repr()}), {count:,} weights", rows)

    def extra_repr(self) -> str:
        """The sizes, and every option that is not at its default."""
        shown = [str(self.input_size), str(self.hidden_size)]
        defaults = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
            "layer_norm": False,
            "recurrent_dropout": 0.0,
            "variational_dropout": False,
            "zoneout": (0.0,) * len(self.state_names),
            "weight_drop": 0.0,
            "state_noise": 0.0,
            "peepholes": False,
            "initial_state_kind": "zeros",
            "clip_step": None,
        }
        shown += [
            f"{name}={getattr(self, name)}"
            for name, usual in defaults.items()
            if getattr(self, name) != usual
        ]
        return ", ".join(shown)
