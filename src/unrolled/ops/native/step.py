"""One step of a stack of layers on the library, without a gradient: what streaming runs.

Legend: ``B`` rows, ``I`` features, ``H`` hidden units, ``G`` gates.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.ops.layer_norm import EPSILON
from unrolled.ops.native.library import Library, addresses
from unrolled.ops.native.memory import allocate
from unrolled.ops.native.record import ACTIVATION_NUMBERS

_WIDEST = 16
"""Numbers of the widest vector of any instruction set."""
_STREAM = struct.Struct("2q")
_LAYER = struct.Struct("18q3d")
"""``StreamRecord`` of ``csrc/arguments.h``, and the ``StepRecord`` of each layer that follows."""


@dataclass(frozen=True, slots=True)
class StepWeights:
    """What a step of one layer reads.

    Attributes:
        weight_ih: ``(G * H, I)``.
        weight_hh: ``(G * H, H)``.
        bias_ih: added to the product of the input, ``(G * H,)``.
        bias_hh: added to the recurrent product, ``(G * H,)``.
        norm_ih_gain: gain of the normalised product of the input, ``(G * H,)``.
        norm_hh_gain: gain of the normalised recurrent product, ``(G * H,)``.
        peephole: ``(3, H)``.
        norm_cell_gain: gain of the normalised cell on its way to h, ``(H,)``.
        norm_cell_bias: its shift, ``(H,)``.
        zoneout: the share that each tensor of the state keeps of its old value.
        activation: of a simple recurrent network.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None
    bias_hh: Tensor | None
    norm_ih_gain: Tensor | None
    norm_hh_gain: Tensor | None
    peephole: Tensor | None
    norm_cell_gain: Tensor | None
    norm_cell_bias: Tensor | None
    zoneout: tuple[float, ...]
    activation: str

    @property
    def vectors(self) -> tuple[Tensor | None, ...]:
        """The optional ones in the record's order."""
        norms = (self.norm_ih_gain, self.norm_hh_gain)
        return self.bias_ih, self.bias_hh, *norms, self.peephole, self.norm_cell_gain, self.norm_cell_bias


def compiled_step(
    chosen: Library, layers: Sequence[StepWeights], states: Sequence[tuple[Tensor, ...]]
) -> Callable[[Tensor], Tensor]:
    """What takes a step, from its input ``(B, I)`` to the top layer's output ``(B, H)``.

    The weights are copied, the states change in place. The input must be contiguous and of the weights' type,
    which is not checked, and there must not be two steps at a time.

    Args:
        chosen: the library to call.
        layers: from the input up, all of one type that the library has.
        states: of each layer h, for an LSTM h and c; each ``(B, H)`` and contiguous.
    """
    record = _STREAM.pack(len(layers), layers[0].weight_hh.dtype is torch.float64)
    kept: list[object] = []  # what the record holds addresses of
    for weights, state in zip(layers, states, strict=True):
        rows, units = state[0].shape
        width, inputs = weights.weight_ih.shape
        matrices = [_packed(chosen, each) for each in (weights.weight_ih, weights.weight_hh)]
        vectors = [None if each is None else each.clone().contiguous() for each in weights.vectors]
        sums = weights.weight_hh.new_empty(2, rows, _rounded_up(width))
        h, c = (*state, None)[:2]
        zoneout_h, zoneout_c = (*weights.zoneout, 0.0)[:2]
        record += _LAYER.pack(
            *(width // units, rows, inputs, units, ACTIVATION_NUMBERS[weights.activation]),
            *addresses((*matrices, *vectors, h, c, *sums)),
            *(zoneout_h, zoneout_c, EPSILON),
        )
        kept += [matrices, vectors, state, sums]

    # A function rather than an object: of a short step, looking up attributes is a twentieth.
    run, top = chosen.functions["step"], states[-1][0]
    shape, strides, dtype = tuple(top.shape), top.stride(), top.dtype
    back = False  # which way the weights are read

    def step(inputs: Tensor) -> Tensor:
        nonlocal back
        back = not back
        output = allocate(shape, strides, dtype)
        run(record, inputs.data_ptr(), output.data_ptr(), back)
        return output

    step.__dict__["kept"] = kept  # as long as the function is
    return step


def _packed(chosen: Library, weight: Tensor) -> Tensor:
    outputs, inputs = weight.shape
    packed, source = weight.new_empty(_rounded_up(outputs), inputs), weight.contiguous()
    wide = weight.dtype is torch.float64
    chosen.functions["step_pack"](source.data_ptr(), outputs, inputs, packed.data_ptr(), wide)
    return packed


def _rounded_up(numbers: int) -> int:
    return -(-numbers // _WIDEST) * _WIDEST
