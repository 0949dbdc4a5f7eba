import pytest
import torch

from unrolled.errors import ShapeError
from unrolled.layers.state import detach_state, map_state, reset_rows


def lstm_state(value: float) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.full((2, 3, 4), value), torch.full((2, 3, 5), value)


def test_map_state_keeps_nesting():
    mapped = map_state(lambda tensor: tensor + 1, (lstm_state(1.0), lstm_state(2.0)))
    assert isinstance(mapped, tuple)
    assert [part.unique().tolist() for pair in mapped for part in pair] == [[2.0], [2.0], [3.0], [3.0]]


def test_detach_state_cuts_the_graph():
    h = torch.ones(1, 2, 3, requires_grad=True) * 2
    detached = detach_state((h, h))
    assert all(not part.requires_grad for part in detached)


def test_reset_rows_touches_only_the_rows_asked_for():
    h, c = reset_rows(lstm_state(1.0), torch.tensor([False, True, False]), lstm_state(0.0))
    for part in (h, c):
        assert part[:, 1].abs().sum() == 0
        assert (part[:, [0, 2]] == 1).all()


def test_reset_rows_lets_gradients_reach_the_initial_state():
    initial = torch.zeros(1, 2, 3, requires_grad=True)
    reset_rows(torch.ones(1, 2, 3), torch.tensor([True, False]), initial).sum().backward()
    assert initial.grad is not None
    assert initial.grad[0].sum(-1).tolist() == [3.0, 0.0]


@pytest.mark.parametrize(
    ("state", "rows", "initial"),
    [
        (torch.ones(1, 2, 3), torch.tensor([1, 0]), torch.ones(1, 2, 3)),
        (torch.ones(1, 2, 3), torch.tensor([True]), torch.ones(1, 2, 3)),
        (torch.ones(1, 2, 3), torch.tensor([True, False]), torch.ones(1, 1, 3)),
        (lstm_state(1.0), torch.tensor([True, False, True]), torch.ones(2, 3, 4)),
        ((torch.ones(1, 2, 3),), torch.tensor([True, False]), (torch.ones(1, 2, 3),) * 2),
    ],
    ids=["not bool", "wrong count", "wrong shape", "not nested", "unequal nesting"],
)
def test_reset_rows_says_what_does_not_fit(state, rows, initial):
    with pytest.raises(ShapeError, match=r"expected|must be"):
        reset_rows(state, rows, initial)
