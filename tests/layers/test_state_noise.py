"""Noise on the state: of the right size, in training alone, and out of the gradient's way."""

import pytest
import torch

import unrolled
from tests.tolerances import tolerance
from unrolled.errors import ConfigError

TOLERANCE = tolerance(torch.float64, "gradient")
CELLS = {"rnn": unrolled.RNN, "gru": unrolled.GRU, "lstm": unrolled.LSTM}


def made(cell, **options):
    torch.manual_seed(0)
    options["dtype"] = torch.float64
    return CELLS[cell](3, 4, **options) if cell in CELLS else unrolled.Recurrent(cell, 3, 4, **options)


@pytest.mark.parametrize("cell", [*CELLS, "leaky", "lem"])
def test_it_has_its_mean_and_deviation_at_the_first_step(cell):
    noisy, plain = made(cell, state_noise=0.3), made(cell)
    values = torch.randn(1, 5000, 3, dtype=torch.float64)
    for gradients in (True, False):
        with torch.set_grad_enabled(gradients):
            noise = (noisy(values)[0] - plain(values)[0]).detach()
        assert abs(float(noise.mean())) < 0.01
        assert float(noise.std()) == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize("cell", [*CELLS, "leaky", "lem"])
def test_a_step_reads_the_noise_of_the_one_before_and_the_gradient_passes(cell):
    noisy = made(cell, state_noise=0.3)
    values = torch.randn(4, 2, 3, dtype=torch.float64)
    lengths = [4, 2]
    torch.manual_seed(1)
    output, _ = noisy(values, lengths=lengths)
    found = torch.autograd.grad(output.square().sum(), noisy.parameters())
    torch.manual_seed(1)
    noise = torch.randn(4, 2, 4, dtype=torch.float64) * 0.3
    plain, state, outputs = made(cell), None, []
    for step in range(4):
        stepped, after = plain(values[step : step + 1], state)
        hidden = stepped + noise[step]
        state = (hidden, *after[1:]) if isinstance(after, tuple) else hidden
        real = torch.tensor([step < length for length in lengths]).view(1, 2, 1)
        outputs.append(torch.where(real, hidden, 0.0))
    expected = torch.cat(outputs)
    torch.testing.assert_close(output, expected, **TOLERANCE)
    right = torch.autograd.grad(expected.square().sum(), plain.parameters())
    for one, other in zip(found, right, strict=True):
        torch.testing.assert_close(one, other, **TOLERANCE)


@pytest.mark.parametrize("cell", [*CELLS, "leaky"])
def test_there_is_none_in_evaluation(cell):
    noisy, plain = made(cell, state_noise=0.3).eval(), made(cell).eval()
    values = torch.randn(4, 2, 3, dtype=torch.float64)
    torch.testing.assert_close(noisy(values)[0], plain(values)[0], **TOLERANCE)
    stream = noisy.train().stream(2)
    torch.testing.assert_close(stream.step(values[0]), plain(values)[0][0], **TOLERANCE)


def test_with_probes_and_resets():
    noisy = made("gru", state_noise=0.3)
    unrolling = noisy.unroll(torch.randn(4, 2, 3, dtype=torch.float64), probe=True)
    unrolling.output.sum().backward()
    assert unrolling.directions[0].probe_hidden.grad.shape == (4, 2, 4)
    values, resets = torch.zeros(50, 40, 3, dtype=torch.float64), torch.ones(50, 40, dtype=torch.bool)
    output, _ = noisy(values, resets=resets)
    noise = (output - made("gru")(values, resets=resets)[0]).detach()
    assert float(noise.std()) == pytest.approx(0.3, rel=0.05)


def test_what_cannot_be_is_refused_and_what_is_shown():
    with pytest.raises(ConfigError, match="state_noise to be a number of at least 0, got -1"):
        unrolled.GRU(3, 4, state_noise=-1)
    assert repr(unrolled.GRU(3, 4, state_noise=0.5)) == "GRU(3, 4, state_noise=0.5)"
