"""A recurrent layer run in any way, beside the same written out, and beside torch.nn where that can do it."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

import unrolled
from tests.fuzz.case import program_of, running_on
from tests.fuzz.layers.oracle import Masks, Stack, run
from tests.fuzz.layers.recording import recorded_masks
from unrolled.ops.native import library, plain_torch

CELLS = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}
DTYPES = {"float32": torch.float32, "float64": torch.float64}
BOUNDS = {"float32": 5e-3, "float64": 1e-8}
"""How large the norm of a difference may be beside the norm of what is right. A wrong address or a lost step
is tenths; float32 may lose some digits over steps, more where a zero state is normalised."""
NEARLY_ZERO = {torch.float32: 0.1, torch.float64: 1e-3}
"""An element of what is right counts as at least so large: what is zero is not compared with rounding."""
LAYOUTS = ("plain", "strided", "expanded", "turned", "negated", "offset")
"""How the input lies in memory."""
WAYS = ("call", "unroll", "observed", "listened", "packed", "stream", "single", "functional")
BEFORE = (
    "nothing",
    "inference",
    "training",
    "other rows",
    "changed weights",
    "replaced weights",
    "other threads",
)
"""What the layer did just before, which it may have remembered."""


@dataclass(frozen=True)
class LayerCase:
    """Everything that decides a run; numbers come from the seed."""

    cell: str
    dtype: str
    steps: int
    rows: int
    width: int
    hidden: int | tuple[int, ...]
    layers: int
    bidirectional: bool
    batch_first: bool
    lengths: tuple[int, ...] | None
    state: bool
    options: tuple[tuple[str, Any], ...]
    training: bool
    layout: str
    way: str
    before: str
    frozen: tuple[str, ...]
    wants: tuple[str, ...]
    threads: int
    instruction_set: str
    seed: int
    resets: float = 0.0

    def difference(self) -> str | None:
        """The first result or gradient that is not the oracle's, or not torch.nn's."""
        with running_on(self.threads, self.instruction_set), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "LSTM with projections is not supported with oneDNN")
            return self._difference()

    def program(self) -> str:
        return program_of(self)

    def _difference(self) -> str | None:
        drawn = _Drawn(self)
        layer = drawn.layer(unrolled)
        for name in self.frozen:
            getattr(layer, name).requires_grad_(False)
        _prepare(self, drawn, layer)
        with recorded_masks() as masks:
            found = _run(self, drawn, layer)
        right = _by_the_oracle(self, drawn, layer, masks)
        if self.way == "stream":  # which has no gradients
            right = {name: value for name, value in right.items() if "gradient" not in name}
        bound = BOUNDS[self.dtype]
        for name, error in _errors(found, right).items():
            if error <= bound:
                continue
            # A normalised zero state is chaotic: there float32 loses what it loses in plain torch too.
            if self.dtype == "float32" and self.way != "stream":
                with plain_torch():
                    slow = _errors(_run(self, drawn, layer), right)
                if error <= 10 * slow[name]:
                    continue
            return f"{name} differs from the equations written out by {error:.2g} of its norm"
        theirs = _by_torch(self, drawn, layer)
        for name, error in _errors(found, theirs).items() if theirs else ():
            if error > bound:
                return f"{name} differs from torch.nn by {error:.2g} of its norm"
        return None


Found = dict[str, Tensor]


class _Drawn:
    """Numbers for a case: the same however often they are asked for."""

    def __init__(self, case: LayerCase) -> None:
        self.case = case
        self.options = dict(case.options)
        self.dtype = DTYPES[case.dtype]
        generator = torch.Generator().manual_seed(case.seed)
        hidden = case.hidden if isinstance(case.hidden, tuple) else (case.hidden,) * case.layers
        self.directions = 2 if case.bidirectional else 1
        self.state_widths = [
            [self.options.get("proj_size") or hidden[layer]]
            + ([hidden[layer]] if case.cell == "lstm" else [])
            for layer in range(case.layers)
            for _ in range(self.directions)
        ]

        def normal(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator).to(self.dtype)

        # Where a row of the batch is seen as many, the gradient of each still is its own.
        one = case.layout == "expanded"
        self.values = normal(case.steps, 1 if one else case.rows, case.width)
        if one:
            self.values = self.values.expand(case.steps, case.rows, case.width)
        self.states = [[normal(case.rows, width) for width in widths] for widths in self.state_widths]
        across = self.directions * self.state_widths[-1][0]
        self.output_weight = normal(case.steps, case.rows, across)
        self.end_weights = [[normal(case.rows, width) for width in widths] for widths in self.state_widths]
        anew = torch.rand(case.steps, case.rows, generator=generator) < case.resets
        self.resets = anew if case.resets else None

    def layer(self, module: Any) -> Any:
        """The layer with weights of the case's seed, of `unrolled` or of `torch.nn`."""
        case = self.case
        torch.manual_seed(case.seed)
        kwargs = dict(self.options)
        if module is torch.nn:
            kwargs.pop("dropout", None)
        made = getattr(module, CELLS[case.cell])(
            case.width,
            case.hidden,
            case.layers,
            batch_first=case.batch_first,
            bidirectional=case.bidirectional,
            dtype=self.dtype,
            **kwargs,
        )
        with torch.no_grad():
            for name, parameter in made.named_parameters():
                if "gain" in name or "bias" in name or "initial" in name or "peephole" in name:
                    parameter.add_(torch.randn_like(parameter) * 0.3)
        return made.train(case.training)

    def lengths(self) -> list[int]:
        return list(self.case.lengths) if self.case.lengths else [self.case.steps] * self.case.rows

    def given(self) -> Tensor:
        """The input as the caller holds it, its padding full of rubbish."""
        case, values = self.case, self.values
        if case.lengths is not None and case.layout != "expanded":
            past = torch.arange(case.steps).view(-1, 1, 1) >= torch.tensor(case.lengths).view(1, -1, 1)
            values = torch.where(past, torch.nan, values)
        if case.batch_first:
            values = values.transpose(0, 1)
        return LAYOUT[case.layout](values)

    def loss(self, output: Tensor, ends: list[tuple[Tensor, ...]]) -> Tensor:
        """A weighted sum of what is wanted: all of it, or part."""
        total = output.new_zeros(())
        if "output" in self.case.wants:
            total = total + (output * self.output_weight.to(output.dtype)).sum()
        if "state" in self.case.wants:
            for weights, parts in zip(self.end_weights, ends, strict=True):
                for weight, part in zip(weights, parts, strict=True):
                    total = total + (weight.to(part.dtype) * part).sum()
        return total


