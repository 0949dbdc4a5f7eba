"""Which frame stands around an estimator's network, and what the original computes of some sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.data.scaling import Scaling
from unrolled.errors import ConfigError
from unrolled.export.c_code.frames import Frame, NumberFrame, SeriesFrame, TokenFrame
from unrolled.models.base import SequenceModel
from unrolled.models.conditional import ConditionalModel
from unrolled.models.crf import best_path
from unrolled.models.grams import GramInput
from unrolled.models.inputs import TokenInput
from unrolled.models.many_to_many import ManyToMany
from unrolled.models.many_to_one import ManyToOne
from unrolled.models.one_to_one import BinaryVectorModel, LanguageModel
from unrolled.tasks.base import Estimator
from unrolled.tasks.forecast import Forecaster

_WHOLE = {
    "gaps": "training data without missing numbers",
    "own_level": "own_level=False (train with --no-own-level)",
    "models": "no language models beside its words (train without --features)",
}
"""What is kept of inputs that are not read step by step, and what would be."""


def frame_of(estimator: Estimator[Any, Any]) -> Frame:
    """The frame around an estimator's network.

    Raises:
        ConfigError: what it reads cannot be given to C number by number.
    """
    model = estimator.model
    if isinstance(estimator, Forecaster):
        return _series(estimator)
    if isinstance(model, LanguageModel):
        return TokenFrame(len(model.output_bias), "the score of each token to come, before the softmax.")
    if isinstance(model, BinaryVectorModel):
        size = model.recurrent.input_size
        plain = Scaling(np.zeros(size), np.ones(size))
        return NumberFrame(plain, "1 for each note that sounds, else 0.", "the logit of each note to come.")
    learnt = estimator._vocabularies()
    reads, writes = learnt.get("inputs", {}), learnt.get("targets")
    if isinstance(model, ConditionalModel):
        raise ConfigError(
            "expected a network that takes a step at a time and gives an output for it, got "
            f"{estimator.task}; --to onnx takes every one."
        )
    gives, target = _outputs(learnt, writes, getattr(model, "transitions", None) is not None)
    layer = getattr(model, "inputs", None)
    if isinstance(layer, TokenInput):
        return TokenFrame(layer.embedding.table.num_embeddings, gives)
    if isinstance(layer, GramInput):
        raise ConfigError(
            "what this network reads of a step depends on those before: expected grams=1 (train with --grams "
            "1), to write C; --to onnx takes it."
        )
    for name, expected in _WHOLE.items():
        if reads.get(name):
            raise ConfigError(
                f"what this network reads of a step depends on others: expected {expected}, "
                "to write C; --to onnx takes it."
            )
    if "scaling" in reads:
        what = "the log-mel bands of 10 ms" if reads["kind"] == "sound" else "the numbers"
        return NumberFrame(
            Scaling.from_dict(reads["scaling"]),
            f"{what} of a step, as they were given in training.",
            gives,
            target,
        )
    raise ConfigError(
        f"{reads.get('kind', estimator.task)} cannot become C: expected a network that reads numbers, sound "
        "or single tokens at a step; --to onnx takes every one."
    )


def _outputs(learnt: Any, writes: Any, crf: bool) -> tuple[str, tuple[float, float] | None]:
    if writes is not None and writes["kind"] == "numbers":
        return "the number, so far.", (writes["scale"], writes["mean"])
    names = (writes["vocabulary"] if writes is not None else learnt["tags"])["symbols"]
    what, end = "class, of the sequence so far" if writes is not None else "tag of the step", "softmax"
    if writes is not None and writes["kind"] == "labels":
        what, end = "label, for the sequence so far", "sigmoid"
    if crf:
        return (
            f"of each tag the best path's score that ends in it, less the best of all: {_named(names)}.",
            None,
        )
    return f"the score of each {what}, before the {end}: {_named(names)}.", None


def _named(names: Sequence[str]) -> str:
    return ", ".join(names)[:400]


def _series(estimator: Forecaster) -> SeriesFrame:
    prepared, config = estimator._preparation, estimator.effective
    if estimator._targets:
        raise ConfigError(
            f"expected one number to forecast, got {', '.join(estimator._targets)}, which --to onnx takes"
        )
    if prepared.categories:
        raise ConfigError(
            f"{', '.join(prepared.categories)}: expected covariates of numbers, got categories, which "
            "--to onnx takes"
        )
    if ahead := (*prepared.ahead, *(f"holidays of {country}" for country in prepared.holidays)):
        raise ConfigError(
            f"{', '.join(ahead)}: expected covariates known up to the present, got some known "
            "ahead, which --to onnx takes"
        )
    places = [
        f"{wave} of its place in the cycle {at + 1}"
        for at in range(prepared.cycles // 2)
        for wave in ("sine", "cosine")
    ]
    return SeriesFrame(
        prepared.scalings,
        prepared.covariates,
        prepared.names,
        places,
        prepared.mask,
        config.horizon,
        config.quantiles,
    )


def outputs_at_every_step(model: SequenceModel, inputs: dict[str, Tensor]) -> np.ndarray:
    """What a network gives after each step, ``(sequence, step, ...)``."""
    with torch.no_grad():
        if isinstance(model, ManyToMany) and model.transitions is not None:
            return _path_scores(model, inputs).numpy()
        if not isinstance(model, ManyToOne):
            return model(inputs)[0].numpy()
        steps = next(iter(inputs.values())).shape[1]
        so_far = [
            model({name: each[:, :stop] for name, each in inputs.items()})[0] for stop in range(1, steps + 1)
        ]
        return torch.stack(so_far, 1).numpy()


def _path_scores(model: ManyToMany, inputs: dict[str, Tensor]) -> Tensor:
    """Of each tag the score of the best path that ends in it at each step, less the best of all."""
    assert model.transitions is not None
    emissions = model._outputs(inputs, model.recurrent(model._features(inputs))[0])
    best = model.transitions.start + emissions[:, 0]
    scores = [best]
    for step in range(1, emissions.shape[1]):
        best = (best.unsqueeze(2) + model.transitions.transition).amax(1) + emissions[:, step]
        scores.append(best)
    made = torch.stack(scores, 1)
    return made - made.amax(-1, keepdim=True)


def best_paths(model: SequenceModel, inputs: dict[str, Tensor], most: int) -> np.ndarray | None:
    """The tags of the latest steps on each sequence's best path, ``(sequence, step)``; None without a CRF."""
    if not isinstance(model, ManyToMany) or model.transitions is None:
        return None
    with torch.no_grad():
        potentials = model(inputs)[0]
        return best_path(potentials, torch.full(potentials.shape[:1], potentials.shape[1]))[:, -most:].numpy()
