"""Ways out of Python: `onnx` for any layer and model, `c` for what runs step by step.

Example:
    >>> import unrolled
    >>> layer = unrolled.GRU(3, 4)
    >>> files = unrolled.export.c(layer, "/tmp/unrolled-doctest", name="gru")
    >>> [file.name for file in files]
    ['gru.h', 'gru.c', 'gru_test.c']
"""

from unrolled.export.c_files import c
from unrolled.export.onnx_files import onnx

__all__ = ["c", "onnx"]
