"""The library inside a process: memory, Python threads, forks, workers."""

import gc
import multiprocessing
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from tests.ops.native.drawn import CELLS, Case, run
from tests.ops.native.threads import at_once

# Python 3.12 and later warn of every fork of a process with threads, and so does JAX where something imported
# it; here that is the point.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning"),
]


@pytest.fixture(autouse=True)
def _two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def resident_pages():
    return int(Path("/proc/self/statm").read_text().split()[1])


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_hundreds_of_calls_leak_nothing(cell):
    arguments = Case(cell, 3, 4, 96, frozenset({"lengths"}), 0, 1, "portable").arguments()
    for name in ("gates_x", "weight_hh"):
        arguments[name].requires_grad_()

    def train(times):
        for _ in range(times):
            run(cell, **arguments)[0].sum().backward()
            arguments["gates_x"].grad = arguments["weight_hh"].grad = None
        gc.collect()

    tracemalloc.start()
    train(300)
    before = tracemalloc.get_traced_memory()[0], resident_pages()
    train(300)
    after = tracemalloc.get_traced_memory()[0], resident_pages()
    tracemalloc.stop()
    # A record or a tensor left behind at every call would be more; free lists that still fill are less.
    assert after[0] - before[0] < 300 * 100
    assert after[1] - before[1] < 512  # pages, 2 MB: the outputs of all calls are 2.8 MB


def test_several_python_threads_at_once():
    cases = [
        Case("lstm", 7, 5 + index, 33, frozenset({"lengths"}), index, 2, "portable") for index in range(4)
    ]
    arguments = [case.arguments() for case in cases]
    expected = [run("lstm", **each) for each in arguments]
    wrong = []

    def work(index):
        for _ in range(50):
            found = run("lstm", **arguments[index])
            if not all(torch.equal(one, other) for one, other in zip(found, expected[index], strict=True)):
                wrong.append(index)

    at_once(work, 4)
    assert not wrong


def answer(pipe, arguments):
    pipe.send([result.numpy() for result in run("gru", **arguments)])


def test_after_a_fork():
    arguments = Case("gru", 5, 9, 20, frozenset(), 0, 2, "portable").arguments()
    expected = run("gru", **arguments)  # the parent's threads are running now
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(target=answer, args=(sending, arguments))
    child.start()
    assert receiving.poll(60), "the child hangs"
    for found, wanted in zip(receiving.recv(), expected, strict=True):
        assert torch.equal(torch.from_numpy(found), wanted)
    child.join()
    assert child.exitcode == 0


class Encoded(Dataset):
    def __init__(self, arguments):
        self.arguments = arguments

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return run("rnn", **self.arguments)[0]


def test_in_a_data_loaders_workers():
    arguments = Case("rnn", 5, 9, 20, frozenset(), 0, 2, "portable").arguments()
    expected = run("rnn", **arguments)[0]
    for batch in DataLoader(Encoded(arguments), batch_size=2, num_workers=2):
        assert torch.equal(batch, torch.stack([expected, expected]))


FEWER_THREADS = """
import torch
from unrolled.layers import GRU
from unrolled.ops.native import plain_torch

torch.set_num_threads(4)
torch.manual_seed(0)
layer, inputs = GRU(40, 70).double(), torch.randn(12, 33, 40, dtype=torch.float64)
for lengths in (None, torch.randint(0, 13, (33,))):
    found = layer(inputs, lengths=lengths)[0]
    with plain_torch():
        expected = layer(inputs, lengths=lengths)[0]
    torch.testing.assert_close(found, expected)
    weights = list(layer.parameters())
    for one, other in zip(*(torch.autograd.grad(each.sum(), weights) for each in (found, expected))):
        torch.testing.assert_close(one, other)
"""


def test_the_runtime_may_grant_fewer_threads():
    limited = os.environ | {"OMP_THREAD_LIMIT": "3"}
    subprocess.run([sys.executable, "-c", FEWER_THREADS], env=limited, check=True)
