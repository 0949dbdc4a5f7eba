import numpy as np
import pytest
import torch

from tests.tolerances import tolerance
from unrolled.data.batches import Batch
from unrolled.data.example import Series
from unrolled.errors import ConfigError
from unrolled.models.config import NetworkConfig
from unrolled.models.forecaster import ForecastNetwork
from unrolled.models.one_to_one import BinaryVectorModel, LanguageModel
from unrolled.tasks.forecasting.loss import ForecastLoss
from unrolled.tasks.forecasting.start import LinearStart

SMALL = NetworkConfig(hidden_size=6)
MODELS = {
    "language": (lambda: LanguageModel(9, 4, SMALL), {"tokens": torch.arange(14).view(2, 7) % 9}),
    "tied": (lambda: LanguageModel(9, 4, SMALL, tied=True), {"tokens": torch.arange(14).view(2, 7) % 9}),
    "binary": (lambda: BinaryVectorModel(3, SMALL), {"values": torch.ones(2, 7, 3)}),
    "forecast": (lambda: ForecastNetwork(3, 2, (0.1, 0.5, 0.9), SMALL), {"values": torch.randn(2, 7, 3)}),
    "lagged": (lambda: ForecastNetwork(3, 1, (), SMALL, lags=4), {"values": torch.randn(2, 7, 3)}),
    "relative": (
        lambda: ForecastNetwork(3, 1, (), SMALL, lags=4, relative=True),
        {"values": torch.randn(2, 7, 3)},
    ),
}


def built(name):
    torch.manual_seed(0)
    build, inputs = MODELS[name]
    model = build().double().eval()
    return model, {key: t.double() if t.is_floating_point() else t for key, t in inputs.items()}


@pytest.mark.parametrize("name", MODELS)
def test_reading_in_windows_equals_reading_at_once(name):
    model, inputs = built(name)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    whole, state = model(inputs)
    first, carried = model({key: tensor[:, :3] for key, tensor in inputs.items()})
    rest, carried = model({key: tensor[:, 3:] for key, tensor in inputs.items()}, None, carried)
    torch.testing.assert_close(torch.cat([first, rest], 1), whole, **tolerance(torch.float64, "value"))
    torch.testing.assert_close(carried, state, **tolerance(torch.float64, "value"))


@pytest.mark.parametrize("name", MODELS)
def test_no_output_depends_on_later_inputs(name):
    model, inputs = built(name)
    changed = {key: tensor.clone() for key, tensor in inputs.items()}
    for tensor in changed.values():
        tensor[:, 4:] = 0
    torch.testing.assert_close(model(changed)[0][:, :4], model(inputs)[0][:, :4], rtol=0, atol=0)
    assert model.causal


def test_a_tied_model_has_one_matrix_for_both_ends():
    names = {name for name, _ in LanguageModel(50, 6, SMALL, tied=True).named_parameters()}
    assert not any("output_weight" in name or "bridge" in name for name in names)
    assert sum(p.numel() for p in LanguageModel(50, 6, SMALL).parameters()) == 300 + sum(
        p.numel() for p in LanguageModel(50, 6, SMALL, tied=True).parameters()
    )


def test_a_bidirectional_network_is_refused():
    with pytest.raises(ConfigError, match="bidirectional"):
        LanguageModel(5, 3, NetworkConfig(bidirectional=True))


def test_quantiles_never_cross_whatever_the_weights():
    torch.manual_seed(1)
    model = ForecastNetwork(3, 4, (0.1, 0.3, 0.5, 0.9), SMALL)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=3)
    quantiles = model({"values": torch.randn(5, 6, 3) * 10})[0][..., 1:]
    assert (quantiles.diff(dim=-1) >= 0).all()


def test_the_forecast_starts_from_the_direct_connection():
    model = ForecastNetwork(2, 1, (), SMALL)
    values = torch.randn(1, 4, 2)
    assert torch.equal(model({"values": values})[0][..., 0, 0], values[..., 0])
    model.start(torch.tensor([2.0]), torch.tensor([[0.0, 1.0]]), torch.tensor([0.5]))
    expected = values[..., 0] + 2 * (values[..., 1] + 0.5)
    torch.testing.assert_close(model({"values": values})[0][..., 0, 0], expected)


def test_the_direct_connection_sees_the_last_changes_and_none_before_the_first_number():
    model = ForecastNetwork(1, 1, (), SMALL, lags=3)
    model.start(torch.tensor([1.0]), torch.tensor([[0.0, 10.0, 100.0]]), torch.zeros(1))
    values = torch.tensor([[5.0, 6.0, 8.0, 11.0]])
    change = (model({"values": values[..., None]})[0][..., 0, 0] - values).detach()
    assert change.tolist() == [[0.0, 10.0, 120.0, 230.0]]