def _strided(values: Tensor) -> Tensor:
    wide = torch.stack([values, torch.full_like(values, torch.nan)], -1).flatten(-2)
    return wide[..., ::2]


def _offset(values: Tensor) -> Tensor:
    flat = torch.cat([values.new_full((1,), torch.nan), values.flatten()])
    return flat[1:].view(values.shape)


LAYOUT: dict[str, Callable[[Tensor], Tensor]] = {
    "plain": torch.Tensor.contiguous,
    "strided": _strided,
    "expanded": lambda values: values,
    "turned": lambda values: values.transpose(0, -1).contiguous().transpose(0, -1),
    "negated": lambda values: torch._neg_view(-values),
    "offset": _offset,
}


def _prepare(case: LayerCase, drawn: _Drawn, layer: Any) -> None:
    """What the layer did before: all that it may remember of weights, shapes and threads."""
    if case.before == "nothing":
        return
    values = torch.randn_like(drawn.values.contiguous())
    values = values.transpose(0, 1) if case.batch_first else values
    if case.before == "other rows":
        values = torch.cat([values, values], 0 if case.batch_first else 1)
    if case.before == "inference":
        with torch.inference_mode():
            layer(values)
        return
    if case.before == "other threads":
        torch.set_num_threads(3 - case.threads)
    layer(values.requires_grad_())[0].sum().backward()
    torch.set_num_threads(case.threads)
    layer.zero_grad()
    with torch.no_grad():
        if case.before == "changed weights":
            for parameter in layer.parameters():
                parameter.mul_(-0.5)
        if case.before == "replaced weights":
            for name, parameter in list(layer.named_parameters()):
                fresh = torch.nn.Parameter(parameter * 0.5, requires_grad=parameter.requires_grad)
                setattr(layer, name, fresh)


