"""Further columns beside a text or a sequence of numbers: classes and numbers."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from unrolled.errors import DataError
from unrolled.tasks.classify import Classifier

TINY = {"hidden_size": 8, "epochs": 12, "learning_rate": 0.02}


def reviews(count, seed):
    """The label is told by the text, turned round for one shop, and by the price where it says nothing."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        text, shop = random.choice(["fine", "dull", "so so"]), random.choice(["here", "there"])
        price = round(float(random.uniform(0, 10)), 2)
        good = price < 5 if text == "so so" else (text == "fine") == (shop == "here")
        rows.append(
            {"text": f"a {text} film", "shop": shop, "price": price, "label": "good" if good else "bad"}
        )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def classifier():
    return Classifier(**TINY, text_column="text", feature_columns=("shop", "price")).fit(
        reviews(300, seed=0), dev=reviews(60, seed=1)
    )


def test_what_is_beside_a_text_is_read(classifier):
    test = reviews(100, seed=2)
    assert classifier.evaluate(test).scores["accuracy"] > 0.9
    alone = Classifier(**TINY, text_column="text").fit(reviews(300, seed=0), dev=reviews(60, seed=1))
    assert alone.evaluate(test).scores["accuracy"] < 0.75
    assert any("shop" in note for note in alone.notices)  # what is left out is said


def test_baselines_read_the_same_columns(classifier):
    scores = classifier.evaluate(reviews(100, seed=2)).baselines
    assert scores["bag-of-words logistic regression"]["accuracy"] > 0.6


def test_files_frames_and_objects_are_read_alike(classifier, tmp_path):
    frame = reviews(9, seed=3)
    frame.to_csv(tmp_path / "test.csv", index=False)
    expected = classifier.predict(frame)
    assert classifier.predict(tmp_path / "test.csv") == expected
    objects = frame.drop(columns="label").rename(columns={"text": "input"}).to_dict("records")
    assert classifier.predict(objects) == expected
    schema = classifier.input_schema()
    assert schema.json_schema()["required"] == ["input", "shop", "price"]
    assert classifier.predict([schema.from_json(each) for each in objects]) == expected
    assert classifier.predict(list(schema.lines(map(json.dumps, objects)))) == expected
    # On standard input such an object is an input, one with the training data's columns a row of a table.
    assert classifier.file_ending(json.dumps(objects[0])) is None
    assert classifier.file_ending(json.dumps(frame.iloc[0].to_dict())) == ".jsonl"
    classifier.save(tmp_path / "model")
    assert Classifier.load(tmp_path / "model").predict(frame) == expected


def test_numbers_and_images_may_have_columns_beside_them(tmp_path):
    random = np.random.default_rng(0)
    data = [
        ({"values": random.normal(size=(5, 2)), "place": place}, "up" if place == "north" else "down")
        for place in random.choice(["north", "south"], 60)
    ]
    classifier = Classifier(**TINY, feature_columns=("place",)).fit(data, dev=data)
    assert classifier.evaluate(data).scores["accuracy"] == 1
    rows = []
    for number in range(30):
        Image.fromarray((random.random((6, 6)) * 255).astype(np.uint8)).save(tmp_path / f"{number}.png")
        rows.append({"file_name": f"{number}.png", "label": "ab"[number % 2], "side": "lr"[number % 2]})
    pd.DataFrame(rows).to_csv(tmp_path / "metadata.csv", index=False)
    pictures = Classifier(**TINY, feature_columns=("side",)).fit(tmp_path)
    assert pictures.evaluate(tmp_path).scores["accuracy"] == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("a fine film", "expected an object with shop, price beside the sequence"),
        (
            {"input": "fine", "shop": "here"},
            "expected one sequence and shop, price beside it, got input, shop",
        ),
        (
            {"input": "fine", "shop": "here", "price": None},
            "column 'price': expected a class or a number, got nothing",
        ),
        (
            {"input": "fine", "shop": "here", "price": "dear"},
            "column 'price': expected a number as in training",
        ),
        ({"input": "fine", "shop": "nowhere", "price": 1}, "expected a shop seen in training"),
    ],
)
def test_wrong_objects(classifier, given, message):
    with pytest.raises(DataError, match=message):
        classifier.predict([given])


def test_wrong_tables(classifier, tmp_path):
    frame = reviews(9, seed=3)
    with pytest.raises(DataError, match="price"):
        classifier.predict(frame.drop(columns="price"))
    frame.loc[4, "shop"] = None
    frame.to_csv(tmp_path / "gaps.csv", index=False)
    with pytest.raises(
        DataError, match=r"gaps\.csv, row 6, column 'shop': expected a class or a number, got nothing"
    ):
        classifier.predict(tmp_path / "gaps.csv")
    (tmp_path / "lines.txt").write_text("__label__good a fine film\n__label__bad dull\n")
    with pytest.raises(DataError, match="expected the columns shop beside the sequence, got none"):
        Classifier(**TINY, feature_columns=("shop",)).fit(tmp_path / "lines.txt")
