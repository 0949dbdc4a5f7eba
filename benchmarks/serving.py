"""Models away from Python's side: a service beside the bare step, and exported models beside our own.

A service runs in a process of its own on this machine's loopback; who asks it is this process. Every answer
is compared with the model's own before anything is printed, and what stands side by side was taken in turns.

    python -m benchmarks.serving [--quick] [--page docs/serving.md]
"""

import argparse
import asyncio
import http.client
import importlib.util
import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from websockets.asyncio.client import connect as connect_later
from websockets.sync.client import connect

import unrolled
from benchmarks.machine import machine

BEGIN, END = "<!-- benchmarks.serving -->", "<!-- end of benchmarks.serving -->"
CHANNELS, UNITS = 4, 128
SESSIONS, ABORTED = 64, 1_000
_SERVE = "import sys; from unrolled.cli.main import main; sys.argv[1:] = {}; main()"


def _tagger() -> unrolled.Tagger:
    """A step of numbers in, a tag out: an LSTM of 128 units, whose quality is nobody's business here."""
    random = np.random.default_rng(0)
    data = [(random.normal(size=(20, CHANNELS)), list("ab" * 10)) for _ in range(20)]
    return unrolled.Tagger(hidden_size=UNITS, bidirectional=False, crf=False, epochs=1).fit(data)


def _writer() -> unrolled.Generator:
    return unrolled.Generator(hidden_size=32, epochs=1, batch_size=4).fit(["deep learning of text " * 30])


