"""What an error on each class weighs in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from unrolled.data.vocabulary import Vocabulary


class ClassWeightOptions(BaseModel):
    """Of tasks that predict classes."""

    class_weight: Literal["balanced"] | None = Field(
        None,
        description="What an error weighs in training: the same on every class or, balanced, the more the "
        "rarer its class is, so that each class as a whole weighs the same.",
    )


def balanced_weights(labels: Iterable[str], classes: Vocabulary) -> list[float]:
    """For each class the mean number of labels a class has over its own (King and Zeng 2001).

    Args:
        labels: those of the training data, which has every class.
        classes: in the order of the network's outputs.

    Example:
        >>> from unrolled.data.vocabulary import Vocabulary
        >>> balanced_weights(["a", "a", "a", "b"], Vocabulary.of_labels(["a", "b"]))
        [0.6666666666666666, 2.0]
    """
    counts = Counter(labels)
    mean = counts.total() / len(classes)
    # A class that dev data alone has is never a target of training.
    return [mean / max(1, counts[symbol]) for symbol in classes.symbols]
