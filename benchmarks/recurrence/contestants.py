"""Who is measured: each a way from an input to the outputs of all steps, with weights of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import unrolled

OURS = {"lstm": unrolled.LSTM, "gru": unrolled.GRU, "rnn": unrolled.RNN}
TORCH = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
TORCH_CELLS = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "rnn": nn.RNNCell}


@dataclass
class Contestant:
    """A differentiable way, timed whole: forward, backward to all weights and to the input, or forward alone.

    Attributes:
        module: holds the weights.
        forward: from the input ``(T, B, I)`` to the output ``(T, B, H)``.
        inputs: the input.
        upstream: the gradient of the output.
    """

    module: nn.Module
    forward: Callable[[Tensor], Tensor]
    inputs: Tensor
    upstream: Tensor
    _leaves: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self.inputs = self.inputs.detach().requires_grad_()
        self._leaves = [self.inputs, *self.module.parameters()]

    def train(self) -> Sequence[Tensor]:
        """The gradients of the input and of every weight."""
        return torch.autograd.grad(self.forward(self.inputs), self._leaves, self.upstream)

    def infer(self) -> Tensor:
        """The output."""
        with torch.inference_mode():
            return self.forward(self.inputs)

    def gradients(self) -> dict[str, Tensor]:
        """Those of `train` by name."""
        return dict(zip(["inputs", *(_plain(name) for name in self._names())], self.train(), strict=True))

    def _names(self) -> list[str]:
        return [name for name, _ in self.module.named_parameters()]


def _plain(name: str) -> str:
    """A weight's name without what a wrapper or a layer's number adds to it."""
    return name.removeprefix("_orig_mod.").removesuffix("_l0")


def check_same(ours: Contestant, others: Mapping[str, Contestant], tolerance: float = 1e-4) -> None:
    """Compare every gradient, as the norm of the difference beside the norm.

    Raises:
        AssertionError: one differs by more than ``tolerance``; there is nothing to time.
    """
    expected = ours.gradients()
    for other, contestant in others.items():
        for name, gradient in contestant.gradients().items():
            error = float((gradient - expected[name]).norm() / expected[name].norm())
            assert error < tolerance, f"{other}: the gradient of {name} is off by {error:.1e}"


def layers(cell: str, inputs: Tensor, hidden: int, **options: Any) -> tuple["Contestant", "Contestant"]:
    """Ours and torch.nn's layer with the same weights."""
    ours = OURS[cell](inputs.shape[-1], hidden, **options)
    theirs = TORCH[cell](inputs.shape[-1], hidden, **options)
    theirs.load_state_dict(ours.state_dict())
    upstream = torch.randn(*inputs.shape[:2], hidden * (2 if options.get("bidirectional") else 1))
    return (
        Contestant(ours, lambda x: ours(x)[0], inputs, upstream),
        Contestant(theirs, lambda x: theirs(x)[0], inputs, upstream),
    )


def ours_ragged(like: Contestant, lengths: Tensor) -> Contestant:
    """The same layer of ours over rows of several lengths."""
    layer = like.module
    return Contestant(layer, lambda x: layer(x, lengths=lengths)[0], like.inputs, like.upstream)


def packed(like: Contestant, lengths: Tensor) -> Contestant:
    """The same layer of torch's over a packed sequence, packing and unpacking included."""
    layer, steps = like.module, like.inputs.shape[0]

    def forward(x: Tensor) -> Tensor:
        output, _ = layer(pack_padded_sequence(x, lengths, enforce_sorted=False))
        return pad_packed_sequence(output, total_length=steps)[0]

    return Contestant(layer, forward, like.inputs, like.upstream)


def cell_loop(cell: str, like: Contestant) -> Contestant:
    """A Python loop over torch's cell."""
    hidden = like.upstream.shape[-1]
    step = TORCH_CELLS[cell](like.inputs.shape[-1], hidden)
    step.load_state_dict({_plain(name): value for name, value in like.module.state_dict().items()})

    def forward(x: Tensor) -> Tensor:
        state = None
        outputs = []
        for element in x.unbind(0):
            state = step(element, state)
            outputs.append(state[0] if cell == "lstm" else state)
        return torch.stack(outputs)

    return Contestant(step, forward, like.inputs, like.upstream)


def compiled_loop(like: Contestant) -> Contestant:
    """The same loop through torch.compile, whose first calls compile: for minutes where steps are many."""
    return Contestant(like.module, torch.compile(like.forward), like.inputs, like.upstream)


def layer_norm_loop(like: Contestant, *, ahead: bool) -> Contestant:
    """A layer-normalised LSTM as one writes it in Python, on the weights of ours.

    Args:
        like: ours.
        ahead: take the input's product and its norm for all steps before the loop, which a cell that knows
            one step cannot.
    """
    layer = like.module
    assert isinstance(layer, unrolled.LSTM)
    hidden = like.upstream.shape[-1]

    def norm(values: Tensor, gain: Tensor, shift: Tensor | None = None) -> Tensor:
        return nn.functional.layer_norm(values, gain.shape, gain, shift)

    def enter(x: Tensor) -> Tensor:
        product = norm(x @ layer.weight_ih_l0.t(), layer.norm_ih_gain_l0)
        return product + layer.bias_ih_l0 + layer.bias_hh_l0

    def forward(x: Tensor) -> Tensor:
        h = c = x.new_zeros(x.shape[1], hidden)
        outputs = []
        for element in enter(x).unbind(0) if ahead else x.unbind(0):
            entering = element if ahead else enter(element)
            gates = entering + norm(h @ layer.weight_hh_l0.t(), layer.norm_hh_gain_l0)
            i, f, g, o = gates.chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * norm(c, layer.norm_cell_gain_l0, layer.norm_cell_bias_l0).tanh()
            outputs.append(h)
        return torch.stack(outputs)

    return Contestant(layer, forward, like.inputs, like.upstream)
