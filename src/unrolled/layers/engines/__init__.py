"""Who computes a recurrent layer: a list in order, of which the first that can does.

`unrolled.layers.stack` asks it for every call, `unrolled.layers.streaming` for every stream, and
`unrolled.layers.implementation` for who wants to know. A new engine is a file here and a place in the list.
"""

from unrolled.layers.engines import cudnn, exported, inference, kernels, programs, reference
from unrolled.layers.engines.engine import Engine, Pass, Result

ENGINES: tuple[Engine, ...] = (
    exported.ENGINE,
    cudnn.ENGINE,
    inference.ENGINE,
    kernels.ENGINE,
    programs.ENGINE,
    reference.ENGINE,
)
"""The fastest first."""


def run(given: Pass) -> Result:
    """Compute a layer by the first engine that can."""
    for engine in ENGINES:
        answer = engine.offer(given)
        if not isinstance(answer, str):
            return answer()
    raise AssertionError("the reference computes every layer.")
