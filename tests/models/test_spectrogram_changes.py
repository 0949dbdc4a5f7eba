"""A spectrogram as of a faster speaker, and of another voice."""

import numpy as np
import pytest
import torch

from unrolled.models.spectrogram import SpectrogramInput, paced, warped

CENTRES = [100.0 * 1.2**band for band in range(10)]


@pytest.mark.parametrize("factor", [1.0, 1.3])
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


@pytest.mark.parametrize("factor", [0.85, 1.0, 1.2, 3.0])
def test_every_frequency_is_multiplied(factor):
    """Each band then holds what stood at so many times its frequency, whatever the bands' distances are."""
    values = torch.randn(2, 4, 10)
    found = warped(values, torch.tensor(CENTRES), torch.tensor([factor, 1.0]))
    for band, centre in enumerate(CENTRES):
        for step in range(4):
            expected = np.interp(centre * factor, CENTRES, values[0, step].numpy())
            assert found[0, step, band].item() == pytest.approx(expected, abs=1e-4)
    torch.testing.assert_close(found[1], values[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_the_end_of_a_recording_is_never_lost(seed):
    torch.manual_seed(seed)
    layer, values = (
        SpectrogramInput(CENTRES, pace=0.4),
        torch.arange(1.0, 21).view(1, 20, 1).expand(8, 20, 10),
    )
    assert (layer({"values": values}).amax(1) > 18).all()


def test_each_row_is_changed_in_training_alone_and_anew():
    layer, values = SpectrogramInput(CENTRES, pace=0.2, warp=0.2), torch.randn(5, 20, 10)
    assert torch.equal(layer.eval()({"values": values}), values)
    layer.train()
    torch.manual_seed(0)
    first, second = layer({"values": values}), layer({"values": values})
    assert first.shape == values.shape
    assert not torch.equal(first, second)