class Served:
    """The service's process.

    Args:
        process: it.
        port: where it listens.
    """

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port
        self.connection = http.client.HTTPConnection("127.0.0.1", port)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What it answers, over one connection that stays."""
        data = None if body is None else json.dumps(body)
        try:
            self.connection.request(method, path, data, {"content-type": "application/json"})
            got = self.connection.getresponse()
        except (ConnectionError, http.client.HTTPException):  # it was left unused for too long
            self.connection.close()
            self.connection.request(method, path, data, {"content-type": "application/json"})
            got = self.connection.getresponse()
        read = got.read()
        assert got.status < 300, read
        return json.loads(read) if read and path != "/metrics" else read.decode()

    def session(self, name: str) -> str:
        """The path of a new session's steps."""
        return f"/v1/models/{name}/sessions/{self.ask('POST', f'/v1/models/{name}/sessions', {})['id']}/steps"

    def count(self, name: str) -> float:
        """One of its counters."""
        found = re.search(rf"^{name} (\S+)$", self.ask("GET", "/metrics"), re.MULTILINE)
        assert found is not None
        return float(found[1])

    def memory(self) -> float:
        """The mebibytes that the process holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


@contextmanager
def serving(**models: Any) -> Iterator[Served]:
    """A service of some models in a process of its own."""
    with tempfile.TemporaryDirectory() as home:
        named = []
        for name, model in models.items():
            model.save(Path(home) / name)
            named.append(f"{name}={Path(home) / name}")
        arguments = ["serve", *named, "--port", "0", "--max-sessions", "2000"]
        command = [sys.executable, "-c", _SERVE.format(arguments)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        try:
            said = ""
            while "Serving at" not in said:
                said = process.stderr.readline()
                assert said, "the service ended"
            port = int(said.rsplit(":", 1)[1].split(";")[0])
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield Served(process, port)
        finally:
            process.terminate()
            process.wait(30)


def middle(times: list[float]) -> float:
    """The median in microseconds."""
    return statistics.median(times) * 1e6


def one_step(served: Served, model: unrolled.Tagger, steps: int) -> Iterator[tuple[str, str]]:
    """A step over a WebSocket and over HTTP beside the bare one, in turns."""
    random = np.random.default_rng(1)
    inputs = random.normal(size=(steps, 1, CHANNELS)).tolist()
    stream, state = model.stream(), None
    by_http = served.session("tags")
    taken: dict[str, list[float]] = {"bare": [], "WebSocket": [], "HTTP": []}
    with connect(f"ws://127.0.0.1:{served.port}{served.session('tags')}") as channel:
        for given in inputs:
            started = time.perf_counter()
            made = stream.step(np.array(given), state)
            taken["bare"].append(time.perf_counter() - started)
            state = made.state
            assert made.prediction is not None
            message = json.dumps({"input": given})
            started = time.perf_counter()
            channel.send(message)
            said = json.loads(channel.recv())
            taken["WebSocket"].append(time.perf_counter() - started)
            assert said["prediction"]["value"] == made.prediction.value
            started = time.perf_counter()
            answered = served.ask("POST", by_http, {"inputs": [given]})
            taken["HTTP"].append(time.perf_counter() - started)
            assert answered["steps"][0]["prediction"]["value"] == made.prediction.value
    alone = []
    for given in map(np.array, inputs):
        started = time.perf_counter()
        state = stream.step(given, state).state
        alone.append(time.perf_counter() - started)
    bare = middle(taken["bare"])
    yield f"A step of the model in Python (LSTM of {UNITS} units, input read, tag named)", f"{bare:.0f} µs"
    yield "The same with nothing between steps, so that caches are warm", f"{middle(alone):.0f} µs"
    for way in ("WebSocket", "HTTP"):
        yield f"The same over {way}", f"{middle(taken[way]):.0f} µs ({middle(taken[way]) / bare:.1f} times)"


def many_sessions(served: Served, model: unrolled.Tagger, steps: int) -> Iterator[tuple[str, str]]:
    """So many sessions at a time, each sending as soon as it is answered."""
    random = np.random.default_rng(2)
    inputs = random.normal(size=(SESSIONS, steps, 1, CHANNELS))
    expected = [model.predict([each[:, 0]])[0] for each in inputs]
    paths = [served.session("tags") for _ in range(SESSIONS)]
    taken: list[float] = []

    async def one(at: int) -> None:
        said = []
        async with connect_later(f"ws://127.0.0.1:{served.port}{paths[at]}") as channel:
            await opened.wait()
            for given in inputs[at].tolist():
                message = json.dumps({"input": given})
                started = time.perf_counter()
                await channel.send(message)
                answer = await channel.recv()
                taken.append(time.perf_counter() - started)
                said += json.loads(answer)["prediction"]["value"]
        assert said == expected[at]

    async def all_of_them() -> float:
        tasks = [asyncio.create_task(one(at)) for at in range(SESSIONS)]
        await asyncio.sleep(1.0)
        started = time.perf_counter()
        opened.set()
        await asyncio.gather(*tasks)
        return time.perf_counter() - started

    opened = asyncio.Event()
    seconds = asyncio.run(all_of_them())
    half, most = np.percentile(taken, [50, 99]) * 1e3
    yield f"{SESSIONS} sessions at a time over WebSockets", f"{len(taken) / seconds:,.0f} steps/s"
    yield "A step's time then, p50 and p99", f"{half:.1f} and {most:.1f} ms ({most / half:.1f} times)"


def many_requests(
    served: Served, model: unrolled.Tagger, count: int, at_once: int
) -> Iterator[tuple[str, str]]:
    """Whole sequences, some connections at a time, every answer checked."""
    random = np.random.default_rng(3)
    inputs = random.normal(size=(count, 20, CHANNELS))
    expected = model.predict(list(inputs))
    bodies = [json.dumps({"inputs": [each.tolist()]}).encode() for each in inputs]
    left = list(range(count))
    taken: list[float] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        while left:
            at = left.pop()
            head = (
                "POST /v1/models/tags/predict HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(bodies[at])}\r\n\r\n"
            )
            started = time.perf_counter()
            writer.write(head.encode() + bodies[at])
            got = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            size = re.search(r"content-length: (\d+)", got)
            assert " 200 " in got
            assert size is not None
            body = await reader.readexactly(int(size[1]))
            taken.append(time.perf_counter() - started)
            assert json.loads(body)["predictions"][0][0]["value"] == expected[at]
        writer.close()

    async def all_of_them() -> None:
        await asyncio.gather(*(one() for _ in range(at_once)))

    started = time.perf_counter()
    asyncio.run(all_of_them())
    seconds = time.perf_counter() - started
    half, most = np.percentile(taken, [50, 99]) * 1e3
    what = f"Predictions for sequences of 20 steps, {at_once} connections at a time"
    yield what, f"{count / seconds:,.0f} requests/s, p50 {half:.1f} ms, p99 {most:.1f} ms"


def aborted(served: Served, count: int) -> Iterator[tuple[str, str]]:
    """Texts that nobody waits for: what they leave behind."""
    body = json.dumps({"input": "deep", "options": {"length": 10_000}}).encode()
    head = (
        "POST /v1/models/text/generate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()

    def abort(times: int) -> None:
        for _ in range(times):
            with socket.create_connection(("127.0.0.1", served.port)) as plug:
                plug.sendall(head + body)
                assert b" 200 " in plug.recv(400)
        until = time.monotonic() + 60
        while served.count("unrolled_sessions") > before and time.monotonic() < until:
            time.sleep(0.1)

    before = served.count("unrolled_sessions")
    abort(max(20, count // 10))  # what is made once is made by these
    memory = served.memory()
    abort(count)
    left, more = served.count("unrolled_sessions") - before, served.memory() - memory
    assert left == 0
    yield f"After {count:,} texts whose reader went away", f"{left:.0f} sessions and {more:+.1f} MiB more"


def onnx_beside(model: unrolled.Tagger, times: int) -> Iterator[tuple[str, str]]:
    """An exported model through run.py beside the model in Python: whole sequences, one at a time."""
    random = np.random.default_rng(4)
    sequence = random.normal(size=(100, CHANNELS))
    with tempfile.TemporaryDirectory() as home:
        unrolled.export.onnx(model, home)
        spec = importlib.util.spec_from_file_location("run", Path(home) / "run.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        exported = module.Model(home)
        given = sequence.tolist()
        assert exported.predict([given])[0] == model.predict([sequence])[0]
        ours, other = in_turns(lambda: model.predict([sequence]), lambda: exported.predict([given]), times)
    yield "A sequence of 100 steps in Python (LSTM of 128 units)", f"{ours:.0f} µs"
    yield "The same by ONNX, through `run.py`", f"{other:.0f} µs ({other / ours:.2f} times)"


def c_beside(times: int) -> Iterator[tuple[str, str]]:
    """A layer's step in C beside ``layer.stream()``."""
    torch.manual_seed(0)
    layer = unrolled.LSTM(CHANNELS, UNITS)
    stream, given = layer.stream(), torch.randn(1, CHANNELS)
    ways = ("-O2", "-O3", "-O3 -march=native")
    taken: list[float] = []
    in_c: dict[str, list[float]] = {how: [] for how in ways}
    with tempfile.TemporaryDirectory() as home:
        for how in ways:
            files = [str(file) for file in unrolled.export.c(layer, home, name="layer").files[1:]]
            subprocess.run(["cc", "-std=c99", *how.split(), *files, "-lm", "-o", f"{home}/{how}"], check=True)
        for _ in range(max(5, times // 20)):
            started = time.perf_counter()
            for _ in range(1_000):
                stream.step(given)
            taken.append((time.perf_counter() - started) / 1_000)
            for how in ways:
                said = subprocess.run([f"{home}/{how}"], check=True, capture_output=True, text=True).stdout
                in_c[how].append(float(re.search(r"([0-9.]+) microseconds", said)[1]) / 1e6)  # type: ignore[index]
    ours = middle(taken)
    yield f"A step of an LSTM of {UNITS} units, `layer.stream()`", f"{ours:.1f} µs"
    for how in ways:
        other = middle(in_c[how])
        yield f"The same in C (C99, `{how}`)", f"{other:.1f} µs ({other / ours:.1f} times)"


def in_turns(one: Callable[[], Any], other: Callable[[], Any], times: int) -> tuple[float, float]:
    """The medians of both, in microseconds.

    Each runs some times in a row, and the first are not counted: the threads of the other still spin then,
    waiting for more to do, and on two CPUs who runs beside them takes three times as long.
    """
    taken: tuple[list[float], list[float]] = ([], [])
    in_a_row, not_counted = 30, 10
    for _ in range(max(1, times // (in_a_row - not_counted))):
        for run, own in zip((one, other), taken, strict=True):
            for place in range(in_a_row):
                started = time.perf_counter()
                run()
                if place >= not_counted:
                    own.append(time.perf_counter() - started)
    return middle(taken[0]), middle(taken[1])


def main() -> None:
    """Print the table, and put it on a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of everything")
    parser.add_argument("--page", type=Path, help="a page with a place for the table")
    asked = parser.parse_args()
    part = 5 if asked.quick else 1
    tagger = _tagger()
    rows: list[tuple[str, str]] = []
    with serving(tags=tagger, text=_writer()) as served:
        for made in (
            one_step(served, tagger, 1_000 // part),
            many_sessions(served, tagger, 200 // part),
            many_requests(served, tagger, 2_000 // part, 32),
            aborted(served, ABORTED),
        ):
            rows += made
    for made in (onnx_beside(tagger, 500 // part), c_beside(200 // part)):
        rows += made
    lines = ["| | |", "|---|---|", *(f"| {what} | {number} |" for what, number in rows)]
    table = "\n".join([*lines, "", f"Measured on {machine()}."])
    print(table)
    if asked.page is not None:
        before, _, rest = asked.page.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        asked.page.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
