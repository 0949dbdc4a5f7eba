"""What a service refuses: each in a sentence, by a status that says whose fault it is."""

import base64
import json
import socket
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus

from tests.serving.running import running
from tests.tasks.every_task import HANDED_OVER, model_of
from unrolled.serving.limits import Limits
from unrolled.serving.metrics import Metrics
from unrolled.serving.models import ServedModel
from unrolled.serving.refusal import RefusedError
from unrolled.serving.sessions import Sessions

SERVED = ("reviews", "numbers", "series", "text", "pairs", "images")
SMALL = Limits(
    max_body=20_000, max_length=50, max_batch=4, max_steps=500, max_width=128, max_sessions=3, max_work=600
)


@pytest.fixture(scope="module")
def ask():
    with running({name: model_of(name) for name in SERVED}, SMALL) as asking:
        yield asking


def refused(got, status, *words):
    assert got.status == status, got.body
    assert all(word in got.json["error"] for word in words), got.json
    return got


PREDICT = "/v1/models/{}/predict".format


@pytest.mark.parametrize(
    ("name", "body", "status", "word"),
    [
        ("reviews", {"inputs": []}, 422, "at least 1 item"),
        ("reviews", {"inputs": "a"}, 422, "list"),
        ("reviews", {}, 422, "'inputs'"),
        ("reviews", {"inputs": ["a"], "more": 1}, 422, "'more'"),
        ("reviews", {"inputs": ["a"], "options": {"beam": 1}}, 422, "no option 'beam'"),
        ("reviews", {"inputs": [3]}, 422, "expected a text"),
        ("reviews", {"inputs": ["a"] * 5}, 413, "at most 4 inputs"),
        ("reviews", {"inputs": ["a " * 50]}, 413, "at most 50 steps"),
        ("reviews", [1], 422, "dictionary"),
        ("numbers", {"inputs": [[[1.0, "a"]]]}, 422, "expected"),
        ("numbers", {"inputs": [[[1.0]]]}, 422, "expected"),
        ("numbers", {"inputs": [[[1e300, 1e300]] * 3]}, 422, "too far"),
        ("numbers", {"inputs": [[]]}, 422, "one step at least"),
        ("series", {"inputs": [{"y": [1.0]}]}, 422, "help"),
        ("series", {"inputs": [{"y": [1.0], "help": [1.0, 2.0]}]}, 422, "equal length"),
        ("series", {"inputs": [HANDED_OVER["series"]], "options": {"steps": 501}}, 422, "at most 500"),
        ("text", {"inputs": ["a"], "options": {"length": "501"}}, 422, "at most 500"),
        ("text", {"inputs": ["a"], "options": {"length": 90, "beam": 8}}, 422, "at most 600"),
        ("pairs", {"inputs": ["one"], "options": {"n_best": 129}}, 422, "at most 128"),
        ("images", {"inputs": ["no base 64!"]}, 422, "base64"),
        ("images", {"inputs": [base64.b64encode(b"no image").decode()]}, 422, "expected"),
        ("images", {"inputs": ["/etc/passwd"]}, 422, "expected"),
    ],
)
def test_a_prediction_that_cannot_be_made(ask, name, body, status, word):
    refused(ask("POST", PREDICT(name), body), status, word)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"inputs": [[[NaN, 1.0]]]}', 400),
        (b'{"inputs": [[[Infinity, 1.0]]]}', 400),
        (b'{"inputs": [[[1e999, 1.0]]]}', 400),
        (b"\xff\xfe", 400),
        (b'{"inputs": ["\\ud800"]}', 400),
        (b"[" * 10_000, 400),
        (b'{"inputs": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", 400),
        (b'{"inputs": [[[' + b"9" * 5_000 + b", 1.0]]]}", 400),
        (b'{"inputs": [1]' + b" " * 20_000 + b"}", 413),
    ],
)
def test_a_body_that_is_no_json(ask, body, status):
    got = ask("POST", PREDICT("numbers"), body)
    assert got.status in (status, 422 if status == 400 else status), got.body
    assert got.json["error"]


def test_a_body_of_another_type(ask):
    refused(ask("POST", PREDICT("reviews"), b"{}", content_type="text/plain"), 415, "application/json")


def test_a_body_without_a_length_is_bounded_too(ask):
    with socket.create_connection(("127.0.0.1", ask.port)) as plug:
        plug.sendall(
            b"POST /v1/models/reviews/predict HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            + (b"1000\r\n" + b" " * 4096 + b"\r\n")
            * 8
        )
        assert b" 413 " in plug.recv(200)