def test_a_relative_forecast_rises_with_the_level():
    torch.manual_seed(0)
    model = ForecastNetwork(1, 1, (), SMALL, lags=3, relative=True)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    values = torch.randn(2, 9, 1)
    raised = model({"values": values + 5})[0] - model({"values": values})[0]
    torch.testing.assert_close(raised, torch.full_like(raised, 5.0), **tolerance(torch.float32, "value"))


def test_the_state_is_that_of_the_true_end():
    model = ForecastNetwork(1, 1, (), SMALL, lags=3)
    padded = torch.tensor([[[1.0], [2.0], [4.0], [0.0]], [[3.0], [0.0], [0.0], [0.0]]])
    _, (_, recent) = model({"values": padded}, torch.tensor([3, 1]))
    assert recent[:, 0].tolist() == [2.0, 4.0]
    assert recent[0, 1].isnan()
    assert recent[1, 1] == 3.0


@pytest.mark.parametrize("relative", [False, True])
def test_the_linear_start_is_the_least_squares_forecast(relative):
    steps = np.arange(60)
    series = Series("s", steps, np.sin(steps / 3) + np.sin(steps) + 9 * relative, np.zeros((60, 0)))
    start = LinearStart.fit([series], horizon=2, lags=5, mask=False, relative=relative)
    model = ForecastNetwork(1, 2, (), SMALL, lags=5, relative=relative)
    model.start(start.spread, start.weight, start.bias)
    values = torch.from_numpy(series.values).float()[None, :, None]
    forecast = model({"values": values})[0][0, 10:50, :, 0].detach().numpy()
    actual = series.values[np.arange(10, 50)[:, None] + [1, 2]]
    # A sum of two waves follows from its last four numbers exactly.
    assert np.abs(forecast - actual).max() < 0.01


def test_more_lags_than_a_series_can_tell_of_are_kept_small(monkeypatch):
    """260 noisy steps are learned by heart with 100 lags; shrunk, these forecast what follows better."""
    noise = np.random.default_rng(0).normal(size=3_000)
    numbers = [0.0]
    for each in noise:
        numbers.append(0.8 * numbers[-1] + each)
    series = Series("s", np.arange(3_001), np.array(numbers), np.zeros((3_001, 0)))

    def error():
        start = LinearStart.fit([series.slice(0, 260)], horizon=1, lags=100, mask=False)
        model = ForecastNetwork(1, 1, (), SMALL, lags=100)
        model.start(start.spread, start.weight, start.bias)
        values = torch.from_numpy(series.values).float()[None, :, None]
        forecast = model({"values": values})[0][0, 400:-1, 0, 0].detach().numpy()
        return np.mean((forecast - series.values[401:]) ** 2)

    chosen = error()
    monkeypatch.setattr("unrolled.tasks.forecasting.start._PENALTIES", (1e-5,))
    assert chosen < 0.9 * error()


def test_noise_is_for_training_only():
    model = ForecastNetwork(2, 1, (), SMALL, input_noise=1.0)
    torch.nn.init.ones_(model.output.weight)
    inputs = {"values": torch.zeros(1, 4, 2)}
    assert not torch.equal(model(inputs)[0], model(inputs)[0])
    model.eval()
    assert torch.equal(model(inputs)[0], model(inputs)[0])


def test_missing_targets_and_padding_count_for_nothing():
    loss = ForecastLoss("mean", (0.5,), torch.tensor([1.0, 2.0]))
    targets = torch.tensor([[[1.0, float("nan")], [3.0, 4.0], [5.0, 5.0]]])
    batch = Batch({"values": torch.zeros(1, 3, 1)}, torch.tensor([2]), targets, True)
    outputs = torch.zeros(1, 3, 2, 2, requires_grad=True)
    part = loss(outputs, batch)
    assert part.count == 3
    assert float(part.total.detach()) == pytest.approx(1 + 9 + 4 + 0.5 * (1 + 3 + 2))
    part.total.backward()
    gradient = outputs.grad
    assert gradient is not None
    assert gradient.isfinite().all()
    assert gradient[0, 0, 1].abs().sum() == 0
    assert gradient[0, 2].abs().sum() == 0


@pytest.mark.parametrize("level", [0.1, 0.5, 0.8])
def test_the_pinball_loss_is_least_at_the_quantile(level):
    sample = torch.from_numpy(np.random.default_rng(0).normal(size=4001))
    guesses = torch.linspace(-2, 2, 401).double()
    batch = Batch({"values": torch.zeros(1, 4001, 1)}, torch.tensor([4001]), sample.view(1, -1, 1), True)
    loss = ForecastLoss("median", (level,), torch.ones(1))
    base = float(loss(torch.zeros(1, 4001, 1, 2).double(), batch).total)
    costs = []
    for guess in guesses:
        outputs = torch.zeros(1, 4001, 1, 2).double()
        outputs[..., 1] = guess
        costs.append(float(loss(outputs, batch).total) - base)
    assert float(guesses[int(np.argmin(costs))]) == pytest.approx(float(sample.quantile(level)), abs=0.02)
