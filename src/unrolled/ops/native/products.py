"""From the gradients of the gates to those of the input and of both matrices: large products over all steps.

Small ones the library makes itself. Legend: ``T`` steps, ``B`` rows, ``I`` features of the input, ``H``
hidden units, ``G`` gates, ``N`` the steps that are computed: ``T * B``, or in a ragged batch those before
each row's end.
"""

from collections.abc import Sequence

from torch import Tensor

from unrolled.ops.kernel_pass import NO_OPTIONS, KernelPass
from unrolled.ops.native.kept import Kept
from unrolled.ops.native.matmul import matmul, matmul_both
from unrolled.ops.native.memory import empty
from unrolled.ops.native.packing import Packing


def joined(given: KernelPass) -> bool:
    """Whether the gradients of the gates stand in one array of four columns; see `room_for_gates`."""
    return given.cell == "gru" and not _normalised(given)


def _normalised(given: KernelPass) -> bool:
    special = given.options or NO_OPTIONS
    return special.norm_ih_gain is not None or special.norm_hh_gain is not None


def room_for_gates(given: KernelPass, kept: Kept, steps: int) -> tuple[Tensor, Tensor]:
    """For the gradients of what the input and of what the state bring to the gates, ``(N, G * H)`` each.

    They are the same unless each is normalised. But a GRU's candidate takes the state's through the reset
    gate: joined, the columns ``n r z q`` of one array hold both, the input's first, the state's last three.
    """
    wide, units = given.weight_hh.shape
    if joined(given):
        all_four = empty(kept.hidden, steps, 4 * units)
        return all_four[:, :wide], all_four[:, units:]
    over_gates = empty(kept.hidden, steps, wide)
    return over_gates, empty(kept.hidden, steps, wide) if _normalised(given) else over_gates


def over_products(
    given: KernelPass,
    kept: Kept,
    layout: Packing | None,
    over_gates: Tensor,
    over_product: Tensor,
    needed: Sequence[bool],
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """The gradients of the input and of both matrices, None where not asked for.

    Args:
        given: what the cell was run with.
        kept: of its forward pass.
        layout: of a ragged batch.
        over_gates: what `room_for_gates` made for the input's share, filled.
        over_product: the same for the state's.
        needed: whether each is asked for.
    """
    units = kept.hidden.shape[2]
    over_values = over_weight_ih = over_weight_hh = values = None
    wants_values, wants_weight_ih, wants_weight_hh = needed
    if wants_values:
        weight_ih = given.weight_ih.roll(units, 0) if joined(given) else given.weight_ih
        over_values = matmul(over_gates, weight_ih)
        padded = kept.hidden.shape[:2]
        over_values = over_values.view(*padded, -1) if layout is None else layout.spread(over_values)
    if wants_weight_ih:
        values = kept.values.flatten(0, 1) if layout is None else layout.take(kept.values)
    if not wants_weight_hh:
        over_weight_ih = None if values is None else matmul(over_gates.t(), values)
    else:
        entered, first, initial = _entered(given, kept, layout)
        if values is not None and over_product is over_gates:
            over_weight_ih, over_weight_hh = matmul_both(over_gates.t(), values, entered, first)
        else:
            if values is not None:
                over_weight_ih = matmul(over_gates.t(), values)
            over_weight_hh = matmul(over_product[first : first + len(entered)].t(), entered)
        if initial is not None:
            rows = len(initial)
            if layout is not None:
                begun, initial = layout.first(over_product, initial, given.reverse)
            else:
                begun = over_product[-rows:] if given.reverse else over_product[:rows]
            over_weight_hh.addmm_(begun.t(), initial)
    if joined(given) and over_weight_ih is not None:
        over_weight_ih = over_weight_ih.roll(-units, 0)
    return over_values, over_weight_ih, over_weight_hh


def _entered(given: KernelPass, kept: Kept, layout: Packing | None) -> tuple[Tensor, int, Tensor | None]:
    """The states that entered a product.

    Returns:
        Those that were computed; the place of the first one's step; and the initial ones, None for zeros.
    """
    states, initial, mask = kept.hidden, given.h_0, (given.options or NO_OPTIONS).hidden_mask
    if mask is not None:
        states, initial = states * mask, None if initial is None else initial * mask
    flat, rows = states.flatten(0, 1), states.shape[1]
    if layout is not None:
        return *layout.entered(flat, given.reverse), initial
    return (flat[rows:], 0, initial) if given.reverse else (flat[:-rows], rows, initial)
