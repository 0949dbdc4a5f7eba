"""What a generator writes, with everything that depends on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, Literal, TypeVar

from unrolled.data.buckets import Encoded
from unrolled.models.base import SequenceModel
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.evaluation import Scored
from unrolled.tasks.generation.config import GenerateConfig, WritingConfig
from unrolled.tasks.inputs.schema import InputSchema
from unrolled.tasks.shares import Part, Shares
from unrolled.tasks.streaming import TaskStream

Data = TypeVar("Data")


class Medium(ABC, Generic[Data]):
    """Text, or sets of notes: the `unrolled.tasks.estimator.contract.TaskSteps` that differ between them.

    Attributes:
        baseline: the class of what `fit_baseline` returns.
        usual: options that suit it better than the defaults, which suit text.
    """

    baseline: ClassVar[type[Baseline]]
    usual: ClassVar[Mapping[str, Any]] = {}

    @abstractmethod
    def read(self, data: Any, config: GenerateConfig, part: Part) -> Data:
        """Read a path, a built-in name or Python objects."""

    @abstractmethod
    def hold_out(self, data: Data, config: GenerateConfig) -> Shares[Data]:
        """Split off a share of the data, and say in a sentence which."""

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
    def step_by_step(self, model: SequenceModel, options: WritingConfig) -> TaskStream:
        """Write on with the state as argument and result."""

    @abstractmethod
    def schema(self) -> InputSchema:
        """What a prompt is."""

    @abstractmethod
    def encode(self, prompts: Iterable[Any]) -> list[Encoded]:
        """What the network reads of each prompt, from the start of a text or piece."""

    @abstractmethod
    def run(self, model: SequenceModel, items: Sequence[Encoded], options: WritingConfig) -> list[Any]:
        """The steps written on after each of the encoded prompts, all together."""

    @abstractmethod
    def decode(self, outputs: Iterable[Any], options: WritingConfig) -> list[Any]:
        """What the steps that were written mean."""

    def write(self, model: SequenceModel, prompts: Iterable[Any], options: WritingConfig) -> list[Any]:
        """Write on after each of the prompts, all together."""
        return self.decode(self.run(model, self.encode(prompts), options), options)

    @abstractmethod
    def file(self, made: Any, suffix: str, config: GenerateConfig, tempo: float) -> bytes | str:
        """What a file of this ending holds, made of what was written.

        Raises:
            ConfigError: it cannot be written as such a file.
        """
