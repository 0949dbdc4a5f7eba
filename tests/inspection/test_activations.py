"""The table of activations has the sizes that a forward pass really computes."""

import torch

from unrolled.data.batches import Batch
from unrolled.inspection.activations import activations
from unrolled.models.config import NetworkConfig
from unrolled.models.inputs import TokenInput
from unrolled.models.many_to_many import ManyToMany
from unrolled.models.many_to_one import ManyToOne


def batch(per_step):
    targets = torch.zeros(2, 3, dtype=torch.int64) if per_step else torch.zeros(2, dtype=torch.int64)
    return Batch({"tokens": torch.ones(2, 3, dtype=torch.int64)}, torch.tensor([3, 1]), targets, per_step)


def table(model, per_step):
    return {row.symbol: row for row in activations(model, batch(per_step))}


def test_one_time_step_and_the_batch():
    rows = table(ManyToMany(TokenInput(9, 5), NetworkConfig(hidden_size=4), 7), per_step=True)
    sizes = {symbol: (row.step, row.batch) for symbol, row in rows.items()}
    assert sizes == {
        "x_t": ((), (2, 3)),
        "e_t": ((5,), (2, 3, 5)),
        "{i,f,g,o}_t": ((16,), (2, 3, 16)),
        "c_t": ((4,), (2, 3, 4)),
        "h_t": ((4,), (2, 3, 4)),
        "ŷ_t": ((7,), (2, 3, 7)),
    }
    assert (rows["h_t"].step_count, rows["h_t"].batch_count) == (4, 24)
    assert rows["x_t"].step_count == 1


def test_every_layer_and_direction_is_listed():
    network = NetworkConfig(cell="gru", hidden_size=(4, 3), num_layers=2, bidirectional=True)
    rows = table(ManyToOne(TokenInput(9, 5), network, 2, pooling="mean"), per_step=False)
    assert {"h_t (1)", "h_t (1) ←", "h_t (2)", "h_t (2) ←", "{r,z,n}_t (2) ←"} <= set(rows)
    assert rows["h_t (2)"].step == (3,)
    assert (rows["ŷ"].step, rows["ŷ"].batch, rows["ŷ"].per_step) == ((2,), (2, 2), False)


def test_looking_leaves_no_hooks_behind():
    model = ManyToMany(TokenInput(9, 5), NetworkConfig(cell="rnn", hidden_size=4), 7)
    activations(model, batch(per_step=True))
    assert all(not module._forward_hooks for module in model.modules())
