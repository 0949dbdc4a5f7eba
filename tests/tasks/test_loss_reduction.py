"""Every task with a target a step averages or sums its loss over them, as asked."""

import numpy as np
import pandas as pd
import pytest
import torch

from tests.tolerances import tolerance
from unrolled.tasks.classify import Classifier
from unrolled.tasks.forecast import Forecaster
from unrolled.tasks.generate import Generator
from unrolled.tasks.tag import Tagger

WORDS = [["the", "cat", "runs"], ["a", "dog", "sits"]] * 2
SENTENCES = [(words, ["D", "N", "V"]) for words in WORDS]
SPANS = [(words, ["O", "B-X", "O"]) for words in WORDS]
SONGS = [[[60], [62, 64], [60], [65], []]] * 4
WAVE = pd.DataFrame({"t": range(60), "y": np.sin(np.arange(60.0))})
LAGS = {"context": 8, "lags": 2, "horizon": 1, "batch_size": 4}


@pytest.mark.parametrize(
    ("kind", "options", "data", "steps"),
    [
        (Tagger, {"min_count": 1}, SENTENCES, 3),
        (Tagger, {"min_count": 1}, SPANS, 3),
        (Generator, {"window": 10, "batch_size": 2, "dropout": 0.0}, ["deep in the sea of " * 20], 10),
        (Generator, {"unit": "notes", "window": 4, "batch_size": 8}, SONGS, 4),
        # The first of eight steps has too little behind it for two lags, and no target.
        (Forecaster, LAGS, WAVE, 7),
        (Classifier, {}, [("a b c", "x"), ("a b d", "y")], 1),
    ],
    ids=["tag", "crf", "text", "notes", "forecast", "classify"],
)
def test_the_first_loss_is_as_many_times_the_average_as_there_are_steps(kind, options, data, steps):
    tiny = {"hidden_size": 3, "epochs": 1, **options}
    dev = None if kind is Forecaster else data
    mean, summed = (
        kind(loss_reduction=reduction, **tiny).fit(data, dev=dev).history.updates[0].loss
        for reduction in ("mean", "sum")
    )
    assert summed == pytest.approx(steps * mean, rel=tolerance(torch.float32, "value")["rtol"])
