"""Train the tiny model in a process of its own: `run_tiny.py FOLDER [--resume] [--epochs N] [--die SECONDS]`.

Under a launcher the rows of every batch are shared out. The weights go to FOLDER/weights-RANK.safetensors.
"""

import argparse
import os
import signal
import threading
from pathlib import Path

import safetensors.torch

from tests.training.tiny import TinyLoader, make_model
from unrolled.training import CrossEntropy, TrainingConfig
from unrolled.training.trainer import Trainer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--die", type=float, help="seconds from the start of training to SIGKILL")
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--meeting-timeout", type=float, default=300)
    options = parser.parse_args()
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))

    model = make_model(dropout=options.dropout).float()
    config = TrainingConfig(
        epochs=options.epochs,
        batch_size=4 // world,
        window=4,
        reach=6,
        clip="auto",
        clip_threshold=1,
        learning_rate=0.01,
        save_every=1e-6,
        device="cpu",
        meeting_timeout=options.meeting_timeout,
    )
    trainer = Trainer(model, CrossEntropy(), config, run_folder=options.folder, resume=options.resume)
    loader = TinyLoader(stream=True, shard=(rank, world))
    if options.die is not None:
        death = threading.Timer(options.die, os.kill, (os.getpid(), signal.SIGKILL))
        death.daemon = True
        death.start()
    trainer.fit(loader, lambda: {"size": float(model.output.weight.detach().norm())}, "size")
    if options.die is not None:
        signal.pause()  # training was over before its moment came
    safetensors.torch.save_file(model.state_dict(), options.folder / f"weights-{rank}.safetensors")


if __name__ == "__main__":
    main()
