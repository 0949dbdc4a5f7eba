"""Ways out of Python: `onnx` for any layer and model, `c` for what runs step by step.

Example:
    >>> import tempfile
    >>> import unrolled
    >>> with tempfile.TemporaryDirectory() as home:
    ...     done = unrolled.export.c(unrolled.GRU(3, 4), home, name="gru")
    >>> [file.name for file in done.files]
    ['gru.h', 'gru.c', 'gru_test.c']
"""

from unrolled.export.c_files import c
from unrolled.export.onnx_files import onnx

__all__ = ["c", "onnx"]
