import pytest
from pydantic import ValidationError

from unrolled.training.config import TrainingConfig


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 20, "reach": 10}, r"reach: expected at least window \(20\), got 10"),
        ({"reach": 10}, "reach: expected a window"),
        ({"window": 20, "checkpoint_every": 10}, "checkpoint_every: expected full BPTT, got a window"),
        ({"clip": "norm", "clip_threshold": None}, "clip_threshold: expected a number for clip='norm'"),
        ({"clip": "auto", "clip_threshold": 100}, r"expected 0\.5 to 10 .* got 100"),
        ({"optimizer": "adam"}, "'sgd', 'adamw', 'rmsprop' or 'asgd'"),
        ({"epoch": 3}, "Extra inputs are not permitted"),
    ],
)
def test_contradictions_are_named(options, message):
    with pytest.raises(ValidationError, match=message):
        TrainingConfig(**options)


def test_every_option_is_described_in_a_sentence():
    for name, field in TrainingConfig.model_fields.items():
        assert field.description is not None, name
        assert field.description.endswith("."), name
