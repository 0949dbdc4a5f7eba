"""Convolutions over time and frequency: their definition, and that no step sees a later one."""

import pytest
import torch

from unrolled.models.band_convolution import BandConvolutionInput
from unrolled.models.config import NetworkConfig
from unrolled.models.inputs import ValueInput
from unrolled.models.many_to_one import ManyToOne


def layer(bands=9, filters=3, size=4):
    torch.manual_seed(0)
    made = BandConvolutionInput(ValueInput(bands), filters, size)
    made({"values": torch.randn(4, 9, bands)})  # moves the norms off their start
    return made


@pytest.mark.parametrize("step", [0, 3, 8])
def test_a_step_changes_itself_and_later_ones_alone(step):
    read, values = layer().eval(), torch.randn(2, 9, 9)
    changed = values.clone()
    changed[:, step] += 5
    moved = (read({"values": values}) != read({"values": changed})).any(2).any(0)
    assert not moved[:step].any()
    assert moved[step]


@pytest.mark.parametrize("bands", [4, 9, 40])
def test_what_is_made_is_that_of_the_definition(bands):
    read, values = layer(bands).eval(), torch.randn(1, 6, bands)

    def normalised(maps, norm):
        shape = (-1, *[1] * (maps.dim() - 1))
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        return ((maps - norm.running_mean.view(shape)) * scale.view(shape) + norm.bias.view(shape)).clamp(0)

    maps = values  # (map, time, band)
    for convolution, norm in zip(read.convolutions, read.norms, strict=True):
        _, time, width = maps.shape
        padded = torch.zeros(len(maps), time + 2, width + 4)
        padded[:, 2:, 2:-2] = maps
        made = torch.stack(
            [
                torch.stack(
                    [
                        (convolution.weight * padded[:, at : at + 3, band : band + 5]).sum((1, 2, 3))
                        for band in range(width)
                    ],
                    1,
                )
                for at in range(time)
            ],
            1,
        )
        found = normalised(made, norm)
        maps = torch.stack([found[:, :, band : band + 2].amax(2) for band in range(0, width - 1, 2)], 2)
    steps = maps.transpose(0, 1).flatten(1)  # (time, map and band)
    expected = normalised((steps @ read.joining.weight[:, :, 0].T).T, read.joined_norm).T
    torch.testing.assert_close(read({"values": values})[0], expected, rtol=1e-4, atol=1e-5)


def test_padding_changes_nothing_and_the_network_is_read_as_a_whole():
    config = NetworkConfig(hidden_size=4, bidirectional=True)
    model = ManyToOne(layer(), config, 3, "attention", skip=True).eval()
    short, long = torch.randn(1, 5, 9), torch.randn(1, 8, 9)
    batch = torch.cat([torch.cat([short, torch.zeros(1, 3, 9)], 1), long])
    together, _ = model({"values": batch}, torch.tensor([5, 8]))
    torch.testing.assert_close(together[:1], model({"values": short}, torch.tensor([5]))[0])
    assert not ManyToOne(layer(), NetworkConfig(hidden_size=4), 3, "last").causal


def test_a_single_step_is_learned_from():
    made = layer()
    made({"values": torch.ones(1, 1, 9)}).sum().backward()
    assert made.convolutions[0].weight.grad is not None
