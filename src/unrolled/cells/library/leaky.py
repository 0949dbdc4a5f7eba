"""Jaeger, Lukosevicius, Popovici & Siewert (2007), equation 2; Song, Yang & Wang (2016), equations 3 and 4.

With `state_noise` of the layer, and a constraint on its matrix (`unrolled.layers.constraints`), the rate
model of computational neuroscience.
"""

from typing import Any

from unrolled.cells import Cell, constant, relu, sigmoid, tanh

_RATES = {"tanh": tanh, "relu": relu, "sigmoid": sigmoid}


class Leaky(Cell):
    """A continuous-time RNN in steps: the state leaks towards what the network drives it to.

    Args:
        leak: share of the state that is replaced at a step, the step's length by the time constant.
        rate: from a unit's state to its firing rate, "tanh", "relu" or "sigmoid".
        learned: every unit learns a leak of its own, through its logit.
    """

    gates = ("candidate",)

    def __init__(self, leak: float = 0.2, rate: str = "relu", learned: bool = False) -> None:
        self.leak, self.rate = leak, _RATES[rate]
        if learned:
            self.parameters = {"leak_logit": constant(0.0)}

    def step(self, x: Any, u: Any, h: Any) -> Any:
        """One step."""
        a = sigmoid(self.leak_logit) if self.parameters else self.leak
        return (1 - a) * h + a * self.rate(x.candidate + u.candidate(h))
