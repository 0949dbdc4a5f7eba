"""Train every task for a hundred updates in a process of its own: `run_every_task.py FOLDER`.

Nothing is drawn while they train, so that several processes see what one does. The weights of each go to
FOLDER/TASK.safetensors.
"""

import os
import random
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import safetensors.torch

from unrolled.tasks.registry import estimator_class

UPDATES, BATCH = 100, 8
WORLD = int(os.environ.get("WORLD_SIZE", "1"))
EPOCHS = {"generate": 2, "forecast": 6}
"""Passes that make a hundred updates or more, where they are not the 4 of 26 batches each."""
DRAWN = ("dropout", "input_dropout", "unknown_dropout", "input_noise")
# A multiple of a vector's numbers, and two layers: what a ragged batch once went wrong with.
NETWORK: dict[str, Any] = {"hidden_size": 16, "num_layers": 2}


def data() -> dict[str, Any]:
    """Examples of unequal lengths for every task, seven or eight a batch: two share some unequally."""
    draws = random.Random(5)
    words = ["good", "bad", "film", "dull", "fine", "the", "a", "very", "quite", "plot"]

    def sentence(least: int = 1, most: int = 12) -> list[str]:
        return [draws.choice(words) for _ in range(draws.randint(least, most))]

    tagged = [(each, [word[0].upper() for word in each]) for each in (sentence() for _ in range(203))]
    texts = [(" ".join(sentence()), draws.choice(["p", "n"])) for _ in range(203)]
    return {
        "classify": texts,
        "regress": [(text, len(text)) for text, _ in texts],
        "tag": tagged,
        "generate": [" ".join(sentence(20, 60)) for _ in range(160)],
        "forecast": pd.DataFrame(
            {"ds": range(900), "y": [10.0 + step % 7 + draws.random() for step in range(900)]}
        ),
        "translate": [
            (" ".join(each), " ".join(reversed(each))) for each in (sentence() for _ in range(203))
        ],
        "caption": [(draws.choice(["cat", "dog", "cow"]), text) for text, _ in texts],
    }


def main() -> None:
    folder = Path(sys.argv[1])
    for task, examples in data().items():
        make = estimator_class(task)
        known = make.Config.model_fields
        options = NETWORK | {name: 0.0 for name in DRAWN if name in known}
        options |= {
            "epochs": EPOCHS.get(task, 4),
            "batch_size": BATCH // WORLD,
            "patience": None,
            "device": "cpu",
        }
        estimator = make(**{name: value for name, value in options.items() if name in known})
        estimator.fit(examples, dev=None if task == "forecast" else examples[:20])
        if os.environ.get("RANK", "0") == "0":
            updates = sum(epoch.updates for epoch in estimator.history.epochs)
            assert updates >= UPDATES, f"{task}: {updates} updates"
            safetensors.torch.save_file(estimator.model.state_dict(), folder / f"{task}.safetensors")


if __name__ == "__main__":
    main()
