"""Without any of torch's private names everything computes the same."""

import subprocess
import sys

WITHOUT = """
import importlib
import torch

found = importlib.import_module

def public(name, *rest):
    if name.startswith("torch._"):
        raise ImportError(name)
    return found(name, *rest)

importlib.import_module = public
from unrolled.ops import torch_private
importlib.import_module = found
assert torch_private.tensor_guards is None
import unrolled

torch.manual_seed(0)
for name in ("RNN", "GRU", "LSTM"):
    ours, theirs = getattr(unrolled, name)(3, 4, 2), getattr(torch.nn, name)(3, 4, 2)
    theirs.load_state_dict(ours.state_dict())
    values = torch.randn(5, 2, 3)
    torch.testing.assert_close(ours(values)[0], theirs(values)[0])
    with torch.no_grad():
        torch.testing.assert_close(ours(values)[0], theirs(values)[0])
    stream = ours.stream(2)
    steps = torch.stack([stream.step(step) for step in values])
    torch.testing.assert_close(steps, theirs(values)[0].detach())
    gradients = [torch.autograd.grad(layer(values)[0].sum(), layer.parameters()) for layer in (ours, theirs)]
    for one, other in zip(*gradients):
        torch.testing.assert_close(one, other)
"""


def test_every_private_name_has_a_public_answer():
    subprocess.run([sys.executable, "-W", "error", "-c", WITHOUT], check=True)
