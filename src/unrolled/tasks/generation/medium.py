"""What a generator writes, with everything that depends on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Generic, Literal, TypeVar

from unrolled.models.base import SequenceModel
from unrolled.tasks.base import Scored
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.generation.config import GenerateConfig, WritingConfig

Data = TypeVar("Data")
Part = Literal["train", "valid", "test"]
"""What data is read for, which decides where it is divided itself."""


class Medium(ABC, Generic[Data]):
    """Text, or sets of notes: the steps of `unrolled.tasks.base.Estimator` that differ between them.

    Attributes:
        baseline: the class of what `fit_baseline` returns.
        usual: options that suit it better than the defaults, which suit text.
        kept_apart: the part of the training data that `hold_out` found to be for the final scores, if any.
    """

    baseline: ClassVar[type[Baseline]]
    usual: ClassVar[Mapping[str, Any]] = {}
    kept_apart: Data | None = None

    @abstractmethod
    def read(self, data: Any, config: GenerateConfig, part: Part) -> Data:
        """Read a path, a built-in name or Python objects."""

    @abstractmethod
    def hold_out(self, data: Data, config: GenerateConfig) -> tuple[Data, Data, str]:
        """Split off a share of the data, and say in a sentence which."""

    def share_name(self, share: Data) -> str:
        """What a part is called that `hold_out` has split off."""
        return "held-out share"

    @abstractmethod
    def prepare(self, train: Data, config: GenerateConfig) -> None:
        """Learn the alphabet."""

    @abstractmethod
    def described(self, train: Data, held_out: Data) -> list[str]:
        """The unit, the alphabet and how much there is, in phrases."""

    @abstractmethod
    def build_model(self, config: GenerateConfig) -> SequenceModel:
        """A fresh network."""

    @abstractmethod
    def loader(self, data: Data, config: GenerateConfig, *, shuffle: bool, shard: tuple[int, int]) -> Any:
        """Batches to train on, or this process's share of them."""

    @abstractmethod
    def updates(self, train: Data, config: GenerateConfig) -> int | None:
        """The updates of an epoch; None where the data is too much to count them in passing."""

    @abstractmethod
    def loss(self, config: GenerateConfig) -> Any:
        """What training minimises."""

    @property
    @abstractmethod
    def monitored(self) -> tuple[str, Literal["min", "max"]]:
        """The score that early stopping watches."""

    @abstractmethod
    def scorer(self, model: SequenceModel, data: Data) -> Callable[[], Scored]:
        """A function that scores the model's present weights."""

    @abstractmethod
    def fit_baseline(self, train: Data, config: GenerateConfig) -> tuple[Baseline, str]:
        """The baseline, and a sentence on what it learnt from."""

    @abstractmethod
    def score_baseline(self, baseline: Baseline, data: Data) -> Mapping[str, float]:
        """The baseline's scores."""

    @abstractmethod
    def vocabularies(self) -> dict[str, Any]:
        """The alphabet as plain JSON."""

    @abstractmethod
    def restore(self, vocabularies: Mapping[str, Any]) -> None:
        """The inverse of `vocabularies`."""

    @abstractmethod
    def prompts(self, data: Any) -> Iterable[Any]:
        """The seeds to write on from: a path's, or those of a list."""

    @abstractmethod
    def stream(self, model: SequenceModel, prompt: Any, options: WritingConfig) -> Iterator[Any]:
        """Write on after ``prompt``, piece by piece as it is made."""

    @abstractmethod
    def write(self, model: SequenceModel, prompts: Iterable[Any], options: WritingConfig) -> list[Any]:
        """Write on after each of the prompts, all together."""

    @abstractmethod
    def file(self, made: Any, suffix: str, config: GenerateConfig, tempo: float) -> bytes | str:
        """What a file of this ending holds, made of what was written.

        Raises:
            ConfigError: it cannot be written as such a file.
        """
