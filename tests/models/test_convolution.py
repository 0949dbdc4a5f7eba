"""Convolutions before the recurrent layers: no step sees a later one, nor what lies beyond a row's end."""

import pytest
import torch

from unrolled.models.config import NetworkConfig
from unrolled.models.convolution import ConvolutionInput
from unrolled.models.inputs import ValueInput
from unrolled.models.many_to_one import ManyToOne


def layer(channels=2, filters=3):
    torch.manual_seed(0)
    made = ConvolutionInput(ValueInput(channels), filters)
    made({"values": torch.randn(4, 9, channels)})  # moves the norms off their start
    return made


@pytest.mark.parametrize("step", [0, 3, 8])
def test_a_step_changes_itself_and_later_ones_alone(step):
    read, values = layer().eval(), torch.randn(2, 9, 2)
    changed = values.clone()
    changed[:, step] += 1
    moved = (read({"values": values}) != read({"values": changed})).any(2).any(0)
    assert moved.tolist()[: step + 1] == [False] * step + [True]


def test_each_convolution_is_that_of_its_definition():
    read, values = layer().eval(), torch.randn(1, 9, 2)
    maps = values[0].T
    for convolution, norm in zip(read.convolutions, read.norms, strict=True):
        width = convolution.weight.shape[2]
        padded = torch.cat([torch.zeros(len(maps), width - 1), maps], 1)
        made = torch.stack(
            [(convolution.weight * padded[:, at : at + width]).sum((1, 2)) for at in range(maps.shape[1])], 1
        )
        made = (made - norm.running_mean[:, None]) / (norm.running_var + norm.eps).sqrt()[:, None]
        maps = (made * norm.weight[:, None] + norm.bias[:, None]).clamp(min=0)
    torch.testing.assert_close(read({"values": values})[0], torch.cat([values[0], maps.T], 1))


def test_padding_changes_nothing_and_the_network_is_read_as_a_whole():
    config = NetworkConfig(cell="gru", hidden_size=4, bidirectional=True)
    model = ManyToOne(layer(), config, 3, "max", skip=True).eval()
    short, long = torch.randn(1, 5, 2), torch.randn(1, 9, 2)
    batch = torch.cat([torch.cat([short, torch.zeros(1, 4, 2)], 1), long])
    together, _ = model({"values": batch}, torch.tensor([5, 9]))
    torch.testing.assert_close(together[:1], model({"values": short}, torch.tensor([5]))[0])
    assert not ManyToOne(layer(), NetworkConfig(hidden_size=4), 3, "last").causal


def test_a_single_number_is_learned_from():
    made = layer(1)
    made({"values": torch.ones(1, 1, 1)}).sum().backward()
    assert made.convolutions[0].weight.grad is not None
