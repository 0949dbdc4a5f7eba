"""Bodies made wrong at random: each is answered, or refused in a sentence; none is the service's fault."""

import json
from random import Random

import pytest

from tests.serving.running import running
from tests.tasks.every_task import HANDED_OVER, model_of
from unrolled.serving.limits import Limits

RAW = [
    b"null",
    b"NaN",
    b"[" * 100_000,
    b'{"inputs": [' + b'{"a": ' * 50_000 + b"1" + b"}" * 50_000 + b"]}",
    b'{"inputs": [' + b"1" * 400_000 + b"]}",
    b'{"inputs": [1e400]}',
    b'{"inputs": ["\\ud800"]}',
    b'{"inputs": ["\xed\xa0\x80"]}',
    b'{"inputs": ["\\u0000\\u001b[2J\\u202e"]}',
    b'{"inputs": ["' + b"a" * 4_000_000 + b'"]}',
    b'{"inputs": ["' + b"a" * 10_000_000 + b'"]}',
    b'{"inputs": [' + b",".join([b'"a"'] * 50_000) + b"]}",
    b'{"inputs": [[[[[1]]]]]}',
    b'{"inputs": ["a"], "options": []}',
]
ODD = [
    *(None, True, 0, -1, 2**63, 10**30, 1e308, 5e-324, "", " ", "\0", "\u202e", "<b>", "9" * 5_000),
    *([], {}, [[]], [None], [1e308] * 3, ["a", "b"], [0.1] * 50, [[0.1, 2]] * 50, {"a": 1}),
    *(
        {"y": []},
        {"y": None},
        {"y": [{"a": 1}]},
        {"y": [1.0] * 20, "ds": ["x"] * 20},
        [[60, 64], [-5], [10**9]],
    ),
]


def mutated(draws, value, depth=0):
    """A value with something in it changed."""
    if draws.random() < 0.25 or depth > 6 or not isinstance(value, dict | list) or not value:
        return draws.choice(ODD)
    if isinstance(value, dict):
        name = draws.choice(list(value))
        kind = draws.randrange(6)
        if kind == 0:
            return {key: each for key, each in value.items() if key != name}
        return {**value, (f"{name}x" if kind == 1 else name): mutated(draws, value[name], depth + 1)}
    place, kind = draws.randrange(len(value)), draws.randrange(5)
    if kind == 0:
        return value[:place] + value[place + 1 :]
    if kind == 1:
        return value * draws.choice((2, 50))
    return [*value[:place], mutated(draws, value[place], depth + 1), *value[place + 1 :]]


@pytest.fixture(scope="module")
def ask():
    models = {name: model_of(name) for name in HANDED_OVER}
    with running(models, Limits.model_validate({"max_steps": 100})) as asking:
        yield asking


@pytest.mark.parametrize("name", HANDED_OVER)
def test_what_is_wrong_is_refused_in_a_sentence(ask, name):
    def tried(path, body):
        try:
            got = ask("POST", f"/v1/models/{name}/{path}", body)
        except (BrokenPipeError, ConnectionResetError):  # it is refused before it is read
            return
        assert got.status < 500, (path, got.body, str(body)[:300])
        if got.status >= 400:
            said = got.json["error"]
            assert len(said) < 2_000, (path, said)
            assert all(each.isprintable() or each == "\n" for each in said), (path, said)

    for body in RAW:
        tried("predict", body)
    draws = Random(name)
    (shown,) = (each for each in ask("GET", "/v1/models").json["models"] if each["name"] == name)
    options = list(shown["options"].get("properties", {}))
    for number in range(12):
        chosen = {draws.choice(options): draws.choice(ODD)} if options and draws.random() < 0.4 else {}
        given = mutated(draws, HANDED_OVER[name])
        tried("predict", {"inputs": [given], "options": chosen})
        if number % 4 == 0:
            tried("step", {"input": given})
            tried("generate", {"input": given, "options": chosen})


@pytest.mark.parametrize("name", ["pairs", "classes"])
def test_what_was_found_is_mended(ask, name):
    ask("POST", f"/v1/models/{name}/step", {"input": ""})
    for many in ("9" * 5_000, 10**18, -1, "1.5"):
        given = {"inputs": [HANDED_OVER[name]], "options": {"n_best": many}}
        assert ask("POST", f"/v1/models/{name}/predict", given).status == 422
    assert ask("POST", "/v1/models/pairs/step", json.loads('{"input": ""}')).status == 200
