"""What the backward pass knows of every step, caught on its way: no second pass is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.diagnosis.observation import Observation
from unrolled.diagnosis.recurrence import Recurrence
from unrolled.errors import ConfigError
from unrolled.layers.scan import Scan, Steps
from unrolled.layers.stack import RecurrentLayer


class _Probe(torch.autograd.Function):
    """Zeros to be added to every state; their gradients are handed over instead of being kept."""

    @staticmethod
    def forward(ctx: Any, source: Tensor, receive: Callable[..., None], *shapes: torch.Size) -> Any:
        ctx.receive = receive
        ctx.set_materialize_grads(False)
        # One zero seen as many takes no memory.
        zero = source.detach().new_zeros(())
        return tuple(zero.expand(shape) for shape in shapes)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        ctx.receive(*gradients)
        return (None,) * (2 + len(gradients))


def probed(
    name: str,
    layer: RecurrentLayer,
    scan: Scan,
    run: Callable[[Scan], Steps],
    received: Callable[[Recurrence], None],
    source: Tensor | None = None,
) -> Steps:
    """Run a recurrence so that ``received`` is called with it once the error has come back through it.

    Args:
        name: of the recurrence.
        layer: what it belongs to.
        scan: what it is run with.
        run: runs it.
        received: takes the recurrence with its gradients; not called without a backward pass.
        source: a leaf of the graph; the gradient with respect to it, which is none, makes the error come
            through without reaching the parameters. Without it the error is seen on its way to anything.
    """
    if not torch.is_grad_enabled() or torch.compiler.is_compiling():
        return run(scan)
    recurrence: Recurrence | None = None
    direct: list[Tensor | None] = []

    def receive(*gradients: Tensor | None) -> None:
        assert recurrence is not None
        # There may be several passes, and the output may be of use to one and not to another.
        recurrence.direct = direct.pop() if direct else None
        recurrence.hidden = gradients[0]
        # A state that no error reached, such as one that a step does not read.
        recurrence.others = tuple(
            torch.zeros_like(states) if each is None else each
            for each, states in zip(gradients[1:], recurrence.steps.states[1:], strict=True)
        )
        received(recurrence)

    if source is None:
        source = scan.gates_x if scan.gates_x.requires_grad else scan.gates_x.new_zeros(()).requires_grad_()
    extent = scan.gates_x.shape[:2]
    shapes = [torch.Size((*extent, part.shape[-1])) for part in scan.initial]
    zeros = _Probe.apply(source, receive, *shapes)
    probes = [zero if own is None else own + zero for own, zero in zip(scan.probes, zeros, strict=True)]
    steps = run(scan._replace(probes=tuple(probes)))
    recurrence = Recurrence.of(name, layer, scan, steps)

    steps.hidden.register_hook(direct.append)
    return steps


def caught(module: nn.Module, loss: Callable[[], Tensor]) -> list[Recurrence]:
    """Every recurrence of one forward and backward pass with its gradients, in the order in which they ran.

    The gradients of the parameters are neither computed anew nor changed.

    Raises:
        ConfigError: the module has no recurrent layer, the loss does not depend on one, or one of them runs
            more than once.
    """
    ran: list[str] = []
    received: list[Recurrence] = []
    source = next(module.parameters()).new_zeros(()).requires_grad_()

    def around(name: str, layer: RecurrentLayer, scan: Scan, run: Callable[[Scan], Steps]) -> Steps:
        ran.append(name)
        return probed(name, layer, scan, run, received.append, source)

    with torch.enable_grad(), Observation(module, around):
        torch.autograd.grad(loss(), source, allow_unused=True)
    if not received:
        raise ConfigError("expected a loss that depends on a recurrent layer, got one that does not.")
    if len(set(ran)) < len(ran):
        raise ConfigError(
            "expected each recurrent layer to run once over the sequence, got several calls of "
            f"{next(name for name in ran if ran.count(name) > 1)}; measure a whole sequence in one call."
        )
    return sorted(received, key=lambda each: ran.index(each.name))


def captured(module: nn.Module, run: Callable[[], object]) -> list[Recurrence]:
    """Every recurrence of one forward pass, in the order in which they ran; without gradients.

    Raises:
        ConfigError: the module has no recurrent layer.
    """
    found: list[Recurrence] = []

    def around(name: str, layer: RecurrentLayer, scan: Scan, run: Callable[[Scan], Steps]) -> Steps:
        steps = run(scan)
        found.append(Recurrence.of(name, layer, scan, steps))
        return steps

    with torch.no_grad(), Observation(module, around):
        run()
    return found