def _state(case: LayerCase, parts: list[list[Tensor]]) -> Any:
    """A state as the layer takes it, of the parts of each layer and direction."""
    if not case.state:
        return None
    names = []
    for name in range(len(parts[0])):
        column = [own[name] for own in parts]
        if isinstance(case.hidden, tuple) and len(set(case.hidden)) > 1:
            directions = 2 if case.bidirectional else 1
            names.append(
                tuple(
                    torch.stack(column[first : first + directions])
                    for first in range(0, len(column), directions)
                )
            )
        else:
            names.append(torch.stack(column))
    return names[0] if len(names) == 1 else tuple(names)


def _ends(case: LayerCase, final: Any) -> list[tuple[Tensor, ...]]:
    """The other way round."""
    columns = []
    for part in final if case.cell == "lstm" else (final,):
        stacks = part if isinstance(part, tuple) else (part,)
        columns.append([row for stack in stacks for row in stack.unbind(0)])
    return list(zip(*columns, strict=True))


def _with_gradients(
    case: LayerCase,
    drawn: _Drawn,
    call: Callable[[Tensor, list[list[Tensor]]], tuple[Tensor, list[tuple[Tensor, ...]]]],
    values: Tensor,
    parameters: dict[str, Tensor],
) -> Found:
    """What a call gives, time-major, and every gradient that is wanted."""
    values = values.detach().requires_grad_("input" in case.wants)
    states = [[part.clone() for part in own] for own in drawn.states]
    for own in states:
        for part in own:
            part.requires_grad_(case.state and "initial" in case.wants)
    output, ends = call(values, states)
    found = {"output": output.detach()}
    for index, parts in enumerate(ends):
        for name, part in zip("hc", parts, strict=False):
            found[f"{name} at the end of {index}"] = part.detach()
    receivers: dict[str, Tensor] = {}
    if values.requires_grad:
        receivers["input"] = values
    if case.state and "initial" in case.wants:
        receivers |= {
            f"initial {name} of {index}": part
            for index, own in enumerate(states)
            for name, part in zip("hc", own, strict=False)
        }
    if case.wants:
        receivers |= {name: each for name, each in parameters.items() if each.requires_grad}
    loss = drawn.loss(output, ends)
    # What nothing that is wanted depends on has no gradient to take: it is zero.
    grads: Any = [None] * len(receivers)
    if loss.requires_grad and receivers:
        grads = torch.autograd.grad(loss, list(receivers.values()), allow_unused=True)
    for (name, receiver), grad in zip(receivers.items(), grads, strict=True):
        found[f"gradient of {name}"] = torch.zeros_like(receiver) if grad is None else grad
    if case.batch_first and "gradient of input" in found:
        found["gradient of input"] = found["gradient of input"].transpose(0, 1)
    return found


def _resets(case: LayerCase, drawn: _Drawn) -> Tensor | None:
    return drawn.resets.t() if drawn.resets is not None and case.batch_first else drawn.resets


def _time_major(case: LayerCase, output: Tensor) -> Tensor:
    return output.transpose(0, 1) if case.batch_first else output


def _call(case: LayerCase, drawn: _Drawn, layer: Any) -> Found:
    lengths = None if case.lengths is None else torch.tensor(case.lengths)

    def call(values: Tensor, states: list[list[Tensor]]) -> Any:
        output, final = layer(values, _state(case, states), lengths, _resets(case, drawn))
        return _time_major(case, output), _ends(case, final)

    if not case.wants:
        with torch.inference_mode():
            return _with_gradients(case, drawn, call, drawn.given(), {})
    return _with_gradients(case, drawn, call, drawn.given(), dict(layer.named_parameters()))


def _unroll(case: LayerCase, drawn: _Drawn, layer: Any) -> Found:
    lengths = None if case.lengths is None else torch.tensor(case.lengths)

    def call(values: Tensor, states: list[list[Tensor]]) -> Any:
        result = layer.unroll(
            values, _state(case, states), lengths, _resets(case, drawn), gates=True, probe=True
        )
        return _time_major(case, result.output), _ends(case, result.state)

    return _with_gradients(case, drawn, call, drawn.given(), dict(layer.named_parameters()))


def _observed(case: LayerCase, drawn: _Drawn, layer: Any) -> Found:
    layer.observers = (lambda scan, run: run(scan),)
    return _call(case, drawn, layer)


def _listened(case: LayerCase, drawn: _Drawn, layer: Any) -> Found:
    """The norms that are heard are kept beside: they must be numbers of the right shape."""
    heard: list[Tensor] = []
    layer.listeners = (lambda call: heard.append,)
    found = _call(case, drawn, layer)
    assert all(norms.shape == (case.steps, case.rows) and norms.isfinite().all() for norms in heard)
    return found


