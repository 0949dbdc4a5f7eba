"""CPU seconds until a score is reached: ours until it has the best of a peer's, and the peer's until then.

    python -m benchmarks.quality.time_to_score DATA_FOLDER PYTHON [--quick] [sst2 | ewt | flair | m4 ...]

PYTHON is an interpreter of an environment with the packages keras (with the backend torch), flair and
neuralforecast. The peers are what their users would write first: in Keras vectors of 100 numbers (EWT: 64),
a bidirectional LSTM of 64 units and a dense layer, Adam and batches of 32; flair's SequenceTagger of 256
units with its conditional random field, on vectors of words and of characters that it learns, by its
trainer's own rate and batches, for EWT too; of neuralforecast its LSTM, as it comes, for 300 steps (a third
of them with ``--quick``). Scores are those of the dev part (M4: of the last 48 hours of the training part),
after each of the peer's epochs. Time counts from when the data is read, in seconds of all threads, of which
there is one.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

EVERY = 3 if "--quick" in sys.argv else 1
"""So many-th sentence or series is read; of EWT its square."""

Curve = list[tuple[float, float]]
"""The CPU seconds and the score after each epoch."""


def sst2(folder: Path, part: str) -> list[tuple[list[str], str]]:
    """Words in lower case, and the class."""
    rows = (line.rsplit("\t", 1) for line in (folder / "sst2" / f"{part}.tsv").read_text().splitlines())
    return [(text.lower().split(), label) for text, label in rows if label in ("0", "1")][::EVERY]


def ewt(folder: Path, part: str) -> list[tuple[list[str], list[str]]]:
    """Words, and their parts of speech."""
    text = (folder / "ud_english_ewt" / f"en_ewt-ud-{part}.conllu").read_text().strip()
    found = []
    for block in text.split("\n\n")[:: EVERY**2]:
        rows = [line.split("\t") for line in block.split("\n") if line[0] != "#"]
        words = [(row[1].lower(), row[3]) for row in rows if row[0].isdigit()]
        found.append(([word for word, _ in words], [tag for _, tag in words]))
    return found


def keras_curve(
    train: list[Any], dev: list[Any], by_step: bool, size: int, epochs: int
) -> Iterator[tuple[float, float]]:
    """A Keras LSTM's score after every epoch."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import numpy as np

    began = time.process_time()
    words = {w: at for at, w in enumerate(dict.fromkeys(w for text, _ in train for w in text), 2)}
    targets = [target if by_step else [target] for _, target in train]
    labels = {label: at for at, label in enumerate(sorted({each for row in targets for each in row}))}

    def arrays(rows: list[Any]) -> tuple[Any, Any, Any]:
        x = [[words.get(word, 1) for word in text][:100] for text, _ in rows]
        y = [[labels.get(t, 0) for t in (target if by_step else [target])][:100] for _, target in rows]
        pad = keras.utils.pad_sequences
        read = pad(x, padding="post")
        wanted = pad(y, padding="post", maxlen=read.shape[1]) if by_step else np.array(y)[:, 0]
        return read, wanted, (read > 0).astype("float32") if by_step else None

    model = keras.Sequential(
        [
            keras.layers.Embedding(len(words) + 2, size, mask_zero=True),
            keras.layers.Bidirectional(keras.layers.LSTM(64, return_sequences=by_step)),
            keras.layers.Dense(len(labels), activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    (x, y, weight), (dev_x, dev_y, dev_weight) = arrays(train), arrays(dev)
    for _ in range(epochs):
        model.fit(x, y, sample_weight=weight, batch_size=32, verbose=0)
        right = model.predict(dev_x, batch_size=100, verbose=0).argmax(-1) == dev_y
        yield time.process_time() - began, float(np.average(right, weights=dev_weight))


def flair_curve(train: list[Any], dev: list[Any], epochs: int) -> Iterator[tuple[float, float]]:
    """The accuracy of flair's tagger after every epoch."""
    import tempfile

    from flair.data import Corpus, Dictionary, Sentence
    from flair.datasets import FlairDatapointDataset
    from flair.embeddings import CharacterEmbeddings, OneHotEmbeddings, StackedEmbeddings
    from flair.models import SequenceTagger
    from flair.trainers import ModelTrainer

    began = time.process_time()

    def sentences(rows: list[Any]) -> FlairDatapointDataset:
        made = []
        for words, tags in rows:
            made.append(Sentence(words))
            for token, tag in zip(made[-1], tags, strict=True):
                token.add_label("pos", tag)
        return FlairDatapointDataset(made)

    corpus = Corpus(train=sentences(train), dev=sentences(dev), sample_missing_splits=False)
    characters = Dictionary()  # those of the data; flair would fetch a file of common ones
    for letter in sorted({letter for words, _ in train for word in words for letter in word}):
        characters.add_item(letter)
    vectors = [
        OneHotEmbeddings.from_corpus(corpus, embedding_length=100, min_freq=1),
        CharacterEmbeddings(characters),
    ]
    tagger = SequenceTagger(
        embeddings=StackedEmbeddings(vectors),
        tag_dictionary=corpus.make_label_dictionary("pos", add_unk=False),
        tag_type="pos",
        hidden_size=256,
    )
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(epochs):
            # Plain descent keeps nothing from one epoch to the next, so each may be a training of its own.
            ModelTrainer(tagger, corpus).train(
                folder, max_epochs=1, save_final_model=False, main_evaluation_metric=("micro avg", "f1-score")
            )
            scored = tagger.evaluate(corpus.dev, gold_label_type="pos", mini_batch_size=32)
            yield time.process_time() - began, float(scored.main_score)


def neural_curve(file: Path) -> Iterator[tuple[float, float]]:
    """The mean absolute scaled error of neuralforecast's LSTM on the last 48 hours."""
    import numpy as np
    import pandas as pd
    from neuralforecast import NeuralForecast
    from neuralforecast.models import LSTM

    wide = pd.read_csv(file)
    series = {row.iloc[0]: row.iloc[1:].dropna().to_numpy(float) for _, row in wide[::EVERY].iterrows()}
    began = time.process_time()
    long = pd.concat(
        pd.DataFrame({"unique_id": name, "ds": range(len(y) - 48), "y": y[:-48]})
        for name, y in series.items()
    )
    model = LSTM(
        h=48,
        input_size=96,
        max_steps=300 // EVERY,
        scaler_type="robust",
        enable_progress_bar=False,
        logger=False,
    )
    forecast = NeuralForecast([model], freq=1)
    forecast.fit(long, val_size=0)
    made = forecast.predict()
    errors = [
        np.abs(made[made["unique_id"] == name]["LSTM"].to_numpy() - y[-48:]).mean()
        / np.abs(y[24:-48] - y[:-72]).mean()
        for name, y in series.items()
    ]
    yield time.process_time() - began, float(np.mean(errors))


PEERS: dict[str, Callable[[Path], Iterator[tuple[float, float]]]] = {
    "sst2": lambda folder: keras_curve(sst2(folder, "train"), sst2(folder, "dev"), False, 100, 5),
    "ewt": lambda folder: keras_curve(ewt(folder, "train"), ewt(folder, "dev"), True, 64, 3),
    "flair": lambda folder: flair_curve(ewt(folder, "train"), ewt(folder, "dev"), 3),
    "m4": lambda folder: neural_curve(folder / "m4_hourly" / "Hourly-train.csv"),
}


def ours(name: str, folder: Path, enough: Callable[[float], bool]) -> Curve:
    """Our score after every epoch, until it is enough."""
    from unrolled import Classifier, Forecaster, Tagger
    from unrolled.data.loading import load_series
    from unrolled.training.callback import Callback

    curve: Curve = []

    class Watch(Callback):
        def on_validation_end(self, trainer: Any, model: Any) -> None:
            curve.append((time.process_time() - began, trainer.callback_metrics[score]))
            trainer.should_stop = enough(curve[-1][1])

    score = "mase" if name == "m4" else "accuracy"
    if name == "m4":
        whole = load_series(str(folder / "m4_hourly" / "Hourly-train.csv"))[::EVERY]
        began = time.process_time()
        train = [one.slice(0, len(one) - 48) for one in whole]
        dev = [one.slice(len(one) - 48, len(one)) for one in whole]
        Forecaster(horizon=48).fit(train, dev=dev, callbacks=[Watch()])
    else:
        read = sst2 if name == "sst2" else ewt
        made = [
            [(" ".join(w), t) if name == "sst2" else (w, t) for w, t in read(folder, part)]
            for part in ("train", "dev")
        ]
        began = time.process_time()
        (Classifier if name == "sst2" else Tagger)().fit(made[0], dev=made[1], callbacks=[Watch()])
    return curve


def compared(name: str, folder: Path, python: str) -> None:
    """Print both sides."""
    from benchmarks.machine import machine

    asked = [python, __file__, str(folder), "peer", name, *(["--quick"] if EVERY > 1 else [])]
    lines = subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    curve: Curve = json.loads(lines[-1])
    less = name == "m4"
    seconds, wanted = min(curve, key=lambda point: point[1] if less else -point[1])
    reached = ours(name, folder, lambda score: score <= wanted if less else score >= wanted)
    spent, score = reached[-1]
    print(
        f"{name}: peer {wanted:.4f} after {seconds:.0f} s, unrolled {score:.4f} after {spent:.0f} s, "
        f"{len(reached)} epochs: {seconds / spent:.1f} times as fast"
        f"{', of a part' * (EVERY > 1)} on {machine()}",
        flush=True,
    )


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if sys.argv[2] == "peer":
        import torch

        torch.set_num_threads(1)
        print(json.dumps(list(PEERS[sys.argv[3]](place))))
    else:
        for each in [each for each in sys.argv[3:] if each in PEERS] or PEERS:
            compared(each, place, sys.argv[2])
