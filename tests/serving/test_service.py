"""A service of every task: the same answers as from Python, whole, together and step by step."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.serving.running import running
from tests.tasks.every_task import HANDED_OVER, MADE, model_of
from unrolled.serving.states import SAFETENSORS_TYPE

READING = ("reviews", "topics", "numbers", "ratings", "sentences", "steps")
WRITING = ("pairs", "classes", "text", "notes")


@pytest.fixture(scope="module")
def ask():
    with running({name: model_of(name) for name in MADE}) as asking:
        yield asking


def alike(found, expected):
    """Equal, but for what adding in another order changes."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            alike(found[name], expected[name]) for name in expected
        )
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(alike, found, expected))
    if isinstance(expected, float):
        return np.isclose(found, expected, rtol=1e-4, atol=1e-6)
    return found == expected


def said(name, given, **options):
    """What the model says in Python, as JSON."""
    model = model_of(name)
    made = model.predictions([model.input_schema().from_json(given)], **options)
    return json.loads(json.dumps([each.to_json() for each in made]))


def pieces_of(given):
    return given.split() if isinstance(given, str) else [given[at : at + 1] for at in range(len(given))]


@pytest.mark.parametrize("name", MADE)
def test_a_prediction_is_the_models(ask, name):
    (found,) = ask.predict(name, [HANDED_OVER[name]])
    assert alike(found, said(name, HANDED_OVER[name]))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("series", {"steps": 7}),
        ("pairs", {"n_best": 2}),
        ("classes", {"n_best": 2}),
        ("classes", {"temperature": 0.7, "seed": 3}),
        ("text", {"length": 20, "seed": 5}),
        ("text", {"length": 9, "beam": 3}),
    ],
)
def test_options_of_a_prediction(ask, name, options):
    found = ask.predict(name, [HANDED_OVER[name]] * 2, **options)
    expected = said(name, HANDED_OVER[name], **options)
    # Nobody's answer depends on who else has asked.
    assert alike(found[0], expected)
    assert alike(found[1], expected)


def test_requests_at_the_same_time_are_computed_together(ask):
    texts = [f"a {word} film" * (1 + at % 5) for at, word in enumerate(["fine", "dull"] * 24)]
    before = _count(ask, "unrolled_batch_inputs_count", model="reviews")
    with ThreadPoolExecutor(24) as pool:
        found = list(pool.map(lambda text: ask.predict("reviews", [text])[0], texts))
    assert all(alike(each, said("reviews", text)) for each, text in zip(found, texts, strict=True))
    assert _count(ask, "unrolled_batch_inputs_count", model="reviews") - before < len(texts)


def test_an_input_that_fails_fails_alone(ask):
    wrong = {"y": [1.0, 2.0], "help": ["a", "b"]}
    inputs = [wrong, HANDED_OVER["series"]] * 6
    with ThreadPoolExecutor(12) as pool:
        path = "/v1/models/series/predict"
        found = list(pool.map(lambda given: ask("POST", path, {"inputs": [given]}), inputs))
    assert [each.status for each in found] == [422, 200] * 6
    assert "expected" in found[0].json["error"]


@pytest.mark.parametrize("name", READING)
def test_a_session_fed_step_by_step_says_what_the_whole_input_says(ask, name):
    (whole,) = ask.predict(name, [HANDED_OVER[name]])
    pieces = pieces_of(HANDED_OVER[name])
    path = ask.session(name)
    by_post = [
        step["prediction"]
        for piece in pieces
        for step in ask("POST", f"{path}/steps", {"inputs": [piece]}).json["steps"]
    ]
    with ask.socket(f"{ask.session(name)}/steps") as socket:
        by_socket = []
        for piece in pieces:
            socket.send(json.dumps({"input": piece}))
            by_socket.append(json.loads(socket.recv())["prediction"])
    state, stateless = None, []
    for piece in pieces:
        made = ask("POST", f"/v1/models/{name}/step", {"input": piece, "state": state}).json
        state = made["state"]
        stateless.append(made["prediction"])
    assert by_post == by_socket == stateless
    if model_of(name).task == "tag":
        assert [{"value": [tag for each in by_post for tag in each["value"]]}] == whole
    else:
        assert alike(by_post[-1:], whole)
    assert ask("GET", path).json["steps"] == len(pieces)


def test_a_series_goes_on_step_by_step(ask):
    given = HANDED_OVER["series"]
    path = ask.session("series")
    for at in range(len(given["y"])):
        piece = {name: values[at : at + 1] for name, values in given.items()}
        made = ask("POST", f"{path}/steps", {"inputs": [piece]}).json["steps"][0]
    (whole,) = ask.predict("series", [given])
    found = [row["y"] for row in made["prediction"]["value"]]
    np.testing.assert_allclose(found, [row["value"]["y"] for row in whole], rtol=1e-5)


@pytest.mark.parametrize("name", WRITING)
def test_what_is_written_comes_in_events(ask, name):
    options = {"length": 12} if name in ("text", "notes") else {}
    got = ask("POST", f"/v1/models/{name}/generate", {"input": HANDED_OVER[name], "options": options})
    assert got.status == 200
    assert got.headers["content-type"].startswith("text/event-stream")
    events = [event.split("\n") for event in got.body.decode().split("\n\n") if event]
    assert events[-1] == ["event: done", "data: {}"]
    pieces = [json.loads(data.removeprefix("data: "))["prediction"]["value"] for _, data in events[:-1]]
    ((whole,),) = ask.predict(name, [HANDED_OVER[name]], **options)
    assert ("".join(pieces) if isinstance(whole["value"], str) else pieces) == whole["value"]
    assert len(ask.service.sessions) == _count(ask, "unrolled_sessions")