def _packed(case: LayerCase, drawn: _Drawn, layer: Any) -> Found:
    lengths = torch.tensor(drawn.lengths())

    def call(values: Tensor, states: list[list[Tensor]]) -> Any:
        packed = pack_padded_sequence(values, lengths, batch_first=case.batch_first, enforce_sorted=False)
        output, final = layer(packed, _state(case, states))
        assert isinstance(output, PackedSequence)
        return pad_packed_sequence(output, total_length=case.steps)[0], _ends(case, final)

    return _with_gradients(case, drawn, call, drawn.given(), dict(layer.named_parameters()))


def _stream(case: LayerCase, drawn: _Drawn, layer: Any) -> Found:
    stream = layer.stream(case.rows)
    if case.state:
        stream.state = _state(case, drawn.states)
    values = _time_major(case, drawn.given())
    outputs = torch.stack([stream.step(values[t]).clone() for t in range(case.steps)])
    found = {"output": outputs}
    for index, parts in enumerate(_ends(case, stream.state)):
        for name, part in zip("hc", parts, strict=False):
            found[f"{name} at the end of {index}"] = part
    return found


def _single(case: LayerCase, drawn: _Drawn, layer: Any) -> Found:
    """One sequence without a dimension of the batch."""
    lengths = None if case.lengths is None else torch.tensor(case.lengths[0])

    def call(values: Tensor, states: list[list[Tensor]]) -> Any:
        state = _state(case, states)
        dropped = None if state is None else _without_batch(state)
        resets = None if drawn.resets is None else drawn.resets[:, 0]
        output, final = layer(values.squeeze(0 if case.batch_first else 1), dropped, lengths, resets)
        return output.unsqueeze(1), [
            tuple(part.unsqueeze(0) for part in parts) for parts in _ends(case, final)
        ]

    return _with_gradients(case, drawn, call, drawn.given(), dict(layer.named_parameters()))


def _without_batch(state: Any) -> Any:
    return tuple(map(_without_batch, state)) if isinstance(state, tuple) else state.squeeze(1)


def _functional(case: LayerCase, drawn: _Drawn, layer: Any) -> Found:
    """With weights that are no parameters."""
    weights = {
        name: each.detach().clone().requires_grad_(each.requires_grad)
        for name, each in layer.named_parameters()
    }
    lengths = None if case.lengths is None else torch.tensor(case.lengths)

    def call(values: Tensor, states: list[list[Tensor]]) -> Any:
        given = values, _state(case, states), lengths, _resets(case, drawn)
        output, final = torch.func.functional_call(layer, weights, given)
        return _time_major(case, output), _ends(case, final)

    return _with_gradients(case, drawn, call, drawn.given(), weights)


WAY: dict[str, Callable[[LayerCase, _Drawn, Any], Found]] = {
    "call": _call,
    "unroll": _unroll,
    "observed": _observed,
    "listened": _listened,
    "packed": _packed,
    "stream": _stream,
    "single": _single,
    "functional": _functional,
}


