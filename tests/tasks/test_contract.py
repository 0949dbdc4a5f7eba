"""What every task says of itself: what it takes, what the network reads, what it gives, step by step too."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import unrolled
from tests.tasks.every_task import HANDED_OVER, MADE, REVIEWS, TINY, model_of, wave
from unrolled.data.buckets import pad
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.inputs.schema import TextSchema
from unrolled.tasks.registry import estimator_class, options_classes, task_names
from unrolled.tasks.stream_state import StreamState

SOURCES = Path(unrolled.__file__).parent


@pytest.fixture(scope="module")
def models():
    return model_of


def test_every_task_is_among_them():
    assert {
        type(MADE[name]()).task
        for name in ("reviews", "ratings", "sentences", "pairs", "classes", "text", "series")
    } == set(task_names())


@pytest.mark.parametrize("name", MADE)
def test_json_in_and_json_out(models, name):
    model, given = models(name), HANDED_OVER[name]
    schema = model.input_schema()
    json.dumps(schema.json_schema())
    assert type(schema).model_validate_json(schema.model_dump_json()) == schema
    read = schema.from_json(json.loads(json.dumps(given)))
    made = [prediction.to_json() for prediction in model.predictions([read])]
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert [each["value"] for each in made] == model.predict([read])


@pytest.mark.parametrize("name", MADE)
def test_what_is_no_such_input_is_refused_in_a_sentence(models, name):
    schema = models(name).input_schema()
    wrong = {"a": "b"} if name not in ("classes", "series") else [1]
    with pytest.raises(DataError, match="expected"):
        schema.from_json(wrong)


@pytest.mark.parametrize("name", ["reviews", "strings", "numbers", "images", "sentences", "steps", "series"])
def test_the_network_may_run_elsewhere(models, name):
    model = models(name)
    given = [model.input_schema().from_json(HANDED_OVER[name])]
    (arrays,) = model.encode(given)
    inputs = {key: pad([values]) for key, values in arrays.items()}
    lengths = torch.tensor([len(next(iter(arrays.values())))])
    with torch.inference_mode():
        outputs, _ = model.model(inputs, lengths)
    output = outputs[0, -1] if name == "series" else outputs[0]
    assert [each.value for each in model.decode([output.numpy()], given)] == model.predict(given)


@pytest.mark.parametrize("name", ["pairs", "classes", "text"])
def test_symbols_written_elsewhere_are_read(models, name):
    model = models(name)
    given = [model.input_schema().from_json(HANDED_OVER[name])]
    items = model._encode(model._read_inputs(given))
    options = {"length": 7} if name == "text" else {}
    (written,) = model._run(items, model.chosen_options(options))
    symbols = written if name == "text" else written[0].symbols
    made = model.decode([np.array(symbols)], given, **options)
    assert [each.value for each in made] == model.predict(given, **options)


def _continued(stream, given, most=60):
    """What is written for an input, each step told by JSON what the one before has said."""
    pieces, state = [], None
    for _ in range(most):
        made = stream.step(given, state)
        state = StreamState.from_json(json.loads(json.dumps(made.state.to_json())))
        pieces.append(made.prediction.value)
        given = None
        if made.done:
            return pieces
    return pieces


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("text", {"length": 30, "seed": 3}),
        ("text", {"length": 30, "stop": "l"}),
        ("notes", {"length": 9, "seed": 1}),
    ],
)
def test_a_stream_writes_what_predict_writes(models, name, options):
    model, given = models(name), HANDED_OVER[name]
    (whole,) = model.predict([given], **options)
    pieces = _continued(model.stream(**options), given)
    assert ("".join(pieces) if name == "text" else pieces) == whole
    assert list(model.write_on(given, **options)) == list(whole)


@pytest.mark.parametrize("name", ["pairs", "classes"])
def test_a_text_comes_symbol_by_symbol(models, name):
    model, given = models(name), HANDED_OVER[name]
    assert "".join(_continued(model.stream(), given)) == model.predict([given])[0]
    with pytest.raises(ConfigError, match="beam_size: expected 1"):
        model.stream(beam_size=2)


@pytest.mark.parametrize("name", ["reviews", "numbers", "sentences", "steps"])
def test_an_input_may_come_step_by_step(models, name):
    model = models(name)
    whole = model.input_schema().from_json(HANDED_OVER[name])
    parts = whole.split() if isinstance(whole, str) else [whole[at : at + 1] for at in range(len(whole))]
    stream, state, said = model.stream(), None, []
    for part in parts:
        made = stream.step(part, state)
        state = StreamState.from_json(json.loads(json.dumps(made.state.to_json())))
        value = made.prediction.value
        said += value if model.task == "tag" else [value]
    (expected,) = model.predict([whole])
    assert (said if model.task == "tag" else said[-1]) == expected


def test_a_series_goes_on(models):
    model, frame = models("series"), wave()
    made = model.stream().step(frame[:100])
    assert made.prediction.value == model.predict(frame[:100])
    state = StreamState.from_json(json.loads(json.dumps(made.state.to_json())))
    later = model.stream().step(frame[100:103], state)
    expected = model.predict(frame[:103])
    assert [row["ds"] for row in later.prediction.value] == [row["ds"] for row in expected]
    found, right = ([row["y"] for row in rows] for rows in (later.prediction.value, expected))
    np.testing.assert_allclose(found, right, rtol=1e-5)


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y"])
def test_a_series_is_handed_over_whatever_its_columns_were_called(form, tmp_path):
    days = pd.date_range("2024-01-20", periods=90)
    table = pd.DataFrame(
        {"shop": "a", "day": days.strftime(form), "sold": np.sin(np.arange(90.0)), "help": np.arange(90) % 7}
    )
    table.to_csv(tmp_path / "sales.csv", index=False)
    model = unrolled.Forecaster(
        **TINY, horizon=2, context=14, id_column="shop", target_column="sold", dayfirst=form == "%d.%m.%Y"
    ).fit(tmp_path / "sales.csv")
    schema = model.input_schema()
    given = {
        "unique_id": "a",
        "ds": [*days.strftime("%Y-%m-%d")],
        "y": table["sold"].tolist(),
        "help": table["help"].tolist(),
    }
    assert model.predict([schema.from_json(given)]) == model.predict()
    assert model.predict([schema.from_json({"unique_id": "a", **schema.example()})])
    half = {name: each if name == "unique_id" else each[:45] for name, each in given.items()}
    rest = {name: each if name == "unique_id" else each[45:] for name, each in given.items()}
    stream = model.stream()
    made = stream.step(schema.from_json(rest), stream.step(schema.from_json(half)).state)
    assert made.prediction.value == model.predict()


def test_a_model_that_sees_the_whole_input_has_no_stream():
    model = unrolled.Classifier(**TINY).fit(REVIEWS)
    with pytest.raises(ConfigError, match="bidirectional=False"):
        model.stream()


def test_another_streams_state_is_refused(models):
    state = models("reviews").stream().step("fine").state
    with pytest.raises(DataError, match="expected a state of this model"):
        models("steps").stream().step([[0.1, 0.2]], StreamState({"state.0": np.zeros((1, 1, 99))}))
    with pytest.raises(DataError, match="expected the state"):
        StreamState.from_json({"arrays": {"state.0": 3}, "values": {}})
    assert StreamState.from_json(state.to_json()).arrays.keys() == state.arrays.keys()


def test_options_of_predictions_are_checked(models):
    for name, options in {"reviews": {"n_best": 2}, "pairs": {"beam": 2}, "series": {"steps": 0}}.items():
        with pytest.raises(ConfigError):
            models(name).predict([HANDED_OVER[name]], **options)
    with pytest.raises(ConfigError, match="expects data to predict for"):
        models("reviews").predict(None)
    assert all(options is estimator_class(task).Options for task, options in options_classes().items())


def test_rooms_above_name_no_task():
    """What stands above the tasks is written against what all of them say."""
    above = ("cli", "inspection", "reporting", "serving")
    rooms = [path for room in above for path in (SOURCES / room).rglob("*.py")]
    lines = [line.strip() for path in rooms for line in path.read_text(encoding="utf-8").splitlines()]
    # What a report draws of a forecast has its name.
    lines = [line for line in lines if "forecast" not in line or "task" in line]
    named = re.compile("|".join(f"[\"']{task}[\"']" for task in task_names()))
    assert not [line for line in lines if named.search(line) and not line.startswith(">>>")]
    imported = re.compile(r"unrolled\.tasks\.(classif|tag|generat|forecast|caption|translat)")
    assert not [path.name for path in rooms if imported.search(path.read_text(encoding="utf-8"))]


def test_blank_lines_are_no_inputs_where_files_leave_them_out():
    assert list(TextSchema().lines(["a\n", "\n", " b \r\n"])) == ["a", " b "]
    assert list(TextSchema(blank=True).lines(["a\n", "\n"])) == ["a", ""]
