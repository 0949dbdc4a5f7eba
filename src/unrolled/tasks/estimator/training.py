"""Learning from data: from the beginning, or on from what is known."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from unrolled.tasks.estimator.network_training import NetworkTraining
from unrolled.tasks.estimator.run_folder import taken
from unrolled.tasks.scikit import Configuration
from unrolled.tasks.shares import Data, Shares
from unrolled.training.callback import Callback

if TYPE_CHECKING:
    from unrolled.tasks.continuing import NewLabels

_logger = logging.getLogger("unrolled")


class Training(NetworkTraining[Data, Configuration]):
    """`fit`, and what is like it."""

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        dev: Any = None,
        run_folder: str | Path | None = None,
        resume: bool = False,
        overwrite: bool = False,
        keep_apart: bool = True,
        progress: bool = False,
        callbacks: Sequence[Callback] = (),
        share: float = 1.0,
    ) -> Self:
        """Learn from data.

        Args:
            X: a path, the name of built-in data, or Python objects as the task describes; beside ``y`` the
                inputs alone: a list, an array ``(sequences, time)`` or ``(sequences, time, channels)``, a
                Series, a frame with a row or a level of its index for each.
            y: what is to be predicted for each input, where ``X`` does not hold it.
            dev: data for early stopping, in the forms of ``X``, or ``(X, y)``; without it a seeded share of
                the data is held out, and ``notices`` says so.
            run_folder: where checkpoints go, and the model, from its first epoch on always the best so far;
                neither is written without it.
            resume: continue from the last checkpoint in ``run_folder``.
            overwrite: replace the model or the checkpoint that ``run_folder`` holds.
            keep_apart: False where the finished model will be scored on other data: then no more of the data
                is held out than early stopping needs.
            progress: show a progress bar.
            callbacks: called in the course of training.
            share: of the batches of every epoch that is trained on, for a try.

        After an error the estimator is as it was before its first `fit`.

        Raises:
            ConfigError: ``run_folder`` holds a model or a checkpoint, and neither ``resume`` nor
                ``overwrite`` says what becomes of it, or another process trains into it; or the cell is not
                fused, and cannot be saved.
            DataError: the data cannot be used; names the file, row and column.
            DivergedError: the loss became NaN or infinite.
        """
        with taken(run_folder, self.config, resume=resume, overwrite=overwrite):
            self._reset()
            self._keep_apart, self._share = keep_apart, share
            self._callbacks = tuple(callbacks)
            self._trained_on = tuple(str(each) if isinstance(each, str | Path) else None for each in (X, dev))
            try:
                train, dev = self._divided(*self._handed_over(X, y, dev))
                self._fit(train, dev, run_folder, resume=resume, progress=progress)
            except Exception:
                # A network left half-trained by an error must not pass for a fitted one.
                self._reset()
                raise
            finally:
                self._callbacks = ()
            self._save_run(run_folder)
        return self

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        *,
        dev: Any = None,
        run_folder: str | Path | None = None,
        new_labels: NewLabels = "refuse",
        resume: bool = False,
        overwrite: bool = False,
        progress: bool = False,
        callbacks: Sequence[Callback] = (),
    ) -> Self:
        """Go on training with new data: as many epochs as the options say, the best of them kept.

        Vocabularies and scales stay as they are, and so does what the optimiser knew; of each baseline the
        better on held-out data is kept, that from before or one of the new data. A model that is not fitted
        yet is fitted.

        Args:
            X: as for `fit`.
            y: as for `fit`.
            dev: as for `fit`.
            run_folder: as for `fit`.
            new_labels: what becomes of classes and tags that the model has not seen: they are refused, or
                added, with room for them in the network.
            resume: as for `fit`.
            overwrite: as for `fit`.
            progress: as for `fit`.
            callbacks: as for `fit`.

        After an error the estimator is as it was.

        Raises:
            ConfigError: as for `fit`.
            DataError: the data cannot be used, or has labels that the model does not know.
            DivergedError: the loss became NaN or infinite.

        Example:
            >>> from unrolled import Classifier
            >>> first = [("good", "yes"), ("bad", "no")] * 4
            >>> then = [("so so", "perhaps"), ("good", "yes")] * 4
            >>> model = Classifier(hidden_size=4, epochs=1).fit(first, dev=first)
            >>> model.partial_fit(then, dev=then, new_labels="add").labels
            ('no', 'yes', 'perhaps')
        """
        how: Any = {"run_folder": run_folder, "resume": resume, "progress": progress, "callbacks": callbacks}
        if self._model is None:
            return self.fit(X, y, dev=dev, overwrite=overwrite, **how)
        from unrolled.tasks.continuing import trained_on

        with taken(run_folder, self.effective, resume=resume, overwrite=overwrite):
            for name, value in vars(trained_on(self, X, y, dev, new_labels=new_labels, **how)).items():
                setattr(self, name, value)
            self._save_run(run_folder)
        return self

    def understand(self, train: Any, dev: Any = None) -> str:
        """What the data would be taken for in training, in a line; nothing is trained.

        Args:
            train: as for `fit`.
            dev: as for `fit`.

        Raises:
            DataError: the data cannot be used; names the file, row and column.
        """
        self._reset()
        train, dev = self._divided(train, dev)
        try:
            self._take_in(train, dev)
            return self.understood
        finally:
            self._reset()

    def untrained(self, train: Any) -> Self:
        """Learn what comes before training: vocabularies, scales, and a network with its first weights.

        Raises:
            DataError: the data cannot be used; names the file, row and column.
        """
        self._reset()
        read = self._read(self._divided(train, None)[0], labelled=True, part="train")
        self._form = getattr(read, "form", None)
        self._prepare(read)
        self._model = self.fresh_model().eval()
        return self

    def _fit(
        self, train: Any, dev: Any, run_folder: str | Path | None, *, resume: bool, progress: bool
    ) -> None:
        shares = self._take_in(train, dev)
        _logger.info(self.understood)
        self._model = self.fresh_model()
        # Before training, for the best model so far is saved with them.
        known = shares.train if shares.before_test is None else shares.before_test
        self._baselines = {baseline.name: baseline for baseline in self._fit_baselines(known)}
        self._train(shares.train, shares.held_out, shares.held_out_name, run_folder, resume, progress)
        self._dev_evaluation = (
            self._evaluation(shares.held_out, shares.held_out_name, baselines=True)
            if shares.kept_apart is None
            else self._evaluation(shares.kept_apart, shares.kept_apart_name, baselines=True)
        )
        self._conclude()
        self._train_again(shares, run_folder, progress)

    def _train_again(self, shares: Shares[Data], run_folder: str | Path | None, progress: bool) -> None:
        """Train once more, on what was held out too, where a task does."""