def _by_the_oracle(case: LayerCase, drawn: _Drawn, layer: Any, masks: Masks) -> Found:
    parameters = {
        name: each.detach().double().requires_grad_(each.requires_grad)
        for name, each in layer.named_parameters()
    }
    count = case.layers * drawn.directions
    states = len(drawn.state_widths[0])
    zoneout = drawn.options.get("zoneout", 0.0)
    zoneouts = zoneout if isinstance(zoneout, tuple) else (zoneout,) * states
    in_evaluation = [torch.full((1, 1, 1), each, dtype=torch.float64) if each else None for each in zoneouts]
    one = torch.ones(()).double()
    masks = Masks(
        # What was not drawn has its value in evaluation; what was is copied out of inference mode.
        [_copy(each) for each in masks.between or [one] * (case.layers - 1)],
        [_copy(each) for each in masks.weights or [one] * count],
        [_copy(each) for each in masks.hidden or [None] * count],
        [_copy(each) for each in masks.zoneout or in_evaluation * count],
        [_copy(each) for each in masks.noise or [None] * count],
    )
    stack = Stack(
        case.cell,
        case.layers,
        drawn.directions,
        drawn.options.get("nonlinearity", "tanh"),
        bool(drawn.options.get("layer_norm")),
        drawn.options.get("clip_step") or 0.0,
    )

    def call(values: Tensor, given: list[list[Tensor]]) -> Any:
        values = values.transpose(0, 1) if case.batch_first else values
        initial = [tuple(parts) for parts in given]
        if not case.state:
            initial = []
            for index, widths in enumerate(drawn.state_widths):
                layer_, direction = divmod(index, drawn.directions)
                suffix = f"_l{layer_}{'_reverse' if direction else ''}"
                zeros = [torch.zeros(case.rows, width).double() for width in widths]
                learned = [parameters.get(f"initial_{name}{suffix}") for name in "hc"]
                initial.append(
                    tuple(
                        zero if each is None else each.expand(zero.shape)
                        for zero, each in zip(zeros, learned, strict=False)
                    )
                )
        return run(stack, parameters, masks, values, initial, drawn.lengths(), drawn.resets)

    wide = _Drawn(case)
    wide.states = [[part.double() for part in own] for own in wide.states]
    values = wide.values.double()
    values = values.transpose(0, 1) if case.batch_first else values
    return _with_gradients(case, wide, call, values, parameters)


def _copy(tensor: Tensor | None) -> Any:
    return None if tensor is None else tensor.clone()


def _by_torch(case: LayerCase, drawn: _Drawn, layer: Any) -> Found:
    """The same of torch.nn, nothing where it lacks something."""
    own = {"bias", "proj_size", "nonlinearity"}
    if (
        not set(drawn.options) <= own
        or drawn.options.get("nonlinearity", "tanh") not in ("tanh", "relu")
        or isinstance(case.hidden, tuple)
        or min(drawn.lengths()) == 0
        or case.way == "stream"
        or case.resets
    ):
        return {}
    theirs = drawn.layer(torch.nn)
    theirs.load_state_dict(layer.state_dict())
    for name in case.frozen:
        getattr(theirs, name).requires_grad_(False)
    lengths = torch.tensor(drawn.lengths())

    def call(values: Tensor, states: list[list[Tensor]]) -> Any:
        packed = pack_padded_sequence(values, lengths, batch_first=case.batch_first, enforce_sorted=False)
        output, final = theirs(packed, _state(case, states))
        return pad_packed_sequence(output, total_length=case.steps)[0], _ends(case, final)

    # torch.nn's parameters come in another order; they go by name.
    values = drawn.values.transpose(0, 1) if case.batch_first else drawn.values
    return _with_gradients(case, drawn, call, values.contiguous(), dict(theirs.named_parameters()))


def _run(case: LayerCase, drawn: _Drawn, layer: Any) -> Found:
    torch.manual_seed(case.seed)
    return WAY[case.way](case, drawn, layer)


def _errors(found: Found, right: Found) -> dict[str, float]:
    """The norm of each difference beside that of what is right."""
    assert found.keys() == right.keys(), f"found {sorted(found)}, not {sorted(right)}"
    errors = {}
    for name in found:
        nearly_zero = NEARLY_ZERO[found[name].dtype]
        value, expected = found[name].double(), right[name].double()
        assert value.shape == expected.shape, (
            f"{name}: shape {tuple(value.shape)}, not {tuple(expected.shape)}"
        )
        beside = expected.norm() + nearly_zero * expected.numel() ** 0.5
        error = float((value - expected).norm() / beside) if value.numel() else 0.0
        errors[name] = error if error == error else float("inf")
    return dict(sorted(errors.items()))


