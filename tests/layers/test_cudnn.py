"""torch's own recurrences, which a GPU runs: the same numbers, here on a CPU too; and when they may run."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tolerances import tolerance
from unrolled import GRU, LSTM, RNN
from unrolled.layers import implementation, stack
from unrolled.layers.engines import cudnn, kernels, programs
from unrolled.layers.engines.engine import Pass
from unrolled.layers.sequences import arrange

PLAIN = [
    LSTM(3, 4),
    GRU(3, 4, num_layers=2, bidirectional=True, initial_state="learned"),
    RNN(3, 4, nonlinearity="relu", bias=False),
    LSTM(3, 4, proj_size=2, num_layers=2),
]
OTHERS = [
    (LSTM(3, 4, layer_norm=True), "layer normalisation"),
    (LSTM(3, 4, peepholes=True), "peepholes"),
    (GRU(3, 4, zoneout=0.1), "zoneout"),
    (GRU(3, 4, clip_step=1.0), "clipping at every step"),
    (RNN(3, (4, 5), num_layers=2), "different widths"),
    (RNN(3, 4, nonlinearity="identity"), "the activation identity"),
    (RNN(3, 4, dtype=torch.complex64), "complex64"),
]
IN_TRAINING = [
    (LSTM(3, 4, recurrent_dropout=0.5), "recurrent dropout"),
    (LSTM(3, 4, weight_drop=0.5), "weight drop"),
    (LSTM(3, 4, num_layers=2, dropout=0.5, variational_dropout=True), "the same dropout at every step"),
]


@st.composite
def layers(draw):
    cell = draw(st.sampled_from([LSTM, GRU, RNN]))
    own = {
        RNN: {"nonlinearity": draw(st.sampled_from(["tanh", "relu"]))},
        LSTM: {"proj_size": draw(st.integers(0, 2))},
    }
    return cell(
        3,
        draw(st.integers(3, 6)),
        num_layers=draw(st.integers(1, 3)),
        bidirectional=draw(st.booleans()),
        bias=draw(st.booleans()),
        initial_state=draw(st.sampled_from(["zeros", "learned"])),
        dtype=torch.float64,
        **own.get(cell, {}),
    )


def runs(layer):
    """Whether cuDNN computes a layer."""
    weight = layer._weight("weight_ih", "_l0")
    values = arrange(weight.new_zeros(1, 1, 3), None, False, 3)
    return not isinstance(cudnn.ENGINE.offer(Pass(layer, values, None)), str)


def everything(output, state, leaves):
    parts = [output, *(state if isinstance(state, tuple) else (state,))]
    total = sum((part * torch.arange(part.numel()).view_as(part).sin()).sum() for part in parts)
    return [*parts, *torch.autograd.grad(total, leaves, materialize_grads=True)]


@settings(max_examples=60)
@given(layer=layers(), lengths=st.none() | st.lists(st.integers(0, 5), min_size=4, max_size=4))
def test_torchs_own_recurrences_give_the_same(layer, lengths):
    values = torch.randn(5, 4, 3, dtype=torch.float64, requires_grad=True)
    lengths = None if lengths is None else torch.tensor(lengths)
    expected = everything(*layer(values, lengths=lengths), [values, *layer.parameters()])
    found = cudnn._run(layer, arrange(values, lengths, False, 3), None)[:2]
    for one, other in zip(everything(*found, [values, *layer.parameters()]), expected, strict=True):
        torch.testing.assert_close(one, other, **tolerance(torch.float64, "gradient"))


@pytest.fixture
def on_gpu(monkeypatch):
    """Layers take themselves to be on a GPU with cuDNN."""
    monkeypatch.setattr(cudnn, "on_gpu", lambda layer: True)
    monkeypatch.setattr(cudnn, "available", lambda: True)
    monkeypatch.setattr(stack, "lay_out", lambda layer: None)
    for engine in (kernels, programs):
        monkeypatch.setattr(engine, "lacking", lambda layer: "the compiled library is for CPUs")


@pytest.mark.usefixtures("on_gpu")
@pytest.mark.parametrize("layer", PLAIN, ids=str)
def test_plain_cells_run_by_cudnn(layer):
    assert runs(layer)
    assert implementation.implementation(layer).runs == "cuDNN"


@pytest.mark.usefixtures("on_gpu")
@pytest.mark.parametrize(("layer", "why"), OTHERS + IN_TRAINING, ids=str)
def test_all_else_does_not_and_the_reason_is_given(layer, why):
    assert not runs(layer)
    assert implementation.implementation(layer).runs.startswith("reference")
    assert why in implementation.implementation(layer).why


@pytest.mark.usefixtures("on_gpu")
@pytest.mark.parametrize("layer", [layer for layer, _ in IN_TRAINING], ids=str)
def test_what_acts_in_training_only_is_no_obstacle_in_evaluation(layer):
    assert runs(layer.eval())
    assert not runs(layer.train())


@pytest.mark.usefixtures("on_gpu")
def test_not_where_somebody_looks_on():
    layer = GRU(3, 4)
    layer.observers = (lambda scan, run: run(scan),)
    assert not runs(layer)
    layer.observers = ()

    def seen(values):
        assert not runs(layer)
        return values.sum()

    torch.func.grad(seen)(torch.ones(2))


@pytest.mark.usefixtures("on_gpu")
def test_not_where_cudnn_is_switched_off(monkeypatch):
    monkeypatch.setattr(cudnn, "available", lambda: False)
    assert not runs(GRU(3, 4))
    assert "switched off" in implementation.implementation(GRU(3, 4)).why


def test_on_a_cpu_never():
    assert not any(runs(layer) for layer in PLAIN)


@pytest.mark.usefixtures("on_gpu")
@pytest.mark.parametrize("form", ["batch", "batch first", "one sequence", "packed", "with a state"])
def test_a_layer_that_cudnn_runs_takes_every_form_of_input(form, monkeypatch):
    layer = LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=form == "batch first")
    values = torch.randn(5, 2, 3)
    given = {
        "batch": (values,),
        "batch first": (values.transpose(0, 1),),
        "one sequence": (values[:, 0],),
        "packed": (
            torch.nn.utils.rnn.pack_padded_sequence(values, torch.tensor([2, 5]), enforce_sorted=False),
        ),
        "with a state": (values, (torch.randn(4, 2, 4), torch.randn(4, 2, 4))),
    }[form]
    called = []
    monkeypatch.setattr(cudnn, "_run", lambda *args, run=cudnn._run: called.append(1) or run(*args))
    output, (h, c) = layer(*given)
    assert called
    monkeypatch.setattr(cudnn, "available", lambda: False)
    expected, (h_n, c_n) = layer(*given)
    if form == "packed":
        output, expected = output.data, expected.data
    for one, other in zip((output, h, c), (expected, h_n, c_n), strict=True):
        torch.testing.assert_close(one, other, **tolerance(torch.float32, "value"))


@pytest.mark.parametrize("device", ["cpu", *["cuda"] * torch.cuda.is_available()])
@pytest.mark.parametrize("layer", PLAIN, ids=str)
def test_a_layer_that_is_moved(layer, device):
    moved, values = copy.deepcopy(layer).double().to(device), torch.randn(5, 4, 3, dtype=torch.float64)
    lengths = torch.tensor([5, 0, 2, 4])
    assert runs(moved) == (device == "cuda")
    found = moved(values.to(device), lengths=lengths)[0].cpu()
    expected = copy.deepcopy(layer).double()(values, lengths=lengths)[0]
    torch.testing.assert_close(found, expected, **tolerance(torch.float64, "gradient"))
