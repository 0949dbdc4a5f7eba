"""``unrolled serve`` as a process: it says where it listens, answers, and ends when it is told to."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from tests.tasks.every_task import model_of
from unrolled.cli.main import app
from unrolled.serving.server import listening

COMMAND = [sys.executable, "-c", "from unrolled.cli.main import main; main()"]


@contextmanager
def ask(port, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"content-type": "application/json", **headers})
        with connection.getresponse() as response:
            yield response
    finally:
        connection.close()


def is_ready(port):
    try:
        with ask(port, "GET", "/readyz") as response:
            return response.status == 200
    except OSError:
        return False


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_it_answers_until_it_is_told_to_stop(tmp_path):
    model_of("text").save(tmp_path / "writer")
    model_of("numbers").save(tmp_path / "numbers")
    command = [*COMMAND, "serve", f"text={tmp_path / 'writer'}", str(tmp_path / "numbers"), "--port", "0"]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "UNROLLED_TOKEN": "geheim"}
    )
    try:
        lines = []
        while not any("Serving at" in line for line in lines):
            lines.append(process.stderr.readline())
            assert lines[-1], lines
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)", lines[-1])[1])
        until = time.monotonic() + 30
        while not is_ready(port):
            assert time.monotonic() < until
            time.sleep(0.05)
        token = {"authorization": "Bearer geheim"}
        with ask(port, "GET", "/v1/models") as response:
            assert response.status == 401
        with ask(port, "GET", "/v1/models", **token) as response:
            assert [each["name"] for each in json.load(response)["models"]] == ["text", "numbers"]
        body = {"input": "deep", "options": {"length": 400}}
        with ask(port, "POST", "/v1/models/text/generate", body, **token) as stream:
            first = stream.read(20)
            process.send_signal(signal.SIGTERM)
            # Who is being answered is answered whole.
            assert (first + stream.read()).endswith(b"event: done\ndata: {}\n\n")
        said = process.communicate(timeout=30)[1]
        assert process.returncode == 0, said
        assert "Stopped." in said
        assert "Traceback" not in said
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a b"], ["a b"]),
        (["m", "m"], ["'m' twice", "NAME=FOLDER"]),
        (["x/y=m"], ["expected a name", "NAME=FOLDER"]),
        (["m", "--max-batch", "0"], ["max_batch"]),
        (["m", "--host", "no.such.host.invalid"], ["--host"]),
    ],
)
def test_what_cannot_be_served(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model_of("numbers").save("m")
    done = CliRunner().invoke(app, ["serve", *arguments])
    assert done.exit_code == 2
    assert all(word in done.stderr for word in words), done.stderr


def test_the_extra_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model_of("numbers").save("m")
    monkeypatch.setattr("unrolled.cli.serve.find_spec", lambda name: None)
    done = CliRunner().invoke(app, ["serve", "m"])
    assert done.exit_code == 2
    assert "pip install 'unrolled[serve]'" in done.stderr


def test_an_answers_body_does_not_wait_for_its_head_to_be_seen():
    with listening("127.0.0.1", 0) as opened, socket.create_connection(opened.getsockname()):
        accepted, _ = opened.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
