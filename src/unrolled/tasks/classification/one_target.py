"""What predicts one target for a whole sequence, a linear model of symbols in a row beside it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal, NotRequired, cast

import numpy as np
import torch
from pydantic import with_config
from torch import Tensor

from unrolled.data.buckets import Encoded, collate_many_to_one
from unrolled.data.example import Examples
from unrolled.errors import ConfigError
from unrolled.models.base import SequenceModel
from unrolled.models.direct import HALF, SHARES, DirectConnection, mixed
from unrolled.models.ensemble import networks_of
from unrolled.models.many_to_one import ManyToOne
from unrolled.saving.schema import ENTRIES, Size
from unrolled.tasks.classification.direct import fitted_direct
from unrolled.tasks.classification.label_sets import in_form
from unrolled.tasks.classification.learning import SavedTarget
from unrolled.tasks.classification.refitting import Refitting
from unrolled.tasks.classification.targets import LabelTargets
from unrolled.tasks.evaluation import Scored
from unrolled.tasks.hub_card import CLASSIFICATION
from unrolled.tasks.metrics import ALONE


@with_config(ENTRIES)
class _SavedWithDirect(SavedTarget):
    direct: NotRequired[Size | None]


class OneTarget(Refitting):
    """What predicts one target for a whole sequence."""

    Saved = _SavedWithDirect

    def _reset(self) -> None:
        super()._reset()
        self._places: int | None = None

    def predict(self, data: Any = None, **options: Any) -> Any:
        """The most probable label, the labels, or the number, of each sequence.

        Args:
            data: the sequences, in any form that `fit` takes.
            options: of the prediction.

        Returns:
            Labels as they came; an array where `fit` was given ``X`` and ``y``, else a list. Where there may
            be several labels, those that are more likely there than not.

        Raises:
            DataError: an input is not of the kind seen in training.
        """
        values = super().predict(data, **options)
        if isinstance(self._targets, LabelTargets):
            return in_form(values, self._sets or "list", self._restored(self._targets.vocabulary.symbols))
        if self._given_form is None:
            return values
        return np.array(values) if self._labels is None else self._labels.array(values)

    def score(self, X: Any, y: Any = None) -> float:
        """The accuracy, of several labels that of all together, of numbers the variance explained (R2).

        Args:
            X: as for `evaluate`.
            y: as for `evaluate`.
        """
        return self.evaluate(X, y, baselines=False).scores[self._targets.scored]

    def _outputs(self, data: Any) -> list[Tensor]:
        self._require_fitted()
        return self._run(self._encode(self._read_inputs(data)), self.Options())

    @property
    def hub_task(self) -> str | None:
        """By what is read."""
        return CLASSIFICATION.get(self._inputs.kind)

    def _prepare(self, train: Examples) -> None:
        super()._prepare(train)
        if self.effective.direct and self._inputs.symbols is None:
            raise ConfigError(
                f"direct: expected texts, or strings that differ in length, got {self._inputs.described}; "
                "leave direct out"
            )

    def _build_model(self) -> SequenceModel:
        network = super()._build_model()
        if self._places is not None:
            assert self._inputs.symbols is not None
            outputs = self._targets.output_size
            cast(ManyToOne, network).connect(DirectConnection(*self._inputs.symbols, self._places, outputs))
        return network

    def _begin_training(self, train: Examples) -> None:
        if self.effective.direct and self._places is None:
            made = fitted_direct(self._inputs, self._targets, train, self._weights)
            self._places = made.places
            for network in networks_of(self.model):
                cast(ManyToOne, network).connect(copy.deepcopy(made))

    def _end_training(self, held_out: Examples, name: str) -> None:
        if self._places is not None:
            self._weigh(held_out, name)

    def _train_anew(self, everything: Examples, epochs: int | None, progress: bool) -> SequenceModel:
        known = [each.state_dict() for each in self._connections()]
        scored = super()._train_anew(everything, epochs, progress)
        for each, weights in zip(self._connections(), known, strict=True):
            each.load_state_dict(weights)
        return scored

    def _training_scorer(self, held_out: Examples) -> tuple[Callable[[], Scored], str, Literal["min", "max"]]:
        if self._places is None:
            return super()._training_scorer(held_out)
        items, scored = self._scoring(held_out)
        monitor, best = self.monitored
        alone = f"{monitor}{ALONE}"
        said = self._run_sharing(1.0, items)

        def score() -> Scored:
            outputs = self._run_sharing(0.0, items)
            self._share_outputs(HALF)
            found = scored([mixed(HALF, *both) for both in zip(outputs, said, strict=True)])
            return replace(found, scores={**found.scores, alone: scored(outputs).scores[monitor]})

        # The linear model is there from the first epoch on; what becomes better is the network.
        return score, alone, best

    def _weigh(self, held_out: Examples, name: str) -> None:
        """Give the direct connection the share of the outputs that makes the loss on other data least."""
        known = [each for each in held_out if not self._targets.unseen(each.target)]
        if not known:
            return
        items = self._encode(known)
        alone, said = (torch.stack(self._run_sharing(share, items)) for share in (0.0, 1.0))
        # Of the inputs a step is enough here: side by side, long texts would fill the memory.
        short = [
            Encoded({name: array[:1] for name, array in each.inputs.items()}, each.target) for each in items
        ]
        batch, loss = collate_many_to_one(short), self._loss()
        losses = {share: loss(mixed(share, alone, said), batch).total for share in SHARES}
        share = min(losses, key=lambda each: float(losses[each]))
        self._share_outputs(share)
        self._note(
            f"{share:.0%} of the outputs are the direct connection's, a linear model of {self._inputs.unit} "
            f"in a row: so the loss on the {name} is least."
        )

    def _run_sharing(self, share: float, items: list[Encoded]) -> list[Tensor]:
        """The outputs where the direct connection has such a share of them."""
        self._share_outputs(share)
        return self._run(items, None)

    def _share_outputs(self, share: float) -> None:
        for each in self._connections():
            each.share.fill_(share)

    @contextmanager
    def network_alone(self) -> Iterator[str]:
        """Within it the direct connection has no part in the answers."""
        connections = self._connections()
        shares = [each.share.clone() for each in connections]
        self._share_outputs(0.0)
        try:
            yield "its direct connection" if any(map(float, shares)) else ""
        finally:
            for each, share in zip(connections, shares, strict=True):
                each.share.copy_(share)

    def _connections(self) -> list[DirectConnection]:
        networks = [network for network in networks_of(self.model) if isinstance(network, ManyToOne)]
        return [network.direct for network in networks if network.direct is not None]

    def _vocabularies(self) -> dict[str, Any]:
        return super()._vocabularies() | {"direct": self._places}

    def _restore(self, vocabularies: Mapping[str, Any]) -> None:
        super()._restore(vocabularies)
        self._places = vocabularies.get("direct")
        if self._places is not None and self._inputs.symbols is None:
            raise ValueError(f"expected no places of a direct connection from {self._inputs.described}")
