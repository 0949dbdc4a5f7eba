"""A spectrogram as of a faster speaker, and of another voice."""

import pytest
import torch

from unrolled.models.spectrogram import SpectrogramInput, paced, warped


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.3])
def test_a_sequence_at_another_pace_is_read_between_its_steps(factor):
    values, lengths = torch.randn(2, 12, 3), torch.tensor([12, 7])
    found = paced(values, lengths, torch.full((2,), factor))
    for row, length in enumerate(lengths.tolist()):
        for step in range(12):
            place = step * factor
            if place > length - 1 + 1e-6:
                assert not found[row, step].any()
                continue
            below = min(int(place), length - 1)
            share, above = place - below, min(below + 1, 11)
            expected = (1 - share) * values[row, below] + share * values[row, above]
            torch.testing.assert_close(found[row, step], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("factor", [0.9, 1.0, 1.2])
def test_bands_are_moved_along_the_frequencies(factor):
    values = torch.arange(10.0).expand(1, 4, 10)
    expected = (torch.arange(10.0) * factor).clamp(max=9)
    torch.testing.assert_close(warped(values, torch.tensor([factor]))[0, 0], expected)


def test_each_row_is_changed_in_training_alone_and_anew():
    layer, values = SpectrogramInput(8, pace=0.2, warp=0.2), torch.randn(5, 20, 8)
    assert torch.equal(layer.eval()({"values": values}), values)
    layer.train()
    torch.manual_seed(0)
    first, second = layer({"values": values}), layer({"values": values})
    assert first.shape == values.shape
    assert not torch.equal(first, second)
