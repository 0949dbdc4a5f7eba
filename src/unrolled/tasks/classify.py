"""`unrolled.Classifier`: a label, several labels, or a number, for a whole sequence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np

from unrolled.errors import ConfigError
from unrolled.tasks.classification.config import ClassifyConfig
from unrolled.tasks.classification.one_target import OneTarget
from unrolled.tasks.classification.targets import (
    ClassTargets,
    NamedTargets,
)
from unrolled.tasks.continuing import add_labels
from unrolled.tasks.label_values import LabelValues


class Classifier(OneTarget):
    """Predict a label, or a number, for a text, a sequence of numbers, a recording, an image or a clip.

    Data is a path (CSV, TSV, JSON lines, Parquet, ``.ts`` of the UCR/UEA archive, or a folder of files), the
    name of built-in data, a DataFrame, or a list: of ``(input, target)`` pairs to learn from, of inputs to
    predict for. An input is a text, an array of numbers ``(time,)`` or ``(time, channels)``, or the path of a
    file.

    Example:
        >>> reviews = [("a fine film", "good"), ("fine", "good"), ("a dull film", "bad"), ("so dull", "bad")]
        >>> classifier = Classifier(hidden_size=8, epochs=30).fit(reviews, dev=reviews)
        >>> classifier.predict(["fine", "dull"])
        ['good', 'bad']
        >>> classifier.labels
        ('bad', 'good')
    """

    task: ClassVar[str] = "classify"
    Config = ClassifyConfig

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes, in the order of `predict_proba`'s columns.

        Raises:
            ConfigError: not fitted, or fitted to numbers.
        """
        return self._named_targets().vocabulary.symbols

    def partial_fit(self, X: Any, y: Any = None, *, classes: Iterable[Any] = (), **how: Any) -> Self:
        """Go on training with new data; see `Estimator.partial_fit`.

        Args:
            X: as for `fit`.
            y: as for `fit`.
            classes: all there will ever be, as scikit-learn's first call takes them; for those that the model
                has not seen there is room from now on.
            how: as for `Estimator.partial_fit`.
        """
        super().partial_fit(X, y, **how)
        names = LabelValues.of_list(classes).names
        if unseen := [name for name in names if name not in self.labels]:
            add_labels(self, unseen)
        return self

    @property
    def classes_(self) -> np.ndarray:
        """The classes as they came, in the order of `predict_proba`'s columns.

        Raises:
            ConfigError: not fitted, or fitted to numbers.
        """
        values = self._labels or LabelValues({})
        return values.array(values.restored(self.labels))

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of every class for each sequence, ``(sequences, classes)``; columns as `classes_`.

        Of several labels, that of each by itself.

        Args:
            X: as for `predict`.

        Raises:
            ConfigError: fitted to numbers.
            DataError: an input is not of the kind seen in training.
        """
        return self._named_targets().probabilities(self._outputs(X))

    def decision_function(self, X: Any) -> np.ndarray:
        """The network's score of every class, ``(sequences, classes)``; of two, by how much the second leads.

        Args:
            X: as for `predict`.

        Raises:
            ConfigError: fitted to numbers.
            DataError: an input is not of the kind seen in training.
        """
        targets = self._named_targets()
        scores = np.array([output.double().numpy() for output in self._outputs(X)])
        scores = scores.reshape(-1, targets.output_size)
        two = isinstance(targets, ClassTargets) and targets.output_size == 2
        return scores[:, 1] - scores[:, 0] if two else scores

    def _named_targets(self) -> NamedTargets:
        self._require_fitted()
        if not isinstance(self._targets, NamedTargets):
            raise ConfigError("this Classifier predicts numbers and has no classes; use predict")
        return self._targets
