"""MNIST as the Hugging Face hub has it: tables that hold an image, its label, and its word."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def write_tables(arrays: Path, folder: Path) -> dict[str, Path]:
    """Write ``train.parquet`` and ``test.parquet``, each with the columns image, label and text.

    Args:
        arrays: an ``.npz`` file with ``x_train``, ``y_train``, ``x_test`` and ``y_test``.
        folder: where to.
    """
    tables = {}
    with np.load(arrays) as content:
        for split in ("train", "test"):
            images, labels = content[f"x_{split}"], content[f"y_{split}"]
            cells = [{"bytes": _png(image), "path": f"{row}.png"} for row, image in enumerate(images)]
            words = [WORDS[label] for label in labels]
            tables[split] = folder / f"{split}.parquet"
            pd.DataFrame({"image": cells, "label": labels, "text": words}).to_parquet(tables[split])
    return tables


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()
