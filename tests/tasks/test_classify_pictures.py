"""The classifier on images and clips, end to end on tiny data."""

import numpy as np
import pytest
import torch
from PIL import Image

from unrolled.data.loading import load_labelled
from unrolled.errors import DataError
from unrolled.tasks.classify import Classifier
from unrolled.tasks.registry import load

TINY = {"hidden_size": 8, "epochs": 1}


def bars(count, seed):
    """Images with a bright row in the upper or the lower half."""
    generator = np.random.default_rng(seed)
    pairs = []
    for _ in range(count):
        image = generator.integers(0, 60, size=(8, 6, 1)).astype(np.uint8)
        row = int(generator.integers(8))
        image[row] = 220
        pairs.append((image, "upper" if row < 4 else "lower"))
    return pairs


def save(pairs, folder):
    """The pairs as a folder for every class."""
    for number, (image, label) in enumerate(pairs):
        (folder / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[:, :, 0]).save(folder / label / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def small():
    return Classifier(**TINY).fit(bars(40, seed=0))


def test_learns_where_a_bright_row_is():
    classifier = Classifier(hidden_size=16, epochs=10, learning_rate=0.02).fit(bars(300, seed=0))
    evaluation = classifier.evaluate(bars(100, seed=1))
    assert evaluation.scores["accuracy"] > 0.95
    assert evaluation.baselines.keys() == {"majority class", "logistic regression on pixels"}
    assert evaluation.examples[0]["input"].startswith("data:image/png;base64,")


def test_what_was_found_in_the_images_is_said_and_kept(small):
    assert small.effective.image_size == (8, 6)
    assert small.effective.colour is False
    assert any("images, so by default: image_size 8 × 6, no colour" in note for note in small.notices)
    assert small.effective.epochs == 1  # asked for
    assert small.effective.batch_size == 64  # suits images


def test_a_folder_predicts_as_its_images_do(small, tmp_path):
    pairs = sorted(bars(12, seed=2), key=lambda pair: pair[1])
    folder = save(pairs, tmp_path / "images")
    assert small.evaluate(folder).scores == small.evaluate(pairs).scores
    first = sorted((folder / "lower").iterdir())[0]
    assert small.predict(first) == small.predict(str(first)) == small.predict([first])
    big = tmp_path / "big.png"
    Image.open(first).resize((60, 80)).convert("RGB").save(big)
    assert len(small.predict(big)) == 1


def test_saved_and_loaded_predicts_the_same(small, tmp_path):
    small.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    images = [image for image, _ in bars(20, seed=3)]
    assert np.array_equal(loaded.predict_proba(images), small.predict_proba(images))
    assert loaded.evaluate(bars(20, seed=3)).baselines == small.evaluate(bars(20, seed=3)).baselines


def test_numbers_as_targets_of_images(tmp_path):
    pairs = [(image, float(image[0, 0, 0]) / 7) for image, _ in bars(40, seed=0)]
    classifier = Classifier(**TINY).fit(pairs)
    evaluation = classifier.evaluate(pairs)
    assert evaluation.baselines.keys() == {"mean", "ridge regression on pixels"}
    classifier.save(tmp_path / "model")
    assert load(tmp_path / "model").evaluate(pairs).baselines == evaluation.baselines


@pytest.fixture(scope="module")
def clips():
    examples = load_labelled("moving-shapes:10")
    return [(example.inputs, example.target) for example in examples[:60]]


def test_clips_train_a_frame_encoder(clips, tmp_path):
    classifier = Classifier(**TINY, frames=6).fit(clips)
    assert classifier.effective.image_size == (24, 24)
    assert classifier.first_batch(clips).inputs["pixels"].shape[1:] == (6, 24, 24, 1)
    untrained = Classifier(**TINY, frames=6).untrained(clips)
    before, after = (each.model.inputs.encoder.convolutions[0][0].weight for each in (untrained, classifier))
    assert not torch.equal(before, after)
    classifier.save(tmp_path / "model")
    frames = [clip for clip, _ in clips[:10]]
    assert load(tmp_path / "model").predict(frames) == classifier.predict(frames)
    assert load(tmp_path / "model").effective.frames == 6


def test_predictions_do_not_depend_on_company(clips):
    classifier = Classifier(**TINY).fit(clips)
    frames = [clips[0][0], clips[1][0][:4], clips[2][0][:7]]
    together = classifier.predict_proba(frames)
    alone = np.concatenate([classifier.predict_proba([clip]) for clip in frames])
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)


def test_moving_shapes_tell_nothing_at_rest():
    examples = load_labelled("moving-shapes:10")
    assert {example.target for example in examples} == {"up", "down", "left", "right"}
    assert examples[0].inputs.shape == (10, 24, 24, 1)
    means = {
        label: np.mean([one.inputs[0] for one in examples if one.target == label], axis=0)
        for label in ("left", "right")
    }
    assert np.abs(means["left"] - means["right"]).max() < 40


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("a text", "a text: expected a file, found none"),
        (np.zeros((3, 8, 6, 1), np.uint8), "row 1: expected an image as in training"),
        (
            np.zeros((8, 6, 2), np.uint8),
            "row 1: expected an image .height, width, channel. or frames of such",
        ),
        (
            np.zeros((0, 8, 6, 1), np.uint8),
            "row 1: expected an image .height, width, channel. or frames of such",
        ),
    ],
)
def test_what_is_no_image(small, inputs, message):
    with pytest.raises(DataError, match=message):
        small.predict([inputs])
