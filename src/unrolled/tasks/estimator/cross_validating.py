"""Scores over folds of the data, and options that are searched for over them."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from unrolled.tasks.cross_validation import CrossValidation
from unrolled.tasks.estimator.training import Training
from unrolled.tasks.given import AlreadyRead
from unrolled.tasks.scikit import Configuration
from unrolled.tasks.shares import Data
from unrolled.training.callback import Callback

if TYPE_CHECKING:
    from unrolled.tasks.tuning.search import Tuning

_logger = logging.getLogger("unrolled")


class CrossValidating(Training[Data, Configuration]):
    """Training on parts of the data, to see how well it goes."""

    def cross_validate(
        self, X: Any, y: Any = None, *, folds: int = 5, callbacks: Sequence[Callback] = ()
    ) -> CrossValidation:
        """Train as often as there are folds of the data, each time scored on the fold left out.

        Folds have about the same share of each class, and keep groups together; of series, each is the steps
        that follow those trained on. This estimator is left as it is.

        Args:
            X: as for `fit`.
            y: as for `fit`.
            folds: how many.
            callbacks: as for `fit`.

        Raises:
            ConfigError: there are more folds than examples.
            DataError: the data cannot be used; names the file, row and column.
        """
        reader = self.__sklearn_clone__()
        train, _ = reader._divided(*reader._handed_over(X, y, None))
        data = reader._read(train, labelled=True, part="train")
        reader._form = getattr(data, "form", None)
        found = []
        for number, (kept, held_out) in enumerate(reader._folds(data, folds), start=1):
            name = f"fold {number} of {folds}"
            _logger.info(f"{name.capitalize()}.")
            one = copy.copy(reader)
            one._notices = list(reader._notices)
            one._keep_apart, one._callbacks = False, tuple(callbacks)
            one._begin_fold(kept)
            one._fit(AlreadyRead(kept), None, None, resume=False, progress=False)
            found.append(one._evaluation(held_out, name, baselines=True))
        return CrossValidation(tuple(found))

    def tune(
        self,
        X: Any,
        y: Any = None,
        *,
        trials: int = 20,
        folds: int = 3,
        seconds: float | None = None,
        space: Mapping[str, Any] | None = None,
    ) -> Tuning:
        """Search for better options by cross-validation, and train with the best of them on all the data.

        What does worse than the others did by the same epoch is given up. This estimator is left as it is.

        Args:
            X: as for `fit`.
            y: as for `fit`.
            trials: how many choices of options are tried, this estimator's own being the first.
            folds: of the cross-validation of each.
            seconds: after which no further one is begun.
            space: for each option to search a list of values, or a pair of numbers to search between; by
                default the few that matter: learning rate, units, layers, dropout, cell and weight decay.

        Returns:
            The table of all tries, and the estimator trained with the best.

        Raises:
            ConfigError: the space, or the number of folds, does not fit.
            DataError: the data cannot be used; names the file, row and column.
            MissingDependencyError: ``unrolled[tune]`` is not installed.
            TrainingError: every try diverged.
        """
        from unrolled.tasks.tuning.search import clone_with, search

        found = search(self, X, y, trials=trials, folds=folds, seconds=seconds, space=space)
        return replace(found, estimator=clone_with(self, found.best_params).fit(X, y))