def test_what_is_not_there(ask):
    refused(ask("POST", PREDICT("nobody"), {"inputs": ["a"]}), 404, "no model 'nobody'", "reviews")
    refused(ask("POST", "/v1/models/images/step", {"input": "a"}), 409, "read as a whole")
    refused(ask("POST", "/v1/models/images/sessions", {}), 409, "read as a whole")
    refused(ask("POST", "/v1/models/reviews/generate", {"input": "a"}), 409, "writes nothing")
    refused(ask("GET", "/v1/models/reviews/sessions/abc"), 404, "no such session")
    refused(ask("GET", PREDICT("reviews")), 405)
    refused(ask("GET", "/v1"), 404)
    path = ask.session("reviews")
    refused(ask("GET", path.replace("reviews", "numbers")), 404, "no such session")
    ask("DELETE", path)
    with pytest.raises(InvalidStatus) as closed, ask.socket(f"{path}/steps"):
        pass
    assert closed.value.response.status_code == 404
    assert "no such session" in json.loads(closed.value.response.body)["error"]


def test_sessions_are_bounded_in_number(ask):
    paths = [ask.session("reviews") for _ in range(3)]
    full = refused(ask("POST", "/v1/models/reviews/sessions", {}), 429, "3 sessions are open")
    assert 1 <= int(full.headers["retry-after"]) <= 900
    refused(ask("POST", "/v1/models/text/generate", {"input": "a", "options": {"length": 5}}), 429)
    for path in paths:
        assert ask("DELETE", path).status == 204
    ask("DELETE", ask.session("reviews"))


def test_a_message_that_is_wrong_is_answered_and_the_session_goes_on(ask):
    path = ask.session("numbers")
    with ask.socket(f"{path}/steps") as channel:
        for message in ("{", "[]", '{"input": "a"}', '{"input": [[1]]}', '{"input": [[1e300, 1]]}', b"\xff"):
            channel.send(message)
            got = json.loads(channel.recv())
            assert got["status"] in (400, 422), got
            assert got["error"]
        channel.send('{"input": [[0.5, 0.25]]}')
        assert "prediction" in json.loads(channel.recv())
    ask("DELETE", path)


@pytest.mark.parametrize("name", ["reviews", "text", "pairs", "series"])
def test_a_state_that_was_changed_is_refused(ask, name):
    path = ask.session(name)
    assert ask("POST", f"{path}/steps", {"inputs": [HANDED_OVER[name]]}).status == 200
    state = ask("GET", f"{path}/state").json

    @settings(max_examples=20, deadline=None)
    @given(st.data())
    def changed(data):
        other = json.loads(json.dumps(state))
        _change(other, data)
        body = {"input": None if name in ("text", "pairs") else HANDED_OVER[name], "state": other}
        got = ask("POST", f"/v1/models/{name}/step", body)
        assert got.status in (200, 413, 422), got.body
        assert ask("PUT", f"{path}/state", other).status in (200, 413, 422)

    changed()
    ask("DELETE", path)


def _change(value, data):
    """Change one entry somewhere in some JSON."""
    strange = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        st.text(),
        st.just([]),
        st.just({}),
    )
    while True:
        keys = sorted(value) if isinstance(value, dict) else range(len(value))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        inner = value[key]
        if isinstance(inner, dict | list) and inner and data.draw(st.integers(0, 3)):
            value = inner
            continue
        if key == "data" and data.draw(st.booleans()):
            raw = bytearray(base64.b64decode(inner))
            for _ in range(data.draw(st.integers(1, 4))):
                if raw:
                    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
            value[key] = base64.b64encode(bytes(raw)).decode()
        else:
            value[key] = data.draw(strange)
        return


def test_a_state_of_numbers_that_are_none_is_refused(ask):
    made = ask("POST", "/v1/models/numbers/step", {"input": [[0.5, 0.25]]}).json
    array = made["state"]["arrays"]["state.0"]
    numbers = np.frombuffer(base64.b64decode(array["data"]), dtype=array["dtype"]).copy()
    numbers[0] = np.nan
    array["data"] = base64.b64encode(numbers.tobytes()).decode()
    got = ask("POST", "/v1/models/numbers/step", {"input": [[0.5, 0.25]], "state": made["state"]})
    refused(got, 422, "finite")


