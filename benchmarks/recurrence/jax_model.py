"""A recurrent layer as a compiled scan of JAX, where that is installed."""

import importlib.util
from typing import Any

import numpy as np
from torch import Tensor, nn

from benchmarks.processes import unbound

AVAILABLE = importlib.util.find_spec("jax") is not None


class JaxLayer:
    """What `benchmarks.recurrence.contestants.Contestant` is, in JAX.

    Args:
        cell: "lstm", "gru" or "rnn".
        layer: the torch layer whose weights it takes.
        inputs: ``(T, B, I)``.
        upstream: the gradient of the output ``(T, B, H)``.
    """

    def __init__(self, cell: str, layer: nn.Module, inputs: Tensor, upstream: Tensor) -> None:
        import jax

        with unbound():
            jax.devices()  # starts its threads
        self._ready = jax.block_until_ready
        self._weights = {
            name.removesuffix("_l0"): jax.numpy.asarray(value.detach().numpy())
            for name, value in layer.named_parameters()
        }
        self._weights["inputs"] = jax.numpy.asarray(inputs.detach().numpy())
        self._upstream = jax.numpy.asarray(upstream.numpy())
        run = _RUNS[cell]
        self._forward = jax.jit(run)
        self._backward = jax.jit(lambda weights, upstream: jax.vjp(run, weights)[1](upstream)[0])

    def train(self) -> Any:
        """The gradients of the input and of every weight."""
        return self._ready(self._backward(self._weights, self._upstream))

    def infer(self) -> np.ndarray:
        """The output."""
        return np.asarray(self._ready(self._forward(self._weights)))

    def gradients(self) -> dict[str, np.ndarray]:
        """Those of `train` by name."""
        return {name: np.array(gradient) for name, gradient in self.train().items()}


def _lstm(weights: dict[str, Any]) -> Any:
    import jax
    from jax.nn import sigmoid

    entering = weights["inputs"] @ weights["weight_ih"].T + weights["bias_ih"] + weights["bias_hh"]
    zero = jax.numpy.zeros((entering.shape[1], entering.shape[2] // 4))

    def step(state: Any, entering: Any) -> Any:
        h, c = state
        i, f, g, o = jax.numpy.split(entering + h @ weights["weight_hh"].T, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * jax.numpy.tanh(g)
        h = sigmoid(o) * jax.numpy.tanh(c)
        return (h, c), h

    return jax.lax.scan(step, (zero, zero), entering)[1]


def _gru(weights: dict[str, Any]) -> Any:
    import jax
    from jax.nn import sigmoid

    entering = weights["inputs"] @ weights["weight_ih"].T + weights["bias_ih"]

    def step(h: Any, entering: Any) -> Any:
        product = h @ weights["weight_hh"].T + weights["bias_hh"]
        (r_x, z_x, n_x), (r_h, z_h, n_h) = (jax.numpy.split(each, 3, axis=1) for each in (entering, product))
        z = sigmoid(z_x + z_h)
        h = (1 - z) * jax.numpy.tanh(n_x + sigmoid(r_x + r_h) * n_h) + z * h
        return h, h

    return jax.lax.scan(step, jax.numpy.zeros((entering.shape[1], entering.shape[2] // 3)), entering)[1]


def _rnn(weights: dict[str, Any]) -> Any:
    import jax

    entering = weights["inputs"] @ weights["weight_ih"].T + weights["bias_ih"] + weights["bias_hh"]

    def step(h: Any, entering: Any) -> Any:
        h = jax.numpy.tanh(entering + h @ weights["weight_hh"].T)
        return h, h

    return jax.lax.scan(step, jax.numpy.zeros(entering.shape[1:]), entering)[1]


_RUNS = {"lstm": _lstm, "gru": _gru, "rnn": _rnn}
