"""Numbers that are one with some probability and zero else, on the library: `unrolled.ops.draws`."""

import torch
from torch import Tensor

from unrolled.ops.native.coverage import obstacle
from unrolled.ops.native.library import library
from unrolled.ops.native.memory import empty


def draw(shape: tuple[int, ...], seed: int, limit: int, like: Tensor) -> Tensor | None:
    """See `unrolled.ops.draws.draw_reference`; None where there is no library for it."""
    chosen = library()
    if chosen is None or obstacle(like.device.type, like.dtype) is not None:
        return None
    drawn = empty(like, *shape)
    wide = like.dtype is torch.float64
    threads = torch.get_num_threads()
    chosen.functions["draw"](seed, limit, drawn.numel(), drawn.data_ptr(), threads, wide)
    return drawn
