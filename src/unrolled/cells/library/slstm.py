"""Beck et al. (2024), "xLSTM: extended long short-term memory", equations 8 to 17."""

from typing import Any

from unrolled.cells import Cell, exp, maximum, sigmoid, softplus, tanh


class SLSTM(Cell):
    """An LSTM with exponential gates, a normaliser, and a stabiliser that keeps both within the numbers."""

    states = ("h", "c", "n", "m")
    gates = ("input_gate", "forget_gate", "candidate", "output_gate")
    keep_gate = "forget_gate"

    def step(self, x: Any, u: Any, h: Any, c: Any, n: Any, m: Any) -> Any:
        """One step."""
        log_i = x.input_gate + u.input_gate(h)
        log_f = -softplus(-(x.forget_gate + u.forget_gate(h)))  # of a sigmoid
        z = tanh(x.candidate + u.candidate(h))
        o = sigmoid(x.output_gate + u.output_gate(h))
        stabiliser = maximum(log_f + m, log_i)
        i, f = exp(log_i - stabiliser), exp(log_f + m - stabiliser)
        c = f * c + i * z
        n = f * n + i
        return o * (c / n), c, n, stabiliser
