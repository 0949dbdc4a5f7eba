"""Layers with every option that a forward pass in evaluation knows, some of them drawn at random."""

import torch
from hypothesis import strategies as st

from unrolled.cells.library import names
from unrolled.layers import GRU, LSTM, RNN, Recurrent


def moved(layer):
    """The layer with weights that no option leaves at one or zero."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return layer.eval()


def every_option():
    """Layers that read 3 features, each with some of the options, all of them together with all."""
    options = {"layer_norm": True, "zoneout": 0.2, "initial_state": "learned"}
    return [
        moved(layer)
        for layer in (
            RNN(3, 4, nonlinearity="relu", batch_first=True),
            RNN(3, 5, nonlinearity="identity", bidirectional=True),
            GRU(3, 4, 2, bidirectional=True, initial_state="learned"),
            GRU(3, 4, bias=False, batch_first=True, **options),
            LSTM(3, (5, 4), 2, bidirectional=True, batch_first=True),
            LSTM(3, 4, peepholes=True, **options),
            LSTM(3, 5, proj_size=3, **options),
            Recurrent("lem", 3, 4, **options),
            Recurrent("indrnn", 3, 4, bidirectional=True),
        )
    ]


@st.composite
def one_way_layers(draw):
    kind = draw(st.sampled_from(["rnn", "gru", "lstm", "lstm", "gru", *names()]))
    count = draw(st.integers(1, 2))
    options = {
        "num_layers": count,
        "bias": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
        "layer_norm": draw(st.sampled_from([False, False, True])),
        "zoneout": draw(st.sampled_from([0.0, 0.0, 0.25])),
        "initial_state": draw(st.sampled_from(["zeros", "learned"])),
    }
    sizes = [draw(st.integers(2, 6)) for _ in range(count)]
    size = sizes[0] if len(set(sizes)) == 1 or draw(st.booleans()) else tuple(sizes)
    if kind == "rnn":
        activation = draw(st.sampled_from(["tanh", "relu", "sigmoid", "identity"]))
        return moved(RNN(3, size, nonlinearity=activation, **options))
    if kind == "gru":
        return moved(GRU(3, size, **options))
    if kind == "lstm":
        smallest = min(size) if isinstance(size, tuple) else size
        options["proj_size"] = draw(st.sampled_from([0, 0, smallest - 1]))
        return moved(LSTM(3, size, peepholes=draw(st.booleans()), **options))
    return moved(Recurrent(kind, 3, size, **options))
