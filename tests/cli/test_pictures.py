"""Images and clips on the command line."""

import json

import numpy as np
import pytest
from PIL import Image

TINY = ["--hidden-size", "4", "--epochs", "1"]


@pytest.fixture
def pictures(tmp_path):
    """A folder of images with metadata, and one for every class."""
    generator = np.random.default_rng(0)
    rows = ["file_name,text"]
    for number in range(16):
        word = ("dark", "light")[number % 2]
        pixels = generator.integers(0, 60, size=(8, 8), dtype=np.uint8) + 180 * (number % 2)
        for folder in (tmp_path / "described", tmp_path / "classes" / word):
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
        rows.append(f"{number}.png,a {word} image")
    (tmp_path / "described" / "metadata.csv").write_text("\n".join(rows))
    return tmp_path


@pytest.mark.parametrize(("task", "data"), [("classify", "classes"), ("caption", "described")])
def test_from_a_folder_to_the_prediction_of_one_image(task, data, pictures, unrolled):
    trained = unrolled("train", task, data, "-o", "m", *TINY)
    assert trained.code == 0, trained.err
    assert "image_size 8" in trained.err
    assert '<img src="data:image/png;base64,' in (pictures / "m" / "report.html").read_text()
    alone = unrolled("predict", "m", "described/3.png")
    assert len(alone.out.splitlines()) == 1
    assert unrolled("predict", "m", input="described/3.png\n").out == alone.out
    assert len(unrolled("predict", "m", data).out.splitlines()) == 16
    assert unrolled("evaluate", "m", data, "--json").json["count"] == 16
    assert unrolled("inspect", "m", data).code == 0


def test_texts_are_searched_for_or_drawn_for_a_class(models, unrolled):
    best = unrolled("predict", models["caption"], "--beam-size", "2", input="cat\ndog\n")
    assert len(best.out.splitlines()) == 2
    named = unrolled("predict", models["caption"], "--beam-size", "2", input='{"kind": "cat"}\n')
    assert named.out == best.out.splitlines(keepends=True)[0]
    drawn = unrolled("predict", models["caption"], "--temperature", "1", "--n-best", "3", input="cat\n")
    assert len(drawn.out.splitlines()) == 4
    made = unrolled("predict", models["caption"], "--json", input="cat\n").json
    assert made["task"] == "caption"


@pytest.mark.parametrize("task", ["classify", "caption"])
def test_bad_pictures_are_named_in_one_sentence(task, pictures, unrolled):
    (pictures / "described" / "2.png").write_bytes(b"nothing")
    (pictures / "classes" / "dark" / "2.png").write_bytes(b"nothing")
    done = unrolled("train", task, "described" if task == "caption" else "classes", *TINY)
    assert done.code == 2
    assert "2.png: expected an image that can be decoded" in done.err.splitlines()[-1]
    metadata = pictures / "described" / "metadata.csv"
    metadata.write_text("file_name,text\ngone.png,a text\n")
    error = json.loads(unrolled("train", task, "described", "--json").out)["error"]
    assert "metadata.csv, row 2, column 'file_name'" in error
    assert "gone.png" in error
