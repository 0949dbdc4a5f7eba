import pytest
import torch
from torch import nn

from tests.tolerances import tolerance
from unrolled.training.config import TrainingConfig
from unrolled.training.optimisation import Schedule, WeightAverage, build_optimizer


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "rmsprop", "asgd"])
def test_only_matrices_decay(optimizer):
    model = nn.Linear(2, 3)
    before = [parameter.detach().clone() for parameter in (model.weight, model.bias)]
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    config = TrainingConfig(optimizer=optimizer, learning_rate=0.1, weight_decay=0.5, momentum=0)
    build_optimizer(model, config).step()
    assert not torch.equal(model.weight, before[0])
    assert torch.equal(model.bias, before[1])


def test_sgd_has_the_momentum_of_the_options_and_averaged_sgd_none():
    def momentum(optimizer):
        built = build_optimizer(nn.Linear(1, 1), TrainingConfig(optimizer=optimizer, momentum=0.8))
        return {group["momentum"] for group in built.param_groups}

    assert momentum("sgd") == {0.8}
    assert momentum("asgd") == {0.0}


def test_warm_up_as_a_share_of_all_batches():
    schedule = Schedule(TrainingConfig(learning_rate=2.0, warmup=0.1), batches=100)
    assert [schedule.learning_rate(batch) for batch in (0, 4, 9, 50)] == pytest.approx([0.2, 1.0, 2.0, 2.0])


def test_the_plateau_lowers_the_rate_once_the_patience_is_over():
    config = TrainingConfig(learning_rate=1.0, schedule="plateau", plateau_factor=0.1, plateau_patience=1)
    schedule, rates = Schedule(config, 100), []
    for better in (True, False, False, False, True, False, False):
        schedule.end_epoch(better)
        rates.append(schedule.learning_rate(50))
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.1, 0.1, 0.01])
    again = Schedule(config, 100)
    again.restore(schedule.state())
    assert again.learning_rate(50) == schedule.learning_rate(50)


def test_other_schedules_do_not_watch_the_score():
    schedule = Schedule(TrainingConfig(learning_rate=1.0), 100)
    for _ in range(9):
        schedule.end_epoch(better=False)
    assert schedule.learning_rate(50) == 1.0


def test_the_average_is_the_mean_of_the_weights_it_saw():
    model, average, seen = nn.Linear(2, 2).double(), WeightAverage(), []
    for _ in range(7):
        nn.init.normal_(model.weight)
        seen.append(model.weight.detach().clone())
        average.update(model)
    own, mean = model.weight.detach().clone(), torch.stack(seen).mean(0)
    with average.applied(model):
        torch.testing.assert_close(model.weight.detach(), mean, **tolerance(torch.float64, "value"))
    assert torch.equal(model.weight, own)
    average.assign(model)
    torch.testing.assert_close(model.weight.detach(), mean, **tolerance(torch.float64, "value"))


def test_an_average_that_has_not_begun_changes_nothing():
    model, average = nn.Linear(2, 2), WeightAverage()
    before = model.weight.detach().clone()
    with average.applied(model):
        assert torch.equal(model.weight, before)
    average.assign(model)
    assert torch.equal(model.weight, before)
