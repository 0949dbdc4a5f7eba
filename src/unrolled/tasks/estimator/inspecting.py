"""What there is to look at: batches as a network reads them, labels for drawings, the course of training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch import Tensor

from unrolled.data.batches import Batch, Loader
from unrolled.tasks.card import describe_network
from unrolled.tasks.estimator.reading import Reading
from unrolled.tasks.scikit import Configuration
from unrolled.tasks.shares import Data
from unrolled.training.loss import Loss

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Inspecting(Reading[Data, Configuration]):
    """A fitted task as drawings, diagnoses and notebooks look at it."""

    def loader(self, data: Any) -> Loader:
        """The batches of ``data`` as the network reads them, in the order of the data.

        Raises:
            DataError: the data cannot be used; names the file, row and column.
        """
        self._require_fitted()
        return self._loader(self._read(self._later_part(data), labelled=True), training=False)

    def first_batch(self, data: Any) -> Batch:
        """The first batch of ``data`` as the network reads it.

        Raises:
            DataError: the data cannot be used; names the file, row and column.
        """
        return next(iter(self.loader(data).batches(0)))

    def criterion(self) -> Loss:
        """The loss that training minimises."""
        self._require_fitted()
        return self._loss()

    @contextmanager
    def network_alone(self) -> Iterator[str]:
        """Within it the model is its recurrent network, without what else has a part in its answers.

        Yields:
            What was left out, in a few words; "" where there was nothing.
        """
        yield ""

    def step_labels(self, inputs: Mapping[str, Tensor]) -> list[str]:
        """What each step of one sequence reads, in a few characters, for a drawing.

        Args:
            inputs: one row of a batch's inputs, each ``(time, ...)``.
        """
        steps = next(iter(inputs.values()))
        if steps.dim() > 2:  # the row of an image, or a frame
            return [str(number) for number in range(1, len(steps) + 1)]
        if steps.is_floating_point():
            return [f"{float(step[0]):.3g}" for step in steps]
        return [self._token_label(token) for token in steps.tolist()]

    def target_labels(self, targets: Tensor) -> list[str]:
        """What the outputs of one sequence are compared with, in a few characters each.

        Args:
            targets: one row of a batch's targets, ``(time, ...)`` or that of the whole sequence.
        """
        return self.step_labels({"targets": targets if targets.dim() else targets.unsqueeze(0)})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the losses and the scores of training.

        Args:
            ax: matplotlib's axes to draw on; a new figure by default.
        """
        from unrolled.tasks.plots import plot_history

        self._require_fitted()
        assert self.history is not None
        return plot_history(self.history, ax)

    def _repr_html_(self) -> str:
        from unrolled.layers.html_table import html_table

        rows = [
            (name, getattr(self.config, name))
            for name in self.Config.model_fields
            if name in self._asked_for()
        ]
        if self._model is None:
            return html_table(f"{type(self).__name__}, not fitted", rows)
        weights = sum(weight.numel() for weight in self._model.parameters())
        rows += [("network", describe_network(self.effective)), ("weights", f"{weights:,}")]
        shown = "" if self.dev_evaluation is None else self.dev_evaluation._repr_html_()
        return html_table(type(self).__name__, rows) + shown
