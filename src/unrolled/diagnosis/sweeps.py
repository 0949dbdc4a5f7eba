"""The errors of a state that is handed on step by step, put together to those of a sequence.

Legend: ``T`` steps, ``B`` rows.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from unrolled.diagnosis.running import RunningFlow
from unrolled.diagnosis.turns import Chain, Record, Turn, current_pass

_TOGETHER = 16
"""Sweeps that are put aside at most before they are worked off."""


class Sweeps:
    """The passes back through a module's sequences of single steps.

    Args:
        name: of the module or state.
        note: takes the norms of every pass.
    """

    def __init__(self, name: str, note: Callable[[Tensor], None]) -> None:
        self._note = note
        self._flow = RunningFlow(name, reverse=False)
        self._open: dict[tuple[int, int], _Sweep] = {}

    def add(self, turn: Turn, part: int, gradient: Tensor) -> None:
        """Take the gradient of one part of the state after a step, ``(B, ...)``."""
        key = id(turn.chain), current_pass()
        sweep = self._open.get(key)
        if sweep is None:
            if len(self._open) >= _TOGETHER:
                self.work_off()
            sweep = self._open[key] = _Sweep(turn.chain)
        sweep.add(turn, part, gradient)

    def work_off(self) -> None:
        """Add what the passes that are over have shown to the statistics."""
        for key in [key for key in self._open if key[1] != current_pass()]:
            self._open.pop(key).enter(self._flow, self._note)

    def flow(self) -> RunningFlow:
        """The statistics so far."""
        self.work_off()
        return self._flow


class _Sweep:
    """One pass back through one sequence."""

    def __init__(self, chain: Chain) -> None:
        # More steps may follow after this pass.
        self._chain, self._steps, self._running = chain, chain.length, current_pass()
        self._errors: list[dict[int, Tensor]] = [{} for _ in range(self._steps)]
        self._records: list[Record | None] = [None] * self._steps

    def add(self, turn: Turn, part: int, gradient: Tensor) -> None:
        self._errors[turn.index][part] = gradient if gradient.dim() > 1 else gradient.unsqueeze(0)
        self._records[turn.index] = turn.record()

    def enter(self, flow: RunningFlow, note: Callable[[Tensor], None]) -> None:
        """Add it to the statistics."""
        norms = _rows_side_by_side([_norm(each, only_first=True) for each in self._errors])
        # A row ends where the last error enters it: steps after that are none of its own, as where a loop
        # keeps the old state of a row past its end.
        place = torch.arange(1, len(norms) + 1, device=norms.device).unsqueeze(1)
        lengths = (place * (norms != 0)).amax(0)
        some = lengths > 0
        note(norms)
        if some.any():
            flow.add(norms[:, some], lengths[some], 0, self._log_gains(some), self._running)

    def _log_gains(self, some: Tensor) -> Tensor | None:
        """The logarithm of the factor between each step and the next, ``(T, rows)``; NaN where unknown."""
        arrived = [None if each is None else each.arrived for each in self._records]
        if not any(arrived):
            return None
        back = _rows_side_by_side([_norm(each or {}) for each in arrived])
        out = _rows_side_by_side([_norm(each) for each in self._errors])[:, : back.shape[1]]
        gain = back.new_full(back.shape, torch.nan)
        gain[:-1] = back[:-1] / out[1:]
        known = torch.tensor([bool(each) for each in arrived], device=gain.device).unsqueeze(1)
        gain = torch.where(known & gain.isfinite(), gain, torch.nan)
        return gain.clamp_min(torch.finfo(gain.dtype).tiny).log()[:, some[: gain.shape[1]]]


def _norm(parts: dict[int, Tensor], *, only_first: bool = False) -> Tensor | None:
    """The norm over all parts of a state, ``(B,)``; None: there is none."""
    counted = [each for part, each in parts.items() if not (only_first and part)]
    if not counted:
        return None
    norms = torch.stack([torch.linalg.vector_norm(each.flatten(1), dim=1) for each in counted])
    return torch.linalg.vector_norm(norms, dim=0)


def _rows_side_by_side(norms: list[Tensor | None]) -> Tensor:
    """``(T, B)``; zeros where a step has no norm or fewer rows than another."""
    like = next((each for each in norms if each is not None), torch.zeros(0))
    rows = max((len(each) for each in norms if each is not None), default=0)
    together = like.new_zeros(len(norms), rows)
    for step, each in enumerate(norms):
        if each is not None:
            together[step, : len(each)] = each
    return together
