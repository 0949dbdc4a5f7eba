"""What a network that writes for a class has to beat: an n-gram model of each class's texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.saving.schema import ENTRIES, Size
from unrolled.tasks.baselines.base import Baseline, BaselineState
from unrolled.tasks.baselines.ngram import Ids, WittenBell


@with_config(ENTRIES)
class _Saved(TypedDict):
    vocabulary: Size
    order: Size
    classes: list[str]


class ClassNgram(Baseline):
    """A Witten-Bell model for every class; a class not seen in training is that of all texts together.

    Args:
        everything: the model of all texts.
        classes: that of each class.

    Example:
        >>> model = ClassNgram.fit(["a", "b"], [np.array([0, 0]), np.array([1, 1])], vocabulary=2, order=1)
        >>> model.log_probabilities(["a", "b"], [np.array([0]), np.array([0])]).round(2)
        array([-0.18, -1.79])
    """

    name: ClassVar[str] = "Witten-Bell n-gram of the class"
    Saved = _Saved

    def __init__(self, everything: WittenBell, classes: Mapping[str, WittenBell]) -> None:
        self.everything = everything
        self.classes = dict(classes)

    @classmethod
    def fit(cls, labels: Sequence[str], documents: Sequence[Ids], vocabulary: int, order: int) -> Self:
        """Count the grams of each class's documents."""
        members: defaultdict[str, list[Ids]] = defaultdict(list)
        for label, document in zip(labels, documents, strict=True):
            members[label].append(document)
        classes = {label: WittenBell(vocabulary, order).fit(own) for label, own in members.items()}
        return cls(WittenBell(vocabulary, order).fit(documents), classes)

    def log_probabilities(self, labels: Sequence[str], documents: Sequence[Ids]) -> NDArray[np.float64]:
        """The natural logarithm of every symbol's probability, ``(symbols of all documents,)``."""
        found = [
            self.classes.get(label, self.everything).log_probabilities([document])
            for label, document in zip(labels, documents, strict=True)
        ]
        return np.concatenate(found) if found else np.zeros(0)

    def state(self) -> BaselineState:
        """The states of all models, numbered; the first is that of all texts."""
        states = [model.state() for model in (self.everything, *self.classes.values())]
        tensors = {
            f"{number}/{name}": tensor
            for number, state in enumerate(states)
            for name, tensor in state.tensors.items()
        }
        return BaselineState({**states[0].values, "classes": list(self.classes)}, tensors)

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        values = dict(state.values)
        labels = values.pop("classes")
        models = []
        for number in range(len(labels) + 1):
            prefix = f"{number}/"
            own = {
                name.removeprefix(prefix): t for name, t in state.tensors.items() if name.startswith(prefix)
            }
            models.append(WittenBell.from_state(BaselineState(values, own)))
        return cls(models[0], dict(zip(labels, models[1:], strict=True)))
