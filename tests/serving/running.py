"""A real server on a port of this machine, in a thread, and somebody who asks it."""

import http.client
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass

from websockets.sync.client import connect

from unrolled.serving.application import Service
from unrolled.serving.server import listening, server


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Asking:
    """Somebody who asks a service."""

    def __init__(self, service, port):
        self.service, self.port = service, port
        self.address = f"http://127.0.0.1:{port}"

    def __call__(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers = {"content-type": "application/json", **headers}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            got = connection.getresponse()
            named = {name.lower(): value for name, value in got.getheaders()}
            return Answer(got.status, named, got.read())
        finally:
            connection.close()

    def predict(self, name, inputs, **options):
        """What the service says of some inputs."""
        got = self("POST", f"/v1/models/{name}/predict", {"inputs": inputs, "options": options})
        assert got.status == 200, got.body
        return got.json["predictions"]

    def session(self, name, **body):
        """The path of a new session."""
        got = self("POST", f"/v1/models/{name}/sessions", body)
        assert got.status == 201, got.body
        assert got.headers["location"].endswith(got.json["id"])
        return got.headers["location"]

    def socket(self, path, **headers):
        """A WebSocket."""
        return connect(f"ws://127.0.0.1:{self.port}{path}", max_size=None, **headers)


@contextmanager
def running(estimators, limits=None, **how):
    """A service of some models, until the `with` is left."""
    service = Service(estimators, limits, **how)
    with listening("127.0.0.1", 0) as opened:
        runs = server(service)
        thread = threading.Thread(target=runs.run, kwargs={"sockets": [opened]}, daemon=True)
        thread.start()
        while not service.ready:
            assert thread.is_alive()
            time.sleep(0.005)
        try:
            yield Asking(service, opened.getsockname()[1])
        finally:
            runs.should_exit = True
            thread.join(30)
            assert not thread.is_alive()
