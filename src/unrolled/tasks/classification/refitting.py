"""Training once more, on what was held out too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from unrolled.data.example import Examples
from unrolled.errors import ConfigError
from unrolled.tasks.classification.learning import TargetLearning
from unrolled.tasks.shares import Shares


class Refitting(TargetLearning):
    """A task with one target for a whole sequence, whose network may be trained again.

    A group that is held out, such as a speaker, is missed by the training more than some examples are of
    groups that it knows.
    """

    def _prepare(self, train: Examples) -> None:
        super()._prepare(train)
        if self.effective.refit and self.effective.ensemble > 1:
            raise ConfigError("refit: expected one network, got an ensemble; leave one of the two out")

    def _train_again(self, shares: Shares[Examples], run_folder: str | Path | None, progress: bool) -> None:
        if not self.effective.refit or self._share < 1:  # a try is no training
            return
        if not shares.sentence:
            if self.config.refit:
                self._note("Nothing is trained again: the dev data that was given is kept apart.")
            return
        self._save_run(run_folder)  # what was scored, lest the second training is stopped
        everything = _together(shares)
        self._train_anew(everything, None, progress)
        self._note(
            f"After the scores were taken, the model was trained again on all {len(everything):,} examples, "
            f"those held out too, for {self.effective.epochs} epochs."
        )


def _together(shares: Shares[Examples]) -> Examples:
    """All examples that training data was divided into."""
    parts = [shares.train, shares.held_out, *([] if shares.kept_apart is None else [shares.kept_apart])]
    return replace(shares.train, items=tuple(example for part in parts for example in part))
