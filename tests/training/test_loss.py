import pytest
import torch
from torch.nn import functional

from tests.tolerances import tolerance
from unrolled.data.batches import Batch
from unrolled.errors import ShapeError
from unrolled.training.loss import (
    AbsoluteError,
    BinaryCrossEntropy,
    CrossEntropy,
    NegativeLogLikelihood,
    SquaredError,
)

LENGTHS = torch.tensor([5, 2, 0, 3])
REAL = torch.arange(5) < LENGTHS[:, None]
CLASSES, VECTOR = 6, 3


def classes(shape):
    return torch.randn(*shape, CLASSES, dtype=torch.float64), torch.randint(CLASSES, shape)


def numbers(shape):
    return torch.randn(*shape, VECTOR, dtype=torch.float64), torch.randn(*shape, VECTOR, dtype=torch.float64)


def binary(shape):
    logits, values = numbers(shape)
    return logits, (values > 0).double()


def log_probabilities(shape):
    logits, targets = classes(shape)
    return logits.log_softmax(-1), targets


CASES = [
    (CrossEntropy, classes, lambda o, t: functional.cross_entropy(o, t, reduction="none")),
    (NegativeLogLikelihood, log_probabilities, lambda o, t: functional.nll_loss(o, t, reduction="none")),
    (
        BinaryCrossEntropy,
        binary,
        lambda o, t: functional.binary_cross_entropy_with_logits(o, t, reduction="none").sum(-1),
    ),
    (SquaredError, numbers, lambda o, t: functional.mse_loss(o, t, reduction="none").flatten()),
    (AbsoluteError, numbers, lambda o, t: functional.l1_loss(o, t, reduction="none").flatten()),
]


def batch_of(targets, per_step):
    return Batch({"values": torch.zeros(4, 5, 1)}, LENGTHS, targets, per_step)


@pytest.mark.parametrize(("kind", "make", "reference"), CASES)
@pytest.mark.parametrize("per_step", [True, False])
def test_the_mean_is_that_of_torch_over_the_real_steps(kind, make, reference, per_step):
    outputs, targets = make((4, 5) if per_step else (4,))
    part = kind()(outputs, batch_of(targets, per_step))
    expected = reference(outputs[REAL], targets[REAL]) if per_step else reference(outputs, targets)
    torch.testing.assert_close(part.total / part.count, expected.mean(), **tolerance(torch.float64, "value"))


@pytest.mark.parametrize(("kind", "make", "reference"), CASES)
@pytest.mark.parametrize("per_step", [True, False])
def test_the_sum_is_that_of_torch_averaged_over_the_sequences(kind, make, reference, per_step):
    outputs, targets = make((4, 5) if per_step else (4,))
    part = kind("sum")(outputs, batch_of(targets, per_step))
    expected = reference(outputs[REAL], targets[REAL]) if per_step else reference(outputs, targets)
    sequences = 3 if per_step else 4  # one row has no steps
    torch.testing.assert_close(
        part.total / part.count, expected.sum() / sequences, **tolerance(torch.float64, "value")
    )


@pytest.mark.parametrize(("kind", "make", "reference"), CASES)
def test_padding_has_no_gradient_whatever_it_holds(kind, make, reference):
    outputs, targets = make((4, 5))
    outputs[~REAL] = 1e9
    if targets.is_floating_point():
        targets[~REAL] = float("nan")
    outputs.requires_grad_()
    kind()(outputs, batch_of(targets, True)).total.backward()
    assert not outputs.grad[~REAL].any()
    assert outputs.grad[REAL].isfinite().all()
    assert outputs.grad[REAL].any()


@pytest.mark.parametrize("kind", [SquaredError, AbsoluteError])
def test_a_missing_number_counts_for_nothing(kind):
    outputs, targets = numbers((4, 5))
    outputs.requires_grad_()
    targets[0, 1, 2] = targets[3, 0, 0] = float("nan")
    part = kind()(outputs, batch_of(targets, True))
    part.total.backward()
    assert part.count == int(REAL.sum()) * VECTOR - 2
    assert part.total.isfinite()
    assert outputs.grad.isfinite().all()
    assert outputs.grad[0, 1, 2] == outputs.grad[3, 0, 0] == 0


def test_smoothing_is_that_of_torch():
    outputs, targets = classes((4, 5))
    part = CrossEntropy(label_smoothing=0.1)(outputs, batch_of(targets, True))
    expected = functional.cross_entropy(outputs[REAL], targets[REAL], label_smoothing=0.1)
    torch.testing.assert_close(part.total / part.count, expected, **tolerance(torch.float64, "value"))


def test_shapes_that_would_broadcast_are_refused():
    outputs = torch.zeros(4, 5, 1)
    with pytest.raises(ShapeError, match=r"expected targets of shape \(4, 5, 1\).*got \(4, 5\)"):
        SquaredError()(outputs, batch_of(torch.zeros(4, 5), True))
    with pytest.raises(ShapeError, match="per step"):
        CrossEntropy()(torch.zeros(4, 6), batch_of(torch.zeros(4, 5, dtype=torch.int64), True))
