"""The training of a network, or of each of an ensemble, with what is kept of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, cast

from torch import Tensor

from unrolled.models.base import SequenceModel
from unrolled.models.ensemble import Ensemble
from unrolled.tasks.card import describe_network
from unrolled.tasks.estimator.evaluating import Evaluating
from unrolled.tasks.estimator.fitted import OPTIMIZER
from unrolled.tasks.estimator.storing import Storing
from unrolled.tasks.evaluation import Scored
from unrolled.tasks.scikit import Configuration
from unrolled.tasks.shares import Data
from unrolled.training.history import History
from unrolled.training.part_of_epoch import PartOfEpoch

_logger = logging.getLogger("unrolled")


class NetworkTraining(Storing[Data, Configuration], Evaluating[Data, Configuration]):
    """From data that is read to trained weights."""

    def _train(
        self,
        training: Data,
        held_out: Data,
        name: str,
        run_folder: str | Path | None,
        resume: bool,
        progress: bool,
        known: Mapping[str, Tensor] | None = None,
    ) -> None:
        from unrolled.training.trainer import Trainer  # brings in accelerate, which takes a second to import

        self._begin_training(training)
        used = self.effective
        _logger.info(
            f"{describe_network(used)}; {used.optimizer}, learning rate {used.learning_rate:g}, "
            f"at most {used.epochs} epochs, seed {used.seed}."
        )
        scorer, monitor, mode = self._training_scorer(held_out)
        scored: Scored | None = None

        def score() -> Mapping[str, float]:
            nonlocal scored
            scored = scorer()
            return scored.scores

        def learn(folder: str | Path | None, known: Mapping[str, Tensor] | None) -> None:
            trainer = Trainer(
                self.model,
                self._loss(),
                self.effective,
                run_folder=None if folder is None else Path(folder),
                resume=resume,
                progress=progress,
                callbacks=self._callbacks,
                known=known,
            )

            def keep(history: History) -> None:
                assert scored is not None
                self._history = history
                self._optimizer = {OPTIMIZER: trainer.optimizer_state}
                self._dev_evaluation = self._scores_alone(name, scored)
                self._save_run(folder)

            self._shard = trainer.accelerator.process_index, trainer.accelerator.num_processes
            loader = self._loader(training, training=True)
            if self._share < 1:
                loader = PartOfEpoch(loader, self._share)
            keeping = None if folder is None else keep
            self._history = trainer.fit(loader, score, monitor, mode, keep=keeping)
            self._seen = None if trainer.diagnosis is None else trainer.diagnosis.seen()
            self._optimizer = {OPTIMIZER: trainer.optimizer_state}
            self.model.eval()
            if kept := self._history.kept():
                _logger.info(kept)

        if isinstance(self.model, Ensemble):
            together, first = self.model, None
            for number, member in enumerate(together.members):
                _logger.info(f"Network {number + 1} of {len(together.members)}.")
                self._model = cast(SequenceModel, member)
                self._effective = used.model_copy(update={"seed": (used.seed + number) % 2**32})
                learn(None, None)
                first = first or self._history
            # Whoever trains on does so without what each one's optimiser knew.
            self._model, self._effective, self._history, self._optimizer = together.eval(), used, first, {}
        else:
            learn(run_folder, known)
        self._end_training(held_out, name)

    def _train_anew(self, everything: Data, epochs: int | None, progress: bool) -> SequenceModel:
        """Train a fresh network, on what was held out for the scores too; nothing is scored or watched.

        Args:
            everything: what is learned from.
            epochs: how many; None for all.
            progress: whether to show it.

        Returns:
            The network that was scored, which is the estimator's again where this is interrupted.
        """
        from unrolled.training.trainer import Trainer

        _logger.info("The model is trained again, on all the data.")
        scored = self.model
        self._model = self.fresh_model()
        unwatched = self.effective.model_copy(update={"diagnose": False})
        trainer = Trainer(self.model, self._loss(), unwatched, progress=progress)
        try:
            trainer.fit(self._loader(everything, training=True), last=epochs)
        except KeyboardInterrupt:
            self._model = scored
            raise KeyboardInterrupt(
                "Training again on all the data was interrupted; the model that was scored is kept."
            ) from None
        self.model.eval()
        self._optimizer = {OPTIMIZER: trainer.optimizer_state}
        return scored

    def _training_scorer(self, held_out: Data) -> tuple[Callable[[], Scored], str, Literal["min", "max"]]:
        """What scores the model after each epoch, the score that decides, and which way is better."""
        return self._scorer(held_out), *self.monitored

    def _conclude(self) -> None:
        """Say what the judges make of the training, where it was watched."""
        if self._seen is None:
            return
        from unrolled.tasks.evidence import verdict_of_training
        from unrolled.training.live import told

        self._verdict = verdict_of_training(self, self._seen)
        _logger.info(told(self._verdict, "Verdict"))
