"""One step of one sequence at a time: ours beside torch's and onnxruntime's."""

import torch

from benchmarks.recurrence import onnx_model
from benchmarks.recurrence.contestants import OURS, TORCH, TORCH_CELLS
from benchmarks.recurrence.measure import Call, Effort, alternate
from benchmarks.recurrence.result import Bar, Section, times

HIDDEN = (64, 128)


def streaming(effort: Effort, quick: bool) -> Section:
    """B=1, from the input's tensor to the output's, the state carried."""
    section = Section(
        "Streaming: one step, B=1, microseconds",
        ("cell", "H", "ours", "torch cell", "faster", "torch.nn", "faster", "onnxruntime", "faster"),
        note="onnxruntime with bound buffers and one thread."
        if onnx_model.AVAILABLE
        else "onnxruntime is not installed.",
    )
    for cell in ("lstm",) if quick else tuple(OURS):
        for hidden in HIDDEN:
            calls = _calls(cell, hidden)
            # So quick that only blocks of many calls can be timed.
            found = alternate(calls, Effort(effort.seconds, effort.fewest, effort.most, 2e-2))
            row = [cell.upper(), str(hidden), _microseconds(found.median("ours"))]
            for other in ("cell", "layer", "onnxruntime"):
                known = other in calls
                row += (
                    [_microseconds(found.median(other)), times(found.speedup("ours", other))]
                    if known
                    else ["", ""]
                )
            section.rows.append(tuple(row))
            if cell == "lstm":
                against = {"cell": ("torch.nn.LSTMCell", 5.0), "onnxruntime": ("onnxruntime", 1.5)}
                for other, (name, wanted) in against.items():
                    if other in calls:
                        what = f"Streaming an LSTM, H={hidden}: over {name}"
                        section.bars.append(Bar(what, found.speedup("ours", other), wanted))
    return section


def _calls(cell: str, hidden: int) -> dict[str, Call]:
    torch.manual_seed(0)
    ours, layer, step = (
        OURS[cell](hidden, hidden),
        TORCH[cell](hidden, hidden),
        TORCH_CELLS[cell](hidden, hidden),
    )
    layer.load_state_dict(ours.state_dict())
    step.load_state_dict({name.removesuffix("_l0"): value for name, value in ours.state_dict().items()})
    x = torch.randn(1, hidden)
    stream = ours.stream()

    def run_cell() -> torch.Tensor:
        nonlocal of_cell
        with torch.inference_mode():
            of_cell = step(x, of_cell)
        return of_cell[0] if cell == "lstm" else of_cell

    def run_layer() -> torch.Tensor:
        nonlocal of_layer
        with torch.inference_mode():
            output, of_layer = layer(x[None], of_layer)
        return output[0]

    of_cell = of_layer = None
    calls: dict[str, Call] = {"ours": lambda: stream.step(x), "cell": run_cell, "layer": run_layer}
    if onnx_model.AVAILABLE:
        calls["onnxruntime"] = onnx_model.streaming(cell, ours, x)
    _check(calls)
    return calls


def _check(calls: dict[str, Call], steps: int = 4) -> None:
    """The same outputs, step after step."""
    for _ in range(steps):
        expected, *others = [torch.as_tensor(call()).clone().reshape(1, -1) for call in calls.values()]
        for other in others:
            torch.testing.assert_close(other, expected, rtol=1e-4, atol=1e-5)


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:.1f}"
