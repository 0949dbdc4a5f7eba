"""What takes seconds to import, for a server of processes to import once: see `tests.forked`."""

import importlib

import torch

torch.set_num_threads(1)
for name in (
    *("accelerate", "matplotlib.figure", "pandas", "scipy.stats", "sklearn.linear_model", "tokenizers"),
    *("unrolled.cli.main", "unrolled.cli.train", "unrolled.reporting.page", "unrolled.training.trainer"),
    *(f"unrolled.tasks.{task}" for task in ("caption", "classify", "forecast", "generate", "regress", "tag")),
    "unrolled.tasks.translate",
):
    importlib.import_module(name)
torch.optim.AdamW([torch.zeros(1)])  # the first of them imports as much again