def test_a_full_queue_says_when_to_ask_again():
    limits = Limits(max_queue=1, batch_milliseconds=300)
    with running({"reviews": model_of("reviews")}, limits) as ask:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(6) as pool:
            body = {"inputs": ["a fine film"]}
            found = list(pool.map(lambda _: ask("POST", PREDICT("reviews"), body), range(6)))
    full = [each for each in found if each.status == 429]
    assert full
    assert {each.status for each in found} <= {200, 429}
    assert full[0].headers["retry-after"] == "1"


def test_a_token_is_asked_for():
    with running({"reviews": model_of("reviews")}, token="geheim, s\u00fc\u00df") as ask:
        assert ask("GET", "/healthz").status == ask("GET", "/readyz").status == 200
        for given in ({}, {"authorization": "Bearer nope"}, {"authorization": "Basic abc"}):
            refused(ask("GET", "/v1/models", **given), 401, "Bearer")
            assert ask("GET", "/openapi.json", **given).status == 401
            assert ask("GET", "/metrics", **given).status == 401
            assert ask("POST", "/v1/models/reviews/sessions", {}, **given).status == 401
        with pytest.raises(InvalidStatus) as closed, ask.socket("/v1/models/reviews/sessions/a/steps"):
            pass
        assert closed.value.response.status_code == 401
    with running({"reviews": model_of("reviews")}, token="geheim") as ask:
        assert ask("GET", "/v1/models", authorization="Bearer geheim").status == 200


def test_pages_of_others_reach_nothing():
    with running({"reviews": model_of("reviews")}, hosts=("127.0.0.1", "localhost")) as ask:
        refused(ask("GET", "/v1/models", host="evil.example"), 421, "evil.example")
        assert ask("GET", "/v1/models", host=f"localhost:{ask.port}").status == 200
        path = ask.session("reviews")
        with (
            pytest.raises(InvalidStatus) as closed,
            ask.socket(f"{path}/steps", origin="http://evil.example"),
        ):
            pass
        assert closed.value.response.status_code == 403
        with ask.socket(f"{path}/steps", origin=f"http://127.0.0.1:{ask.port}"):
            pass


@pytest.fixture
def served():
    made = ServedModel("numbers", model_of("numbers"), Limits(), Metrics())
    yield made
    made._thread.shutdown()


def test_sessions_end_when_nobody_uses_them(served):
    now = [0.0]
    sessions = Sessions(Limits(session_seconds=10), clock=lambda: now[0])
    first, second = sessions.open(served, {}), sessions.open(served, {})
    now[0] = 8
    assert sessions.get(served, first.id) is first
    now[0] = 15
    with pytest.raises(RefusedError, match="expired"):
        sessions.get(served, second.id)
    assert (len(sessions), sessions.expired) == (1, 1)
    now[0] = 30
    sessions.expire()
    assert (len(sessions), sessions.bytes) == (0, 0)


def test_states_are_bounded_in_bytes(served):
    state = served.stream({}).step(np.ones((1, 2))).state
    size = sum(array.nbytes for array in state.arrays.values()) + 2
    with pytest.raises(RefusedError, match="state of at most"):
        Sessions(Limits(max_state=size - 1)).open(served, {}, state)
    sessions = Sessions(Limits(max_states=2 * size))
    first = sessions.open(served, {}, state)
    sessions.open(served, {}, state)
    with pytest.raises(RefusedError, match="all the memory"):
        sessions.open(served, {}, state)
    assert (len(sessions), sessions.bytes) == (2, 2 * size)
    sessions.close(first)
    sessions.close(first)
    assert sessions.bytes == size
    # A step that comes back after its session has ended leaves nothing behind.
    with pytest.raises(RefusedError, match="no such session"):
        sessions.keep(first, state)
    assert sessions.bytes == size


def test_whoever_goes_away_leaves_nothing():
    with running({"text": model_of("text")}) as ask:
        body = json.dumps({"input": "deep", "options": {"length": 9_000}}).encode()
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", ask.port)) as plug:
                plug.sendall(
                    b"POST /v1/models/text/generate HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
                )
                assert b" 200 " in plug.recv(400)
        until = time.monotonic() + 20
        while len(ask.service.sessions) and time.monotonic() < until:
            time.sleep(0.02)
        assert (len(ask.service.sessions), ask.service.sessions.bytes) == (0, 0)
