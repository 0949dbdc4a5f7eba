"""Layers drawn at random, with every option that a forward pass in evaluation knows."""

import torch
from hypothesis import strategies as st

from unrolled.cells.library import names
from unrolled.layers import GRU, LSTM, RNN, Recurrent


@st.composite
def layers(draw, one_way=False):
    kind = draw(st.sampled_from(["rnn", "gru", "lstm", "lstm", "gru", *names()]))
    count = draw(st.integers(1, 2))
    options = {
        "num_layers": count,
        "bias": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
        "bidirectional": not one_way and draw(st.booleans()),
        "layer_norm": draw(st.sampled_from([False, False, True])),
        "zoneout": draw(st.sampled_from([0.0, 0.0, 0.25])),
        "initial_state": draw(st.sampled_from(["zeros", "learned"])),
    }
    sizes = [draw(st.integers(2, 6)) for _ in range(count)]
    size = sizes[0] if len(set(sizes)) == 1 or draw(st.booleans()) else tuple(sizes)
    if kind == "rnn":
        layer = RNN(
            3, size, nonlinearity=draw(st.sampled_from(["tanh", "relu", "sigmoid", "identity"])), **options
        )
    elif kind == "gru":
        layer = GRU(3, size, **options)
    elif kind == "lstm":
        smallest = min(size) if isinstance(size, tuple) else size
        options["proj_size"] = draw(st.sampled_from([0, 0, smallest - 1]))
        layer = LSTM(3, size, peepholes=draw(st.booleans()), **options)
    else:
        layer = Recurrent(kind, 3, size, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return layer.eval()
