"""How good a fitted model is on labelled data, beside the baselines."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from unrolled.tasks.estimator.reading import Reading, described
from unrolled.tasks.evaluation import Evaluation, Scored
from unrolled.tasks.given_inputs import plain
from unrolled.tasks.options import validated
from unrolled.tasks.scikit import Configuration
from unrolled.tasks.shares import Data


class Evaluating(Reading[Data, Configuration]):
    """Scores on data with targets."""

    def evaluate(self, X: Any, y: Any = None, *, baselines: bool = True, **options: Any) -> Evaluation:
        """Score the model, beside the baselines, on labelled data.

        Args:
            X: as for `fit`.
            y: as for `fit`.
            baselines: whether to score them too.
            options: those of the task's ``Scoring``.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
            DataError: the data cannot be used; names the file, row and column.
        """
        self._require_fitted()
        chosen = validated(self.Scoring, options)
        data = self._later_part(X)
        if y is not None:
            data = self._with_targets(plain(X), plain(y), fitting=False)
        read = self._to_score(self._read_later(data, labelled=True), chosen)
        return self._evaluation(read, described(data), baselines)

    def score(self, X: Any, y: Any = None) -> float:
        """The score that early stopping watches, made negative where less of it is better.

        Args:
            X: as for `evaluate`.
            y: as for `evaluate`.
        """
        name, mode = self.monitored
        value = self.evaluate(X, y, baselines=False).scores[name]
        return value if mode == "max" else -value

    def _evaluation(self, data: Data, name: str, baselines: bool) -> Evaluation:
        started = time.perf_counter()
        scored = self._scorer(data)()
        seconds = time.perf_counter() - started
        beside = {
            baseline.name: dict(self._score_baseline(baseline, data))
            for baseline in (self._baselines.values() if baselines else ())
        }
        return replace(self._scores_alone(name, scored), baselines=beside, seconds=seconds)

    def _scores_alone(self, name: str, scored: Scored) -> Evaluation:
        return Evaluation(
            self.task,
            name,
            dict(scored.scores),
            {},
            scored.count,
            scored.unit,
            examples=scored.examples,
            groups=scored.groups,
            details=scored.details,
        )
