"""The options of training, flat, so that each is one flag of the command line."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TrainingConfig(BaseModel):
    """How a model is trained.

    Example:
        >>> TrainingConfig(window=50, reach=100, clip="auto", clip_threshold=5).reach
        100
        >>> TrainingConfig(window=50, reach=20)
        Traceback (most recent call last):
        ...
        pydantic_core._pydantic_core.ValidationError: 1 validation error for TrainingConfig
          Value error, reach: expected at least window (50), got 20; ...
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(20, ge=1, description="Passes over the training data, at most.")
    batch_size: int = Field(
        32, ge=1, description="Sequences (or rows of a stream) per batch, in each process."
    )
    loss_reduction: Literal["mean", "sum"] = Field(
        "mean",
        description="Average the loss over all steps of a batch, or sum it over the steps of each sequence "
        "and average over sequences. A target for a whole sequence has one loss, so this changes nothing.",
    )
    optimizer: Literal["sgd", "adamw", "rmsprop", "asgd"] = Field(
        "adamw",
        description="How weights are updated; asgd is sgd whose weights are averaged over the updates.",
    )
    learning_rate: float = Field(1e-3, gt=0, description="Size of the updates, after warm-up.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of sgd.")
    weight_decay: float = Field(
        0.0, ge=0, description="Decay of weight matrices; biases and gains never decay."
    )
    schedule: Literal["constant", "plateau", "cosine"] = Field(
        "constant",
        description="How the learning rate falls: never, when the dev score stands still, or as a cosine.",
    )
    plateau_factor: float = Field(
        0.5, gt=0, lt=1, description="Factor on the learning rate when the dev score stands still."
    )
    plateau_patience: int = Field(
        1, ge=0, description="Epochs without a better dev score before the learning rate goes down."
    )
    warmup: float = Field(
        0.0,
        ge=0,
        description="Batches in which the learning rate rises from near 0; below 1, a share of all.",
    )
    average_patience: int = Field(
        5,
        ge=0,
        description="Epochs without a better dev score before asgd averages; 0: from the start.",
    )
    clip: Literal["none", "norm", "value", "step", "auto"] = Field(
        "norm",
        description="Gradient clipping: by the norm, by value, per time step inside the backward pass, or "
        "by a norm that is a multiple of the running average (auto).",
    )
    clip_threshold: float | None = Field(
        1.0, gt=0, description="Threshold of clipping; for auto the multiple of the average norm, 0.5 to 10."
    )
    omega: float = Field(
        0.0,
        ge=0,
        description="Weight of the term that lets every step keep the size of the error that comes back "
        "through it (Pascanu et al. 2013).",
    )
    flossing: float = Field(
        0.0,
        ge=0,
        description="Weight of the term that draws the largest Lyapunov exponents to 0 (gradient flossing, "
        "Engelken 2023).",
    )
    window: int | None = Field(
        None,
        ge=1,
        description="New steps per update of truncated BPTT; left out, the gradient goes back all the way.",
    )
    reach: int | None = Field(
        None,
        ge=1,
        description="Steps the gradient of truncated BPTT goes back; by default the window.",
    )
    checkpoint_every: int | None = Field(
        None, ge=1, description="Recompute full BPTT in segments of so many steps, to save memory."
    )
    patience: int | None = Field(
        5,
        ge=1,
        description="Epochs without a better dev score before training stops; none never stops early.",
    )
    min_improvement: float = Field(
        0.0,
        ge=0,
        description="By how much the dev score must get better for patience, and the schedule, to count it.",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of every random choice.")
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32", description="Arithmetic of the forward pass; below float32 it is mixed precision."
    )
    device: Literal["auto", "cpu"] = Field(
        "auto", description="auto takes an accelerator where there is one."
    )
    diagnose: bool = Field(
        False,
        description="Watch the error on its way back: say when the verdict on the network changes, and what "
        "it is at the end, and keep for the report what was measured over the epochs.",
    )
    save_every: float = Field(300.0, gt=0, description="Seconds between checkpoints inside an epoch.")
    process_timeout: float = Field(
        1800.0, gt=0, description="Seconds for which several processes wait for one another, at most."
    )
    meeting_timeout: float = Field(
        300.0, gt=0, description="Seconds for which they wait until all of them have started, at most."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.reach is not None and self.window is None:
            raise ValueError("reach: expected a window with it, got none; set window, or leave reach out")
        if self.reach is not None and self.window is not None and self.reach < self.window:
            raise ValueError(
                f"reach: expected at least window ({self.window}), got {self.reach}; "
                "the gradient must cross its own window"
            )
        if self.window is not None and self.checkpoint_every is not None:
            raise ValueError(
                "checkpoint_every: expected full BPTT, got a window; truncated BPTT needs no recomputation, "
                "drop one of the two"
            )
        if self.clip != "none" and self.clip_threshold is None:
            raise ValueError(
                f"clip_threshold: expected a number for clip={self.clip!r}, got none; set it, or clip='none'"
            )
        if self.clip == "auto" and self.clip_threshold is not None and not 0.5 <= self.clip_threshold <= 10:
            raise ValueError(
                "clip_threshold: expected 0.5 to 10 (times the average norm) for clip='auto', "
                f"got {self.clip_threshold}"
            )
        return self
