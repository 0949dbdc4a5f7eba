"""A trained model that is trained on, with new data: what it knows stays, its optimiser goes on."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import nn

from unrolled.data.wording import listed
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.options import validated
from unrolled.tasks.table_options import TableOptions
from unrolled.training.config import TrainingConfig

if TYPE_CHECKING:
    from unrolled.tasks.baselines.base import Baseline
    from unrolled.tasks.estimator.training import Training
    from unrolled.training.callback import Callback

NewLabels = Literal["refuse", "add"]

_OPEN = {*TrainingConfig.model_fields, *TableOptions.model_fields, "holdout"}
"""Options that may change when a model is trained on: those of training, and of how a table is read."""


def with_options(estimator: Training[Any, Any], options: Mapping[str, Any]) -> None:
    """Change options of a fitted estimator before it is trained on.

    Raises:
        ConfigError: an option is one of the network or of what it reads, and has another value in the model;
            or is unknown, or does not fit.
    """
    known = estimator.effective
    asked = validated(estimator.Config, {**dict(known), **options})
    for name in options:
        if name not in _OPEN and getattr(asked, name) != getattr(known, name):
            raise ConfigError(
                f"option {name!r}: expected {getattr(known, name)!r}, as in the model that is trained on, "
                f"got {options[name]!r}; leave it out, or train a new model"
            )
    estimator._effective = asked


def trained_on(
    estimator: Training[Any, Any],
    X: Any,
    y: Any,
    dev: Any,
    *,
    run_folder: str | Path | None,
    new_labels: NewLabels,
    resume: bool,
    progress: bool,
    callbacks: Sequence[Callback],
) -> Training[Any, Any]:
    """A copy of a fitted estimator, trained on; see `Training.partial_fit`."""
    one = copy.copy(estimator)
    one._model, one._notices = copy.deepcopy(estimator.model), list(estimator.notices)
    one._callbacks, one._keep_apart = tuple(callbacks), False
    one._trained_on = tuple(str(each) if isinstance(each, str | Path) else None for each in (X, dev))
    train, dev = one._divided(*one._handed_over(X, y, dev, fitting=False))
    data = one._read(train, labelled=True, part="train")
    _take_labels(one, data, new_labels)
    if dev is None:
        shares = one._hold_out(data, keep_apart=False)
        one._note(shares.sentence)
        learnt, held_out, name = shares.train, shares.held_out, shares.held_out_name
    else:
        learnt, held_out, name = data, one._read_later(dev, labelled=True, part="valid"), _named(dev)
    epochs = 0 if estimator.history is None else len(estimator.history.epochs)
    one._note(f"Trained on from a model of {epochs} epochs; its vocabularies and scales are kept.")
    one._baselines = _baselines_of_both(one, learnt, held_out)
    one._understood = f"Understood: {'; '.join(one._readings(learnt, held_out))}."
    one._train(learnt, held_out, name, run_folder, resume, progress, known=estimator.optimizer_state())
    one._dev_evaluation = one._evaluation(held_out, name, baselines=True)
    one._went_on(data)
    one._callbacks = ()
    return one


def _named(data: Any) -> str:
    return str(data) if isinstance(data, str | Path) else "the given data"


def _baselines_of_both(one: Training[Any, Any], train: Any, held_out: Any) -> dict[str, Baseline]:
    """Of each baseline that from before, or one of the new data, whichever does better on held-out data."""
    by, best = one.monitored
    kept = dict(one._baselines)
    for fresh in one._fit_baselines(train):
        known = kept.get(fresh.name)
        if known is not None:
            scores = [one._score_baseline(each, held_out).get(by, np.nan) for each in (known, fresh)]
            if not (scores[1] > scores[0] if best == "max" else scores[1] < scores[0]):
                continue
        kept[fresh.name] = fresh
    renewed = [name for name, each in kept.items() if each is not one._baselines.get(name)]
    if renewed:
        one._note(f"Fitted on the new data, for they do better so: the baselines {listed(renewed)}.")
    return kept


def _take_labels(estimator: Training[Any, Any], data: Any, new_labels: NewLabels) -> None:
    """Add the labels that the model has not seen, with room for them in the network; or refuse them."""
    unseen = estimator._unseen_labels(data)
    if not unseen:
        return
    if new_labels == "refuse":
        raise DataError(
            f"expected labels that the model knows, got {listed([repr(label) for label in unseen])}",
            remedy="correct them, or give --new-labels add (in Python new_labels='add') to add them",
        )
    add_labels(estimator, unseen)
    estimator._note(f"Labels added: {listed(unseen)}.")


def add_labels(estimator: Training[Any, Any], labels: Sequence[str]) -> None:
    """Take up labels that a fitted estimator does not know, with room for them in the network."""
    smaller = estimator.model
    estimator._add_labels(labels)
    estimator._model = estimator.fresh_model().to(estimator.device)
    grow(smaller, estimator.model)


def grow(smaller: nn.Module, larger: nn.Module) -> None:
    """Put a network's weights into one that has more outputs, whose first ones are its own.

    Example:
        >>> small, large = nn.Linear(2, 3), nn.Linear(2, 4)
        >>> grow(small, large)
        >>> torch.equal(large.weight[:3], small.weight)
        True
    """
    weights = larger.state_dict()
    with torch.no_grad():
        for name, weight in smaller.state_dict().items():
            weights[name][tuple(map(slice, weight.shape))] = weight
    larger.load_state_dict(weights)
