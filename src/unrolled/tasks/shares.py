"""What data is read for, and the shares that training data is divided into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Data = TypeVar("Data")
Part = Literal["train", "valid", "test"]
"""What data is read for, which decides where it is divided itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Shares(Generic[Data]):
    """The shares of the training data.

    Attributes:
        train: what stays to be trained on.
        held_out: what the best epoch is chosen by.
        sentence: says so to the user.
        held_out_name: what the share is called beside its scores.
        kept_apart: a further share, for final scores that early stopping has not seen; None for none.
        kept_apart_name: what that is called.
        before_test: all but what is kept apart, for baselines that have nothing to tune; None: ``train``.
    """

    train: Data
    held_out: Data
    sentence: str
    held_out_name: str = "held-out share"
    kept_apart: Data | None = None
    kept_apart_name: str = "held-out share"
    before_test: Data | None = None
