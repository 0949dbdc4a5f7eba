import importlib.util
import json
import re
import subprocess

import numpy as np
import pandas as pd
import pytest
import torch

import unrolled
from tests.tasks import every_task
from unrolled.errors import ConfigError


def runner(folder):
    """The exported folder's own run.py, which knows nothing of this package."""
    spec = importlib.util.spec_from_file_location("exported_run", folder / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Model(folder)


def test_a_forecaster_gives_the_same_from_onnx_and_c(tmp_path):
    generator = np.random.default_rng(0)
    rows = {
        "ds": np.arange("2024-01-01", "2024-03-21", dtype="datetime64[D]").astype("datetime64[ns]"),
        "y": 50 + np.sin(np.arange(80) / 3) + 0.1 * generator.normal(size=80),
        "wind": generator.normal(size=80),
    }
    forecaster = unrolled.Forecaster(hidden_size=4, epochs=1, horizon=3).fit(pd.DataFrame(rows))
    done = unrolled.export.onnx(forecaster, tmp_path / "onnx")
    assert done.difference < 1e-4
    expected = forecaster.predict()
    found = runner(tmp_path / "onnx").predict([None])[0]
    for one, other in zip(expected, found, strict=True):
        assert list(one) == list(other)
        assert one["ds"] == other["ds"]
        numbers = [name for name in one if name.startswith("y")]
        assert [other[name] for name in numbers] == pytest.approx([one[name] for name in numbers], rel=1e-5)
    as_c = unrolled.export.c(forecaster, tmp_path / "c", name="weather")  # builds and runs its test program
    assert as_c.numbers["state bytes"] > 0


def test_a_translator_writes_the_same_from_onnx(tmp_path):
    pairs = [("a b c", "c b a"), ("b c", "c b"), ("a c", "c a"), ("c", "c")] * 3
    translator = unrolled.Translator(
        hidden_size=6,
        epochs=2,
        embedding_size=4,
        beam_size=3,
        copying=True,
        input_feeding=True,
        unit="word",
        target_unit="word",
    ).fit(pairs, dev=pairs)
    unrolled.export.onnx(translator, tmp_path, data=pairs)
    sources = ["a b", "c zebra a", "", "b b b b c"]
    assert runner(tmp_path).predict(sources) == translator.predict(sources)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_a_classifier_of_numbers_becomes_c(pooling, tmp_path):
    generator = np.random.default_rng(0)
    data = [(generator.normal(size=(5, 2)), "ab"[row % 2]) for row in range(6)]
    options = {"hidden_size": 3, "epochs": 1, "bidirectional": False, "pooling": pooling, "skip": True}
    classifier = unrolled.Classifier(**options).fit(data, dev=data)
    done = unrolled.export.c(classifier, tmp_path, int8=True)
    assert "microseconds a step" in done.numbers


def test_gaps_and_convolutions_become_onnx(tmp_path):
    generator = np.random.default_rng(0)
    data = []
    for row in range(8):
        values = generator.normal(size=(5 + row % 3, 2))
        values[generator.random(values.shape) < 0.3] = np.nan
        data.append((values, "ab"[row % 2]))
    classifier = unrolled.Classifier(hidden_size=3, epochs=1, filters=4).fit(data, dev=data)
    unrolled.export.onnx(classifier, tmp_path / "onnx", data=data)
    inputs = [values for values, _ in data]
    assert runner(tmp_path / "onnx").predict(inputs) == classifier.predict(inputs)
    with pytest.raises(ConfigError, match="without missing numbers"):
        unrolled.export.c(classifier, tmp_path / "c")


def test_covariates_known_ahead_become_onnx(tmp_path):
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"t": np.arange(83), "y": generator.normal(size=83), "price": generator.random(83)})
    frame.loc[80:, "y"] = np.nan
    options = {"hidden_size": 3, "epochs": 1, "horizon": 3, "refit": False}
    forecaster = unrolled.Forecaster(**options).fit(frame)
    unrolled.export.onnx(forecaster, tmp_path / "onnx")
    made, expected = runner(tmp_path / "onnx").predict([None])[0], forecaster.predict()
    for name in ("y", "y_0.1", "y_0.9"):
        assert [row[name] for row in made] == pytest.approx([row[name] for row in expected], abs=1e-5)
    with pytest.raises(ConfigError, match="price: expected covariates known up to the present"):
        unrolled.export.c(forecaster, tmp_path / "c")


