"""What torch.nn is slow at or lacks: rows of several lengths, options, recorded gradients, two directions."""

import collections

import torch

import unrolled
from benchmarks.recurrence.contestants import (
    OURS,
    Contestant,
    check_same,
    layer_norm_loop,
    layers,
    ours_ragged,
    packed,
)
from benchmarks.recurrence.measure import Effort, alternate
from benchmarks.recurrence.result import Bar, Section, milliseconds, times

ROWS, STEPS, HIDDEN = 32, 100, 128
OPTIONS = {
    "layer normalisation": {"layer_norm": True},
    "zoneout": {"zoneout": 0.1},
    "recurrent dropout": {"recurrent_dropout": 0.2},
    "peepholes": {"peepholes": True},
}


def ragged(effort: Effort) -> Section:
    """Rows of 1 to 100 steps: beside ours over full rows, and beside torch's packed sequences."""
    section = Section(
        f"Rows of 1 to {STEPS} steps, B={ROWS}, H={HIDDEN}, training",
        ("cell", "all steps ms", "real steps ms", "over the real share", "torch packed ms", "faster"),
        note="Packing and unpacking count as torch's. The real share is that of steps that are no padding.",
    )
    torch.manual_seed(0)
    lengths = torch.randint(1, STEPS + 1, (ROWS,))
    share = float(lengths.sum()) / (ROWS * STEPS)
    for cell, wanted in (("lstm", 3.0), ("gru", 6.0)):
        ours, theirs = layers(cell, torch.randn(STEPS, ROWS, HIDDEN), HIDDEN)
        real, pack = ours_ragged(ours, lengths), packed(theirs, lengths)
        check_same(real, {"packed": pack})
        # Two pairs: in a round of three, one would always come after the other's Python loop.
        own = alternate({"padded": ours.train, "real": real.train}, effort)
        found = alternate({"real": real.train, "packed": pack.train}, effort)
        cost, faster = own.speedup("padded", "real") / share, found.speedup("real", "packed")
        ms = [milliseconds(own.median(name)) for name in ("padded", "real")]
        ms.append(milliseconds(found.median("packed")))
        section.rows.append((cell.upper(), ms[0], ms[1], times(cost), ms[2], times(faster)))
        section.bars.append(
            Bar(f"{cell.upper()}, ragged: time over (real share x padded time)", cost, 1.2, at_most=True)
        )
        section.bars.append(Bar(f"{cell.upper()}, ragged: over torch's packed sequences", faster, wanted))
    return section


def options(effort: Effort, quick: bool) -> Section:
    """What each option costs beside the plain layer, in training."""
    section = Section(
        f"Options, {ROWS}x{STEPS}x{HIDDEN}, training", ("cell", "option", "plain ms", "with it ms", "costs")
    )
    for cell in ("lstm",) if quick else tuple(OURS):
        for name, option in OPTIONS.items():
            if name == "peepholes" and cell != "lstm":
                continue
            plain, special = _ours(cell), _ours(cell, **option)
            found = alternate({"plain": plain.train, "special": special.train}, effort)
            cost = found.speedup("plain", "special")
            ms = [milliseconds(found.median(each)) for each in ("plain", "special")]
            section.rows.append((cell.upper(), name, *ms, times(cost)))
            section.bars.append(
                Bar(f"{cell.upper()} with {name}: time over the plain layer's", cost, 1.4, at_most=True)
            )
    return section


def normalised(effort: Effort) -> Section:
    """A layer-normalised LSTM beside the loops that one writes for it in Python, in training."""
    section = Section(
        f"Layer-normalised LSTM beside a Python loop, {ROWS}x{STEPS}x{HIDDEN}, training",
        ("loop", "ours ms", "loop ms", "faster"),
        note="A loop over a cell computes all at every step; a careful one takes the input's product ahead.",
    )
    ours = _ours("lstm", layer_norm=True)
    # Chaotic: over many steps two correct computations in float32 part, so few are compared.
    few = Contestant(ours.module, ours.forward, ours.inputs[:5], ours.upstream[:5])
    for name, ahead in (("over a cell", False), ("input's product ahead", True)):
        check_same(few, {name: layer_norm_loop(few, ahead=ahead)}, 1e-3)
        found = alternate({"ours": ours.train, name: layer_norm_loop(ours, ahead=ahead).train}, effort)
        faster = found.speedup("ours", name)
        ms = [milliseconds(found.median(each)) for each in ("ours", name)]
        section.rows.append((name, *ms, times(faster)))
        section.bars.append(Bar(f"Layer-normalised LSTM, training: over a Python loop {name}", faster, 4.0))
    return section


def recording(effort: Effort) -> Section:
    """What it costs to have the norm of dL/dh_t of every step."""
    section = Section(
        f"Recording the norm of dL/dh_t of every step, {ROWS}x{STEPS}x{HIDDEN}, training",
        ("cell", "plain ms", "recording ms", "costs"),
    )
    for cell in OURS:
        plain, listening = _ours(cell), _ours(cell)
        layer, heard = listening.module, collections.deque(maxlen=1)
        assert isinstance(layer, unrolled.LSTM | unrolled.GRU | unrolled.RNN)
        layer.listeners = (lambda call, heard=heard: heard.append,)

        # Some per cent are asked for: more rounds.
        longer = Effort(4 * effort.seconds, 4 * effort.fewest)
        found = alternate({"plain": plain.train, "recording": listening.train}, longer)
        assert heard[0].all()
        cost = found.speedup("plain", "recording")
        ms = [milliseconds(found.median(each)) for each in ("plain", "recording")]
        section.rows.append((cell.upper(), *ms, times(cost)))
        section.bars.append(
            Bar(f"{cell.upper()}: time with the norms recorded over that without", cost, 1.03, at_most=True)
        )
    return section


def stacked(effort: Effort) -> Section:
    """Two layers in both directions."""
    section = Section(
        f"Bidirectional LSTM of 2 layers, {ROWS}x{STEPS}x{HIDDEN}, training",
        ("ours ms", "torch.nn ms", "faster"),
    )
    torch.manual_seed(0)
    inputs = torch.randn(STEPS, ROWS, HIDDEN)
    ours, theirs = layers("lstm", inputs, HIDDEN, num_layers=2, bidirectional=True)
    check_same(ours, {"torch.nn": theirs})
    found = alternate({"ours": ours.train, "torch.nn": theirs.train}, effort)
    faster = found.speedup("ours", "torch.nn")
    section.rows.append(
        (milliseconds(found.median("ours")), milliseconds(found.median("torch.nn")), times(faster))
    )
    section.bars.append(Bar("Bidirectional LSTM of 2 layers, training: over torch.nn", faster, 1.4))
    return section


def _ours(cell: str, **options: object) -> Contestant:
    torch.manual_seed(0)
    layer = OURS[cell](HIDDEN, HIDDEN, **options)  # type: ignore[arg-type]
    inputs, upstream = torch.randn(2, STEPS, ROWS, HIDDEN).unbind(0)
    return Contestant(layer, lambda x: layer(x)[0], inputs, upstream)
