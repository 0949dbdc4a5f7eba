"""A network's options reach its recurrent layers."""

import pytest

from unrolled.layers import build_recurrent
from unrolled.models.config import NetworkConfig

# Each with the attribute of the layer that must hold it, and for which cells it is.
OPTIONS = [
    ({"chrono": 50.0}, "chrono", ("gru", "lstm")),
    ({"forget_bias": 2.0}, "forget_bias", ("lstm",)),
    ({"peepholes": True}, "peepholes", ("lstm",)),
    ({"projection_size": 3}, "proj_size", ("lstm",)),
    ({"activation": "relu"}, "nonlinearity", ("rnn",)),
    ({"variational_dropout": True, "num_layers": 2, "dropout": 0.5}, "variational_dropout", None),
    ({"recurrent_dropout": 0.5}, "recurrent_dropout", None),
    ({"weight_drop": 0.5}, "weight_drop", None),
    ({"layer_norm": True}, "layer_norm", None),
    ({"bidirectional": True}, "bidirectional", None),
]


@pytest.mark.parametrize(
    ("cell", "options", "attribute"),
    [
        (cell, options, attribute)
        for options, attribute, cells in OPTIONS
        for cell in cells or ("rnn", "gru", "lstm")
    ],
)
def test_an_option_reaches_the_layer(cell, options, attribute):
    config = NetworkConfig(cell=cell, hidden_size=4, **options)
    layer = build_recurrent(input_size=2, **config.layer_options())
    assert getattr(layer, attribute) == next(iter(options.values()))


@pytest.mark.parametrize("kind", ["uniform", "orthogonal", "identity", "xavier"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_every_start_of_the_recurrent_weights_can_be_built(cell, kind):
    config = NetworkConfig(cell=cell, hidden_size=4, recurrent_init=kind)
    layer = build_recurrent(input_size=2, **config.layer_options())
    assert layer.weight_hh_l0.shape[1] == 4
