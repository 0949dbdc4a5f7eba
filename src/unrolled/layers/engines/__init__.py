"""Who computes a recurrent layer: a list in order, of which the first that can does.

`unrolled.layers.stack` asks it for every call, `unrolled.layers.streaming` for every stream, and
`unrolled.layers.implementation` for who wants to know. A new engine is a file here and a place in the list.
"""

from unrolled.layers.engines import cudnn, exported, inference, kernels, programs, reference
from unrolled.layers.engines.engine import Engine, Pass, Result

ENGINES: tuple[Engine, ...] = (
    inference.ENGINE,
    kernels.ENGINE,
    exported.ENGINE,
    cudnn.ENGINE,
    programs.ENGINE,
    reference.ENGINE,
)
"""The fastest of a device first; and first those for which a question more would be felt."""


def run(given: Pass) -> Result:
    """Compute a layer by the first engine that can."""
    for engine in ENGINES:
        answer = engine.offer(given)
        if not isinstance(answer, str):
            return answer()
    raise AssertionError("the reference computes every layer.")
