"""What to say when training diverged: where, what is kept, and the likely remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.errors import DivergedError

if TYPE_CHECKING:
    from pathlib import Path

    from unrolled.training.config import TrainingConfig
    from unrolled.training.position import Position


def diverged(
    value: float, name: str, position: Position, config: TrainingConfig, checkpoint: Path | None
) -> DivergedError:
    """The error for a value that became NaN or infinite.

    Args:
        value: NaN or infinite.
        name: what it is, such as `loss`.
        position: before the update that it belongs to.
        config: the options, among which the remedy is looked for.
        checkpoint: the folder of the last checkpoint, if there are any.
    """
    if checkpoint is not None and checkpoint.exists():
        kept = f"the last good checkpoint is kept in {checkpoint}"
    else:
        kept = "no checkpoint was written"
    if position.updates == 0:
        remedy = "look for NaN or huge values in the training data, or lower learning_rate"
    elif config.clip in ("none", "step"):
        remedy = "clip the gradient (clip='norm', clip_threshold=1), or lower learning_rate"
    else:
        remedy = f"lower learning_rate, or clip_threshold (now {config.clip_threshold:g})"
    return DivergedError(
        f"epoch {position.epoch + 1}, update {position.updates + 1}: the {name} became {value}; training "
        f"stopped, {kept}. Likely remedy: {remedy} (learning_rate is {config.learning_rate:g})."
    )
