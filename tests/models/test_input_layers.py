"""What is done to spectrograms and numbers in training, and positions beside what is at them."""

import torch

from unrolled.models.inputs import ValueInput
from unrolled.models.positions import PositionInput
from unrolled.models.spectrogram import SpectrogramInput, shifted, stretch


def test_a_shift_moves_whole_rows_and_fills_with_zeros():
    torch.manual_seed(0)
    values = torch.arange(1.0, 9.0).view(1, 8, 1).expand(200, -1, -1)
    seen = set()
    for row in shifted(values, 3).squeeze(2).tolist():
        real = [number for number in row if number]
        move = row.index(real[0]) + 1 - int(real[0])
        assert real == list(range(int(real[0]), int(real[0]) + len(real)))
        assert len(real) == 8 - abs(move)
        seen.add(move)
    assert seen == set(range(-3, 4))


def test_a_stretch_lies_inside_its_row_and_is_no_longer_than_its_share():
    torch.manual_seed(0)
    lengths = torch.tensor([10, 4]).repeat(500)
    inside = stretch(10, lengths, 0.5)
    assert inside[::2].sum(1).max() == 5
    assert inside[1::2].sum(1).max() == 2
    assert not inside[1::2, 4:].any()
    assert inside[::2].any(0).all()
    edges = inside.int().diff(dim=1, prepend=torch.zeros(1000, 1).int())
    assert (edges == 1).sum(1).max() == 1


def test_a_spectrogram_is_left_alone_outside_of_training():
    torch.manual_seed(0)
    values = torch.randn(3, 20, 6)
    values[1, 12:] = 0
    layer = SpectrogramInput(range(1, 7), shift=2, masks=2, time_share=0.3, band_share=0.3)
    assert torch.equal(layer.eval()({"values": values}), values)
    masked = layer.train()({"values": values})
    assert masked.shape == values.shape
    assert (masked == 0).sum() > (values == 0).sum()


def test_a_spectrogram_without_steps_is_none_the_worse():
    layer = SpectrogramInput(range(1, 7), shift=2, masks=1, time_share=0.3, band_share=0.3)
    assert layer({"values": torch.zeros(2, 0, 6)}).shape == (2, 0, 6)


def test_noise_is_added_in_training_only():
    torch.manual_seed(0)
    layer, values = ValueInput(2, noise=0.5), torch.zeros(1000, 3, 2)
    noisy = layer.train()({"values": values})
    assert abs(float(noisy.std()) - 0.5) < 0.02
    assert torch.equal(layer.eval()({"values": values}), values)


def test_positions_are_told_apart_and_do_not_depend_on_company():
    layer = PositionInput(ValueInput(1), length=30)
    long = layer({"values": torch.ones(2, 40, 1)})
    assert long.shape == (2, 40, layer.size)
    assert torch.equal(long[0], long[1])
    assert torch.equal(long[:, :, 0], torch.ones(2, 40))
    assert torch.pdist(long[0, :, 1:]).min() > 0.1
    torch.testing.assert_close(layer({"values": torch.ones(1, 7, 1)})[0], long[0, :7])
