"""What is answered to what cannot be done: a status, and a sentence."""

from __future__ import annotations

import math

from unrolled.errors import UnrolledError

UNUSABLE = 422
"""The status of an input, an option or a state that a model cannot use."""


class RefusedError(UnrolledError):
    """A request that is not done.

    Args:
        status: of HTTP.
        sentence: what was expected and what came.
        retry_after: seconds after which it may be done.
    """

    def __init__(self, status: int, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """Those of the answer."""
        if self.retry_after is None:
            return {}
        return {"retry-after": str(max(1, math.ceil(self.retry_after)))}


def refusal(error: UnrolledError) -> RefusedError:
    """How an error is answered: what a model says of an input is the asker's to mend."""
    return error if isinstance(error, RefusedError) else RefusedError(UNUSABLE, str(error))
