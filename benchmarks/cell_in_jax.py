"""Any cell as a compiled scan of JAX, made of its program, where JAX is installed."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

import unrolled


class CellInJax:
    """Training of a layer as `jax.lax.scan` runs it: the gradients of the output's sum.

    Args:
        layer: one layer in one direction without options; its weights are taken.
        values: ``(T, B, I)``.
    """

    def __init__(self, layer: unrolled.Recurrent, values: Tensor) -> None:
        import jax

        self._layer, self._ready = layer, jax.block_until_ready
        self._weights = {
            name.removesuffix("_l0"): jax.numpy.asarray(value.detach().numpy())
            for name, value in layer.named_parameters()
        }
        self._values = jax.numpy.asarray(values.numpy())

        def loss(weights: dict[str, Any], values: Any) -> tuple[Any, Any]:
            output = _output(layer, weights, values)
            return output.sum(), output

        self._run = jax.jit(jax.value_and_grad(loss, has_aux=True))

    def train(self) -> Any:
        """One step."""
        return self._ready(self._run(self._weights, self._values))

    def found(self) -> list[Tensor]:
        """The output, and the gradients of the layer's parameters in their order."""
        (_, output), gradients = self.train()
        return [
            torch.from_numpy(np.array(each))
            for each in (
                output,
                *(gradients[name.removesuffix("_l0")] for name, _ in self._layer.named_parameters()),
            )
        ]


def _output(layer: unrolled.Recurrent, weights: dict[str, Any], values: Any) -> Any:
    import jax
    from jax import numpy as jnp

    program, size = layer.program, weights["weight_hh"].shape[1]
    entering = values @ weights["weight_ih"].T + weights["bias_ih"]
    matrices = [
        block - block.T if kind == "antisymmetric" else block
        for kind, block in zip(
            program.matrices, weights["weight_hh"].reshape(len(program.products), size, size), strict=True
        )
    ]
    biases = weights["bias_hh"].reshape(-1, size) if matrices else []
    own = [weights[name] for name in program.parameters]
    functions = {
        "add": jnp.add,
        "sub": jnp.subtract,
        "mul": jnp.multiply,
        "div": jnp.divide,
        "neg": jnp.negative,
        "sigmoid": jax.nn.sigmoid,
        "tanh": jnp.tanh,
        "relu": jax.nn.relu,
        "softplus": jax.nn.softplus,
        "exp": jnp.exp,
        "log": jnp.log,
        "sqrt": jnp.sqrt,
        "abs": jnp.abs,
        "minimum": jnp.minimum,
        "maximum": jnp.maximum,
        "less": jnp.less,
        "where": jnp.where,
        "mean": lambda x: jnp.broadcast_to(x.mean(-1, keepdims=True), x.shape),
        "normalise": lambda x: (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5),
    }

    def step(states: Any, entering: Any) -> Any:
        found: list[Any] = []
        for op, args, value in program.instructions:
            index, given = int(value), [found[arg] for arg in args]
            if op == "input":
                found.append(entering[:, index * size : (index + 1) * size])
            elif op == "state":
                found.append(states[index])
            elif op == "parameter":
                found.append(own[index])
            elif op == "constant":
                found.append(value)
            elif op == "product":
                found.append(given[0] @ matrices[index].T + biases[index])
            else:
                found.append(functions[op](*given))
        after = tuple(jnp.broadcast_to(found[result], states[0].shape) for result in program.results)
        return after, after[0]

    zeros = jnp.zeros((values.shape[1], size))
    return jax.lax.scan(step, (zeros,) * len(program.states), entering)[1]
