"""The estimator that every task is: fit, evaluate, predict, save, load."""

from __future__ import annotations

from unrolled.tasks.estimator.cross_validating import CrossValidating
from unrolled.tasks.estimator.inspecting import Inspecting
from unrolled.tasks.estimator.predicting import Predicting
from unrolled.tasks.scikit import Configuration
from unrolled.tasks.shares import Data


class Estimator(
    CrossValidating[Data, Configuration], Predicting[Data, Configuration], Inspecting[Data, Configuration]
):
    """A task: learns from data, evaluates, predicts, and lives in a folder.

    `fit`, `evaluate`, `save` and `load` are the same for every task and built of the small abstract steps
    of `unrolled.tasks.estimator.contract`.

    Works as scikit-learn's estimators do: `fit(X, y)`, `predict(X)`, `score(X, y)`, parameters, cloning.
    """