@pytest.mark.parametrize("name", [*READING, "pairs", "classes", "text", "notes", "series"])
def test_a_state_is_taken_out_put_in_and_forked(ask, name):
    given = HANDED_OVER[name]
    first, second = (given, None) if name in (*WRITING,) else (given, given)
    path = ask.session(name)

    def step(where, piece):
        made = ask("POST", f"{where}/steps", {"inputs": [piece]})
        assert made.status == 200, made.body
        return made.json

    whole = step(path, first)["steps"][0]["done"]
    state = ask("GET", f"{path}/state").json
    raw = ask("GET", f"{path}/state", accept=SAFETENSORS_TYPE)
    forked = ask("POST", f"{path}/fork").headers["location"]
    opened = ask.session(name, state=state)
    put = ask.session(name)
    assert ask("PUT", f"{put}/state", state).status == 200
    put_raw = ask.session(name)
    assert ask("PUT", f"{put_raw}/state", raw.body, content_type=SAFETENSORS_TYPE).status == 200
    if not whole:
        expected = step(path, second)
        assert [step(where, second) for where in (forked, opened, put, put_raw)] == [expected] * 4
    assert ask("GET", f"{put_raw}/state").json == ask("GET", f"{path}/state").json
    assert ask("DELETE", path).status == 204
    assert ask("GET", path).status == 404


def test_what_is_served_is_listed_with_examples_that_work(ask):
    shown = ask("GET", "/v1/models").json["models"]
    assert [each["name"] for each in shown] == [*MADE]
    for each in shown:
        assert each["example"] is not None
        ask.predict(each["name"], [each["example"]])
        assert each["task"] == model_of(each["name"]).task
    streams = {each["name"] for each in shown if each["streams"]}
    assert streams == {*READING, *WRITING, "subjects", "series"}


def test_every_example_of_the_openapi_works(ask):
    paths = ask("GET", "/openapi.json").json["paths"]
    tried = 0
    for path, operations in paths.items():
        for method, operation in operations.items():
            assert operation["summary"]
            assert operation["description"], path
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is None:
                continue
            name = path.split("/")[3]
            if name not in ("reviews", "numbers", "images", "pairs", "text", "series"):
                continue
            where = (
                path.replace("/v1/models/" + name + "/sessions/{session}", ask.session(name))
                if ("{session}" in path)
                else path
            )
            got = ask(method.upper(), where, content["example"])
            assert got.status in (200, 201), (path, got.body)
            tried += 1
    assert tried > 20


def test_machines_ask_for_health_and_counts(ask):
    assert ask("GET", "/healthz").json == {"status": "alive"}
    assert ask("GET", "/readyz").json == {"status": "ready"}
    ask.predict("reviews", ["a fine film"])
    assert _count(ask, "unrolled_predictions_total", model="reviews") >= 1
    path = "/v1/models/reviews/predict"
    assert _count(ask, "unrolled_requests_total", path=path, method="POST", status="200") >= 1
    ask("GET", "/v1/nothing/at/all")
    assert not any("nothing" in line for line in ask("GET", "/metrics").body.decode().splitlines())


def _count(ask, name, **labels):
    from prometheus_client.parser import text_string_to_metric_families

    families = text_string_to_metric_families(ask("GET", "/metrics").body.decode())
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_the_state_of_a_session_without_a_step_begins_another(ask):
    fresh = ask("GET", f"{ask.session('numbers')}/state").json
    assert fresh == {"arrays": {}, "values": {}}
    others = ask.session("numbers"), ask.session("numbers", state=fresh)
    said = [ask("POST", f"{each}/steps", {"inputs": [HANDED_OVER["numbers"]]}).json for each in others]
    assert said[0] == said[1]


def test_steps_in_one_request_are_taken_all_or_not_at_all(ask):
    given = HANDED_OVER["steps"]
    path = ask.session("steps")
    assert ask("POST", f"{path}/steps", {"inputs": [given]}).status == 200
    before = ask("GET", f"{path}/state").json
    got = ask("POST", f"{path}/steps", {"inputs": [given, given, [[1.0] * 99]]})
    assert got.status == 422
    assert "numbers a step" in got.json["error"]
    assert ask("GET", f"{path}/state").json == before
    assert ask("GET", path).json["steps"] == 1
    ok = ask("POST", f"{path}/steps", {"inputs": [given, given]}).json["steps"]
    assert (len(ok), ask("GET", path).json["steps"]) == (2, 3)


def test_pieces_of_null_write_up_to_a_texts_end(ask):
    path = ask.session("text", options={"length": 5})
    said = ask("POST", f"{path}/steps", {"inputs": ["a"] + [None] * 9}).json["steps"]
    assert [each["done"] for each in said][-1:] == [True]
    assert len(said) <= 5
    assert ask("POST", f"{path}/steps", {"inputs": [None]}).status == 409
    other = ask.session("text", options={"length": 2})
    assert ask("POST", f"{other}/steps", {"inputs": [None, None, "more"]}).status == 409
    assert ask("GET", other).json["steps"] == 0


def test_the_page_shows_every_model_and_an_example(ask):
    got = ask("GET", "/")
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    page = got.body.decode()
    assert all(f'data-path="/v1/models/{name}/predict"' in page for name in MADE)
    assert "http" not in page.replace("http-equiv", "")  # nothing from elsewhere