def draw(random: Random) -> LayerCase:
    """Any layer, run in any way, all of what it takes."""
    cell = random.choice(list(CELLS))
    vector = random.choice([4, 8, 16])
    size = lambda most: random.choice(  # noqa: E731
        [random.randint(1, most), vector * random.randint(1, max(1, most // vector))]
    )
    layers, bidirectional = random.choice([1, 1, 1, 2, 2, 3, 4]), random.random() < 0.4
    steps, rows = (
        random.choice([1, 2, random.randint(1, 7), random.randint(1, 24)]),
        random.choice([1, 2, 3, random.randint(1, 9), random.randint(1, 40)]),
    )
    hidden: int | tuple[int, ...] = size(random.choice([8, 20, 70]))
    if random.random() < 0.05:  # matrices that outgrow the nearer caches, and threads that divide the units
        hidden, layers, steps, rows = random.choice([128, 200, 256, 350]), 1, min(steps, 5), min(rows, 10)
    lengths = _lengths(random, steps, rows)
    options = _options(random, cell, hidden)
    if layers == 1:
        options = {name: value for name, value in options.items() if "dropout" not in name or "rec" in name}
    if random.random() < 0.1 and layers > 1 and "proj_size" not in options:
        hidden = tuple(size(20) for _ in range(layers))
    way = random.choice(["call"] * 6 + list(WAYS))
    wants = tuple(
        name
        for name, share in (("input", 0.7), ("initial", 0.6), ("output", 0.9), ("state", 0.5))
        if random.random() < share
    )
    training = random.random() < 0.6
    if way == "stream":
        bidirectional, lengths, training = False, None, False
    if way == "packed":
        # torch packs no row without a step, and of the batch no step that no row has.
        lengths = (steps, *[max(1, length) for length in (lengths or (steps,) * rows)[1:]])
    if way == "single":
        rows, lengths = 1, None if lengths is None else lengths[:1]
    # Rows that a projecting layer takes apart draw masks of their own.
    apart = "proj_size" in options and {"zoneout", "recurrent_dropout"} & options.keys() and training
    resets = 0.0
    if way not in ("stream", "packed") and not apart and random.random() < 0.2:
        resets = random.choice([0.05, 0.3, 1.0])
    case = LayerCase(
        cell=cell,
        dtype=random.choice(["float64", "float64", "float32"]),
        steps=steps,
        rows=rows,
        width=size(random.choice([5, 20, 40])),
        hidden=hidden,
        layers=layers,
        bidirectional=bidirectional,
        batch_first=random.random() < 0.4,
        lengths=lengths,
        state=random.random() < 0.5,
        options=tuple(sorted(options.items())),
        training=training,
        layout=random.choice(["plain"] * 3 + list(LAYOUTS)),
        way=way,
        before=random.choice(["nothing"] * 3 + list(BEFORE)),
        frozen=(),
        wants=wants,
        threads=random.choice([1, 2]),
        instruction_set=random.choice(library.choices()),
        seed=random.randrange(2**20),
        resets=resets,
    )
    if random.random() < 0.25:
        names = [name for name, _ in _Drawn(case).layer(unrolled).named_parameters()]
        case = replace(case, frozen=tuple(name for name in names if random.random() < 0.5))
    return case


def _lengths(random: Random, steps: int, rows: int) -> tuple[int, ...] | None:
    """None; any, with zeros and repeats; sorted either way; all alike."""
    kind = random.choice(["none", "none", "any", "any", "any", "falling", "rising", "few", "full but one"])
    drawn = [random.randint(0, steps) for _ in range(rows)]
    if kind == "none":
        return None
    if kind == "few":
        some = [random.randint(0, steps) for _ in range(2)]
        drawn = [random.choice(some) for _ in range(rows)]
    if kind == "full but one":
        drawn = [steps] * rows
        drawn[random.randrange(rows)] = random.randint(0, steps)
    if kind in ("falling", "rising"):
        drawn.sort(reverse=kind == "falling")
    return tuple(drawn)


def _options(random: Random, cell: str, hidden: int) -> dict[str, Any]:
    """None, one, or several at once."""
    possible: dict[str, Any] = {
        "bias": False,
        "dropout": 0.4,
        "layer_norm": True,
        "recurrent_dropout": 0.3,
        "zoneout": 0.25,
        "weight_drop": 0.5,
        "state_noise": 0.2,
        "initial_state": "learned",
        "clip_step": random.choice([0.05, 1.0]),
    }
    if cell == "rnn":
        possible["nonlinearity"] = random.choice(["relu", "sigmoid", "identity", "tanh"])
    if cell == "lstm":
        possible |= {"peepholes": True, "zoneout": random.choice([0.25, (0.1, 0.5), (0.0, 0.3)])}
        if hidden > 1:
            possible["proj_size"] = random.randint(1, hidden - 1)
    count = random.choice([0, 0, 0, 1, 1, 2, 3, len(possible)])
    chosen = random.sample(list(possible), min(count, len(possible)))
    options = {name: possible[name] for name in chosen}
    if "dropout" in options and random.random() < 0.5:
        options["variational_dropout"] = True
    return options
