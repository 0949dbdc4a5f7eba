"""What a person wants done in the course of training, under the names that Lightning has for its moments."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.data.batches import Batch
    from unrolled.models.base import SequenceModel
    from unrolled.training.trainer import Trainer


class Callback:
    """Called in the course of training; a subclass does something in some of the methods.

    Each is given the network and the trainer, which knows ``current_epoch`` (counted from 0), ``global_step``
    (updates so far), ``callback_metrics`` (the latest losses and scores by name), ``history``, ``config`` and
    ``is_global_zero`` (whether this is the only process or the first). Where ``should_stop`` is set, training
    ends after the batch.

    Raises:
        ConfigError: a subclass has a method ``on_...`` that is never called.

    Example:
        >>> class Once(Callback):
        ...     def on_epoch_end(self, trainer, model):
        ...         trainer.should_stop = True
        >>> import unrolled
        >>> data = [("a fine film", "good"), ("a dull film", "bad")] * 4
        >>> made = unrolled.Classifier(hidden_size=4).fit(data, dev=data, callbacks=[Once()])
        >>> len(made.history.epochs), made.history.stopped
        (1, 'callback')
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in vars(cls):
            if name.startswith("on_") and not hasattr(Callback, name):
                known = [known for known in vars(Callback) if known.startswith("on_")]
                close = difflib.get_close_matches(name, known, n=1)
                remedy = f"did you mean {close[0]}?" if close else f"the moments are {', '.join(known)}"
                raise ConfigError(f"{cls.__name__}.{name} is never called; {remedy}")

    def on_fit_start(self, trainer: Trainer, model: SequenceModel) -> None:
        """Training is about to begin, or to go on from a checkpoint."""

    def on_train_epoch_start(self, trainer: Trainer, model: SequenceModel) -> None:
        """An epoch begins, or goes on from a checkpoint."""

    def on_train_batch_start(
        self, trainer: Trainer, model: SequenceModel, batch: Batch, batch_idx: int
    ) -> None:
        """A batch, counted from 0 in its epoch, is about to be trained on."""

    def on_train_batch_end(
        self, trainer: Trainer, model: SequenceModel, outputs: None, batch: Batch, batch_idx: int
    ) -> None:
        """A batch has been trained on; ``outputs`` is None, for a batch may be several updates."""

    def on_validation_start(self, trainer: Trainer, model: SequenceModel) -> None:
        """The epoch's weights are about to be scored."""

    def on_validation_end(self, trainer: Trainer, model: SequenceModel) -> None:
        """The epoch's weights have been scored; the history has the epoch."""

    def on_train_epoch_end(self, trainer: Trainer, model: SequenceModel) -> None:
        """An epoch is done, scored and in the history."""

    def on_epoch_end(self, trainer: Trainer, model: SequenceModel) -> None:
        """As `on_train_epoch_end`, and right after it: Lightning's older name."""

    def on_fit_end(self, trainer: Trainer, model: SequenceModel) -> None:
        """Training is done; the network has its best weights."""

    def on_exception(self, trainer: Trainer, model: SequenceModel, exception: BaseException) -> None:
        """Training was interrupted, or an error ended it."""
