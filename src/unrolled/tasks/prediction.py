"""What a model says of one input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import numpy as np


class PredictOptions(BaseModel):
    """The options of a prediction; tasks that have some add them."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a model says of one input, or one of several things that it says.

    Attributes:
        value: what `Estimator.predict` gives: a label, a number, tags, a text, steps of notes, or values by
            name.
        classes: the classes that one was chosen of; empty where none was.
        probabilities: of these, ``(classes,)``; None where the model gives none.
        log_probability: of a text that was written; None where it was not searched for.

    Example:
        >>> import numpy as np
        >>> prediction = Prediction("good", ("bad", "good"), np.array([0.25, 0.75]))
        >>> prediction.to_json()
        {'value': 'good', 'probabilities': {'bad': 0.25, 'good': 0.75}}
    """

    value: Any
    classes: Sequence[str] = ()
    probabilities: np.ndarray | None = None
    log_probability: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values: what there is of it."""
        value: dict[str, Any] = {"value": _plain(self.value)}
        if self.probabilities is not None:
            value["probabilities"] = dict(zip(self.classes, self.probabilities.tolist(), strict=True))
        if self.log_probability is not None:
            value["log_probability"] = self.log_probability
        return value


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A prediction beside what it was asked of.

    Attributes:
        id: the place of the input in the data, from 1, or the name of its file; None where a prediction is
            of none.
        given: the input as plain JSON: a text, words, numbers, values by name; None where it is none, as an
            image is.
        prediction: what the model says.
    """

    id: int | str | None
    given: Any
    prediction: Prediction


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    # numpy's numbers and arrays; a command's help, which shows the options above, does not wait for numpy.
    return value.tolist() if hasattr(value, "tolist") else value
