"""The options of the search for a text."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

from pydantic import Field, model_validator

from unrolled.tasks.options import validated
from unrolled.tasks.prediction import PredictOptions
from unrolled.tasks.work import WIDER


class SearchConfig(PredictOptions):
    """How the target of a source is looked for.

    Example:
        >>> SearchConfig(beam_size=5, n_best=2).n_best
        2
    """

    beam_size: int = Field(
        1,
        ge=1,
        description="Targets that are followed at a time (beam search); 1 is greedy. As in training where "
        "left out.",
        json_schema_extra=WIDER,
    )
    length_penalty: float = Field(
        0.6,
        ge=0,
        description="Exponent of the length that a target's log-probability is divided by; 0 favours short "
        "ones.",
    )
    n_best: int | None = Field(
        None,
        ge=1,
        description="Targets to give for each source, best first, each as a row with its scores.",
        json_schema_extra=WIDER,
    )

    @classmethod
    def over(cls, usual: Mapping[str, Any], options: Mapping[str, Any]) -> Self:
        """The options asked for over the usual ones; asking for n best widens the beam to n.

        Raises:
            ConfigError: there is no such option, or its value does not fit.

        Example:
            >>> SearchConfig.over({"beam_size": 2, "length_penalty": 0.0}, {"n_best": 4}).beam_size
            4
        """
        with suppress(TypeError, ValueError, OverflowError):  # what it must be is said below
            usual = {**usual, "beam_size": max(usual["beam_size"], int(options.get("n_best") or 0))}
        return validated(cls, {**usual, **options})

    @model_validator(mode="after")
    def _enough_hypotheses(self) -> Self:
        if self.n_best is not None and self.n_best > self.beam_size:
            raise ValueError(
                f"n_best: expected at most beam_size ({self.beam_size}), got {self.n_best}; raise beam_size"
            )
        return self