def test_what_needs_the_sequences_end_is_refused(tmp_path):
    data = [(np.arange(4.0), "a"), (np.arange(5.0), "b")]
    classifier = unrolled.Classifier(hidden_size=3, epochs=1, bidirectional=True).fit(data, dev=data)
    with pytest.raises(ConfigError, match="--no-bidirectional"):
        unrolled.export.c(classifier, tmp_path)
    with pytest.raises(ConfigError, match="fitted estimator"):
        unrolled.export.c(torch.nn.LSTM(2, 3), tmp_path)


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("most", [5, 256])
def test_a_tagger_with_a_crf_names_its_best_path_in_c(int8, most, tmp_path):
    generator = np.random.default_rng(0)
    data = [(generator.normal(size=(6, 2)), list("abcabc")) for _ in range(4)]
    tagger = unrolled.Tagger(hidden_size=4, bidirectional=False, crf=True, epochs=1).fit(data, dev=data)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in tagger.model.transitions.parameters():
            parameter.normal_(std=2)
        tagger.model.output.weight.normal_(std=2)
    done = unrolled.export.c(tagger, tmp_path, name="tags", int8=int8, path_steps=most)
    header, test = done.files[0].read_text(), done.files[2].read_text()
    assert f"#define TAGS_PATH {most}" in header
    assert done.numbers["microseconds a step"] > 0  # its test program gave scores and paths
    expected = re.search(r"int paths\[\d+\] = \{([^}]*)\}", test)[1]
    assert len(set(expected.split(", "))) > 1
    with pytest.raises(ConfigError, match="path_steps"):
        unrolled.export.c(tagger, tmp_path, path_steps=0)


