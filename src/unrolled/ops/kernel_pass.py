"""What a cell that the library has a kernel of its own for is run with, from its input on.

Legend: ``T`` steps, ``B`` rows, ``I`` features of the input, ``H`` hidden units, ``G`` gates.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor

from unrolled.ops.cells.given import Given
from unrolled.ops.cells.program import Program
from unrolled.ops.cells.surrounded import Surroundings
from unrolled.ops.inputs import NORM_GROUPS, project_input
from unrolled.ops.listening import Listen
from unrolled.ops.scan import real_steps, zero_padding


class Options(NamedTuple):
    """What a plain cell does without.

    Attributes:
        norm_ih_gain: of the normalised input's product, ``(G * H,)``, or None.
        norm_hh_gain: of the normalised recurrent product, ``(G * H,)``, or None.
        norm_cell_gain: LSTM: ``(H,)``, or None together with norm_cell_bias.
        norm_cell_bias: LSTM: ``(H,)``.
        peephole: LSTM: ``(3, H)``, or None.
        hidden_mask: ``(B, H)``, or None.
        zoneout_h: broadcastable to ``(T, B, H)``, or None.
        zoneout_c: LSTM: the same for its cell.
    """

    norm_ih_gain: Tensor | None = None
    norm_hh_gain: Tensor | None = None
    norm_cell_gain: Tensor | None = None
    norm_cell_bias: Tensor | None = None
    peephole: Tensor | None = None
    hidden_mask: Tensor | None = None
    zoneout_h: Tensor | None = None
    zoneout_c: Tensor | None = None


NO_OPTIONS = Options()


class KernelPass(NamedTuple):
    """What a cell is run with.

    Attributes:
        program: what the cell computes.
        cell: the kernel that computes it, "rnn", "gru" or "lstm".
        activation: of an RNN.
        reverse: scan from the last step to the first.
        clip_step: bound of the gradient at the gates' inputs; 0 for none.
        listen: hears the norm of every dL/dh_t on the way back, or None; not in a backward pass that is
            itself differentiated.
        values: the input, ``(T, B, I)``.
        weight_ih: ``(G * H, I)``.
        weight_hh: ``(G * H, H)``.
        bias_ih: ``(G * H,)``, or None.
        bias_hh: ``(G * H,)``, or None.
        h_0: ``(B, H)``, or None for zeros.
        c_0: LSTM: ``(B, H)``, or None for zeros.
        lengths: real steps of each row, ``(B,)`` int64 between 0 and T; past them nothing is read.
        options: None where there are none.
    """

    program: Program
    cell: str
    activation: str
    reverse: bool
    clip_step: float
    listen: Listen | None
    values: Tensor
    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    h_0: Tensor | None = None
    c_0: Tensor | None = None
    lengths: Tensor | None = None
    options: Options | None = None


CONSTANTS = KernelPass._fields.index("values")
PLAIN = KernelPass._fields.index("options") - CONSTANTS
"""How many fields come before a pass's tensors, and how many of these every pass has."""


def tensors_of(given: KernelPass) -> tuple[Tensor | None, ...]:
    """The tensors of a pass, in their order."""
    plain: Any = given[CONSTANTS:-1]
    return plain if given.options is None else plain + given.options


def make_pass(constants: Sequence[Any], tensors: Sequence[Any]) -> KernelPass:
    """A pass of its other fields and its tensors."""
    options = Options._make(tensors[PLAIN:]) if len(tensors) > PLAIN else None
    return KernelPass._make((*constants, *tensors[:PLAIN], options))


def as_program(given: KernelPass) -> tuple[Surroundings, Given]:
    """The same pass as any cell is run: what stands around its program, and what both read."""
    options, groups = given.options or NO_OPTIONS, NORM_GROUPS[given.cell]
    (steps, rows, _), width = given.values.shape, given.weight_hh.shape[-1]
    gates_x = project_input(
        zero_padding(given.values, real_steps(given.lengths, steps)),
        given.weight_ih,
        given.bias_ih,
        options.norm_ih_gain,
        groups,
    )
    nothing = gates_x.new_zeros(rows, width)
    states = (given.h_0, given.c_0)[: len(given.program.states)]
    zoneouts = (options.zoneout_h, options.zoneout_c)[: len(states)]
    peephole = None if options.peephole is None else options.peephole.flatten()
    vectors = peephole, options.norm_cell_gain, options.norm_cell_bias, given.bias_hh, options.norm_hh_gain
    around = Surroundings(
        bias=given.bias_hh is not None,
        normalised=() if options.norm_hh_gain is None else groups,
        masked=options.hidden_mask is not None,
        zoneout=tuple(each is not None for each in zoneouts),
        probed=(False,) * len(states),
        clipped=bool(given.clip_step),
    )
    streams = (options.hidden_mask, *zoneouts)
    return around, Given(
        gates_x=gates_x,
        weight_hh=given.weight_hh,
        initial=tuple(nothing if state is None else state for state in states),
        units=tuple(each for each in vectors if each is not None),
        streams=tuple(each.expand(steps, rows, width) for each in streams if each is not None),
        projection=None,
        lengths=given.lengths,
        resets=None,
        reverse=given.reverse,
        bound=given.clip_step,
    )
