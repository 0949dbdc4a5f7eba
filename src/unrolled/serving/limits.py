"""What strangers may ask of a service: of one request, and of all together."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from unrolled.serving.refusal import RefusedError
from unrolled.tasks.work import LONGER, WIDER

_KIBIBYTE = 1024
_MEBIBYTE = 1024 * _KIBIBYTE


class Limits(BaseModel):
    """The bounds of a service, whose fields are the flags of ``unrolled serve``.

    Example:
        >>> Limits.model_validate({"max_sessions": 10}).max_sessions
        10
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_body: int = Field(4 * _MEBIBYTE, ge=1, description="Bytes of a request, or of a message.")
    max_length: int = Field(10_000, ge=1, description="Steps or characters of an input.")
    max_batch: int = Field(64, ge=1, description="Inputs of a request, and inputs computed together.")
    max_steps: int = Field(10_000, ge=1, description="Steps that a prediction may be asked to go on for.")
    max_width: int = Field(256, ge=1, description="Width of a search, or number of paths.")
    max_work: int = Field(
        50_000, ge=1, description="The product of both and of the inputs: what a request may cost."
    )
    max_queue: int = Field(256, ge=1, description="Inputs that may wait for a model.")
    max_sessions: int = Field(1_000, ge=1, description="Sessions, and texts being written, at a time.")
    max_state: int = Field(_MEBIBYTE, ge=1, description="Bytes of a session's state.")
    max_states: int = Field(256 * _MEBIBYTE, ge=1, description="Bytes of all sessions' states.")
    session_seconds: float = Field(900.0, gt=0, description="After which a session that is not used ends.")
    batch_milliseconds: float = Field(
        2.0, ge=0, description="How long an input waits for others to be computed with it, at most."
    )

    def require_work(self, options: BaseModel, inputs: int) -> None:
        """Hold a prediction to what it may cost.

        Args:
            options: of the prediction, as they were chosen.
            inputs: how many are predicted for.

        Raises:
            RefusedError: they ask for more.
        """
        work = inputs
        for name, field in type(options).model_fields.items():
            value = getattr(options, name)
            if field.json_schema_extra not in (LONGER, WIDER) or value is None:
                continue
            most = self.max_steps if field.json_schema_extra == LONGER else self.max_width
            if value > most:
                raise RefusedError(422, f"option {name!r}: expected at most {most:,} here, got {value:,}.")
            work *= max(1, value)
        if work > self.max_work:
            raise RefusedError(
                422,
                f"expected inputs, steps and width whose product is at most {self.max_work:,}, got {work:,}; "
                "ask for less at a time.",
            )