@pytest.mark.parametrize("scaling", ["standard", "log"])
def test_a_forecaster_of_several_series_becomes_c(scaling, tmp_path):
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(["a */ b", "/* c", "d", "e"], 40),
            "ds": np.tile(np.arange(40), 4),
            "y": np.exp(generator.normal(size=160).cumsum() / 5) * np.repeat([1, 1e3, 0.1, 50], 40),
        }
    )
    options = {"hidden_size": 3, "epochs": 1, "horizon": 2, "scaling": scaling, "context": 8}
    forecaster = unrolled.Forecaster(**options).fit(frame)
    done = unrolled.export.c(forecaster, tmp_path, name="shops")
    assert "shops_begin(shops_state *state, int series);" in done.files[0].read_text()
    # As in Python: the series' latest numbers in, what follows out.
    (series,) = [one for one in forecaster._latest if one.unique_id == "/* c"]
    values = series.values[-8:]
    numbers = ", ".join(f"{value:.9g}f" if "." in f"{value:.9g}" else f"{value:.9g}.0f" for value in values)
    (tmp_path / "main.c").write_text(
        f"""#include "shops.h"
#include <stdio.h>
int main(void)
{{
    static const float rows[] = {{{numbers}}};
    static shops_state state;
    float output[SHOPS_OUTPUTS];
    int at;
    shops_begin(&state, {[one.unique_id for one in forecaster._latest].index("/* c")});
    for (at = 0; at < 8; at++) shops_step(&state, rows + at, output);
    for (at = 0; at < SHOPS_OUTPUTS; at++) printf("%.9g\\n", (double)output[at]);
    return 0;
}}
"""
    )
    strict = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "shops.c", "main.c", "-lm", "-o", "main"]
    subprocess.run(strict, cwd=tmp_path, check=True)
    said = subprocess.run(["./main"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    made = np.array(said.split(), dtype=float).reshape(2, -1)[:, 0]
    expected = [row["y"] for row in forecaster.predict() if row["unique_id"] == "/* c"]
    assert made == pytest.approx(expected, rel=1e-4)


def test_characters_in_a_row_become_onnx(tmp_path):
    names = [(f"{stem}{end}", end) for stem in ("an", "bert", "carol", "d") for end in ("ini", "sson")]
    classifier = unrolled.Classifier(hidden_size=3, epochs=1, unit="characters").fit(names, dev=names)
    assert classifier.effective.grams == 4
    unrolled.export.onnx(classifier, tmp_path / "onnx", data=names)
    inputs = [name for name, _ in names] + ["x", "ini"]
    assert runner(tmp_path / "onnx").predict(inputs) == classifier.predict(inputs)
    with pytest.raises(ConfigError, match="expected grams=1"):
        unrolled.export.c(classifier, tmp_path / "c")
    asked = {"hidden_size": 3, "epochs": 1, "unit": "characters", "grams": 3, "bidirectional": False}
    one_way = unrolled.Classifier(**asked, pooling="last", skip=False).fit(names, dev=names)
    assert not one_way.model.causal
    with pytest.raises(ConfigError, match="expected grams=1"):
        unrolled.export.c(one_way, tmp_path / "c")
    del asked["grams"]  # who reads in one direction may mean to read character by character
    assert unrolled.Classifier(**asked).fit(names, dev=names).effective.grams == 1


def test_a_regressor_gives_the_same_from_onnx(tmp_path):
    generator = np.random.default_rng(0)
    inputs = [generator.normal(size=(5 + row % 3, 2)) for row in range(8)]
    data = [(values, float(values.sum())) for values in inputs]
    regressor = unrolled.Regressor(hidden_size=3, epochs=1, bidirectional=False).fit(data, dev=data)
    unrolled.export.onnx(regressor, tmp_path, data=data)
    assert runner(tmp_path).predict(inputs) == pytest.approx(list(regressor.predict(inputs)), rel=1e-4)


@pytest.mark.parametrize("name", ["classes", "subjects", "text", "notes"])
def test_what_writes_gives_the_same_from_onnx(name, tmp_path):
    model = every_task.model_of(name)
    inputs = {
        "classes": [{"kind": "dog", "size": 1.0}, {"kind": "cat", "size": 0.5}],
        "subjects": [picture for picture, _ in every_task.pictures(3)],
        "text": ["deep", "", "of"],
        "notes": [[[60], [62, 64]], []],
    }[name]
    data = {"classes": every_task.CLASSES, "subjects": every_task.pictures(4)}.get(name)
    unrolled.export.onnx(model, tmp_path, data=data)
    certain = {"temperature": 0, "length": 12} if data is None else {}
    assert runner(tmp_path).predict(inputs, **certain) == list(model.predict(inputs, **certain))


def test_a_series_as_the_service_takes_it(tmp_path):
    forecaster, given = every_task.model_of("series"), every_task.HANDED_OVER["series"]
    unrolled.export.onnx(forecaster, tmp_path)
    expected = [row["y"] for row in forecaster.predict(pd.DataFrame(given))]
    for series in (given, json.dumps(given)):
        (made,) = runner(tmp_path).predict([series])
        assert [row["y"] for row in made] == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ValueError, match="expected one column of numbers beside"):
        runner(tmp_path).predict([{"help": [0.0] * 20}])


def test_run_py_knows_every_task():
    from unrolled.export import run
    from unrolled.tasks.registry import task_names

    assert set(run._TASKS) == set(task_names())


@pytest.mark.parametrize("tied", [False, True])
def test_a_generator_becomes_c_in_bytes(tied, tmp_path):
    text = ["deep learning of text " * 12]
    options = {"hidden_size": 5, "embedding_size": 5, "epochs": 1, "batch_size": 2, "tied": tied}
    generator = unrolled.Generator(**options).fit(text)
    assert unrolled.export.c(generator, tmp_path, int8=True).numbers["state bytes"] > 0


def test_a_translator_is_refused_in_a_sentence(tmp_path):
    pairs = [("a b", "b a"), ("b", "b")] * 4
    translator = unrolled.Translator(hidden_size=3, embedding_size=2, epochs=1).fit(pairs, dev=pairs)
    with pytest.raises(ConfigError, match="a step at a time"):
        unrolled.export.c(translator, tmp_path)
