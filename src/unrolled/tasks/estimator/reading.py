"""From what a person hands over to data as a task holds it, divided into what is trained on and the rest."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from unrolled.data.parts import Parts, parts_of
from unrolled.errors import DataError
from unrolled.tasks.estimator.fitted import Fitted
from unrolled.tasks.given import AlreadyRead, is_further_data
from unrolled.tasks.given_inputs import plain
from unrolled.tasks.scikit import Configuration
from unrolled.tasks.shares import Data, Part, Shares

_logger = logging.getLogger("unrolled")


class Reading(Fitted[Data, Configuration]):
    """How data gets in, before training and later."""

    def parts(self, data: Any) -> Parts | None:
        """Where the parts of data are that is divided itself; None where it is not, or is no path."""
        if not self._takes_parts or not isinstance(data, str | Path):
            return None
        return parts_of(Path(data))

    def _divided(self, train: Any, dev: Any) -> tuple[Any, Any]:
        """The parts to train on and to choose the best epoch by, of data that is divided itself."""
        parts = self.parts(train)
        if parts is None:
            return train, self._later_part(dev)
        if dev is None and parts.dev is not None:
            self._note(f"The data is divided itself: {parts.train} to train on, {parts.dev} to choose by.")
            return parts.train, parts.dev
        self._note(f"The data is divided itself: {parts.train} to train on.")
        return parts.train, self._later_part(dev)

    def _later_part(self, data: Any) -> Any:
        """What a model is scored on, of data that is divided itself."""
        parts = self.parts(data)
        return data if parts is None else parts.later

    def _handed_over(self, X: Any, y: Any, dev: Any, *, fitting: bool = True) -> tuple[Any, Any]:
        """The data to train on and to choose the best epoch by, of what `fit` was given."""
        X, y, dev = plain(X), plain(y), plain(dev)
        if y is not None and dev is None and is_further_data(X, y, self._is_pair):
            y, dev = None, y
        if y is None:
            if self._needs_targets and hasattr(X, "dtype") and getattr(X, "ndim", 1) > 1:
                raise DataError(
                    f"this {type(self).__name__} requires y to be passed, but the target y is None",
                    remedy="call fit(X, y)",
                )
            return X, dev
        train = self._with_targets(X, y, fitting=fitting)
        if isinstance(dev, tuple) and len(dev) == 2:
            dev = self._with_targets(*dev, fitting=False)
        return train, dev

    def _take_in(self, train: Any, dev: Any) -> Shares[Data]:
        """Read the data and learn what comes before training: what to train on, and what to choose by."""
        was_read = isinstance(train, AlreadyRead)
        training: Data = train.data if was_read else self._read(train, labelled=True, part="train")
        # Later files are read as the training data was.
        self._form = getattr(training, "form", None)
        shares = self._hold_out(training, keep_apart=self._keep_apart) if dev is None else None
        if shares is not None:
            self._note(shares.sentence)
        self._prepare(training if shares is None else shares.train)
        if shares is None:
            # Dev data is read after what the training data settled, so that both are read alike.
            held_out = self._read_later(dev, labelled=True, part="valid")
            shares = Shares(training, held_out, "", described(dev))
        self._understood = f"Understood: {'; '.join(self._readings(shares.train, shares.held_out))}."
        return shares

    def _read_later(self, data: Any, *, labelled: bool, part: Part = "test") -> Data:
        """Read data other than that to train on, and tell the user what had to be assumed anew."""
        read = self._read(plain(self._later_part(data)), labelled=labelled, part=part)
        for sentence in getattr(read, "notes", ()):
            if sentence not in self.notices:
                _logger.info(sentence)
        return read


def described(data: Any) -> str:
    """What data is called beside scores: its path, or that it was handed over."""
    return str(data) if isinstance(data, str | Path) else "the given data"
