"""`unrolled.Generator`: learns what comes next, and writes by feeding back what it wrote."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.data.buckets import Encoded
from unrolled.data.roll_files import are_rolls
from unrolled.data.text import open_text
from unrolled.data.tokenizer import SavedTokenizer
from unrolled.errors import ConfigError
from unrolled.models.base import SequenceModel
from unrolled.saving.files import write_file
from unrolled.saving.schema import ENTRIES, Size
from unrolled.tasks.base import Estimator
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.ngram import WittenBell
from unrolled.tasks.baselines.notes import NoteMarkov
from unrolled.tasks.evaluation import Scored
from unrolled.tasks.folds import example_folds, require_folds
from unrolled.tasks.generation.config import GenerateConfig, WritingConfig
from unrolled.tasks.generation.medium import Medium
from unrolled.tasks.generation.notes import NoteMedium
from unrolled.tasks.generation.text import TextMedium
from unrolled.tasks.generation.texts import Texts
from unrolled.tasks.given import listed_texts
from unrolled.tasks.inputs.schema import InputSchema
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.shares import Part, Shares
from unrolled.tasks.streaming import TaskStream

_FEWEST_UPDATES = 300
"""Updates that training may take at least, however small the data, unless the epochs are given."""
_SMALLEST_FOLD = 100
"""Characters that a fold has at least, for its score to say anything."""
_TOGETHER = 256
"""Prompts that are written on at the same time."""


@with_config(ENTRIES)
class _SavedNotes(TypedDict):
    unit: Literal["notes"]
    keys: Literal[88]
    steps_per_beat: Size


class Generator(Estimator[Any, GenerateConfig]):
    """Write text, or sets of notes, as in the training data: one input and one output a step, fed back.

    The data is a text file, a folder of text files, tunes in ABC notation, a table with a column of texts, or
    a list of texts; for notes MIDI files, piano rolls in JSON, NumPy or MATLAB files, or a list of sequences
    of lists of MIDI notes. Training reads many places at once in windows and carries the state from window to
    window (truncated backpropagation through time).

    A word or character that training has not seen costs the nats of the one unknown symbol, however long it
    is. Scores are too good by that; they then come with ``unknown_share``, the share of such tokens.

    Example:
        >>> words = ["deep"] * 60
        >>> generator = Generator(hidden_size=16, epochs=5, batch_size=4, learning_rate=0.03).fit(words)
        >>> generator.predict(["d"], temperature=0)
        ['eep']
    """

    task: ClassVar[str] = "generate"
    Saved = _SavedNotes | SavedTokenizer
    _takes_parts = False
    Config = GenerateConfig
    Options = WritingConfig

    def _reset(self) -> None:
        super()._reset()
        self._medium: Medium[Any] | None = None

    def generate(self, prompt: Any = "", **options: Any) -> Iterator[Any]:
        """Write on after ``prompt``, one step at a time with the state carried.

        Args:
            prompt: a text; for notes a list of steps, each a list of MIDI notes, or a file of them.
            options: those of `unrolled.tasks.generation.config.WritingConfig`.

        Yields:
            Pieces of text (or steps) as soon as they are made, the prompt left out.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
        """
        return self._written.stream(self.model, prompt, self.chosen_options(options))

    def write_on(self, prompt: Any, **options: Any) -> Iterator[Any]:
        """As `generate`."""
        return self.generate(prompt, **options)

    def file_ending(self, first: str) -> str | None:
        """None: every line is a prompt."""
        return None

    def predict(self, data: Any = None, **options: Any) -> list[Any]:
        """What follows each prompt, or of a model that reads backwards stands before it.

        Prompts are those of a list, or each line of a file; many are written on together.

        Args:
            data: prompts, or a file's path.
            options: those of `unrolled.tasks.generation.config.WritingConfig`.
        """
        return super().predict(data, **options)

    def depends_on_place(self, **options: Any) -> bool:
        """Where text is drawn: each further prompt has the next seed."""
        chosen = self.chosen_options(options)
        return chosen.temperature > 0 and not chosen.beam

    def stream(self, **options: Any) -> TaskStream:
        """Text, or notes, written on step by step."""
        self._require_fitted()
        return self._written.step_by_step(self.model, self.chosen_options(options))

    @property
    def hub_task(self) -> str | None:
        """Of text; for notes it has none."""
        return None if self.effective.unit == "notes" else "text-generation"

    def input_schema(self) -> InputSchema:
        """A text, or steps of notes."""
        self._require_fitted()
        return self._written.schema()

    def _read_inputs(self, data: Any) -> list[Any]:
        return list(self._written.prompts(data))

    def _encode(self, data: Any) -> list[Encoded]:
        return self._written.encode(data)

    def _run(self, items: list[Encoded], options: WritingConfig) -> list[Any]:
        made: list[Any] = []
        for start in range(0, len(items), _TOGETHER):
            shifted = options.model_copy(update={"seed": options.seed + start})
            made += self._written.run(self.model, items[start : start + _TOGETHER], shifted)
        return made

    def _decode(self, outputs: Sequence[Any], data: Any, options: WritingConfig) -> list[Prediction]:
        return [Prediction(value) for value in self._written.decode(outputs, options)]

    def written_as(self, value: Any, suffix: str, options: Mapping[str, Any]) -> bytes | str:
        """MIDI, WAV, JSON or text; see `export`."""
        return self._written.file(value, suffix, self.effective, self.chosen_options(options).tempo)

    def export(self, made: Any, path: str | Path, tempo: float = 100.0) -> Path:
        """Write what was generated to a file, as its ending says.

        Args:
            made: a text, or a list of steps of notes.
            path: for notes `.mid`, `.json` or `.jsonl`, for text any ending; `.wav` for how notes or a tune
                in ABC notation sound.
            tempo: quarter notes a minute; a tune has its own.

        Raises:
            ConfigError: this cannot be written as such a file.
            DataError: a text that is to sound has no notes.
            MissingDependencyError: MIDI, or the sound of a tune, needs the extra ``music``.
            StorageError: the disk would not take it.
        """
        suffix = Path(path).suffix.lower()
        return write_file(path, self._written.file(made, suffix, self.effective, tempo))

    @property
    def monitored(self) -> tuple[str, Literal["min", "max"]]:
        """Nats per character, byte or frame: lower is better."""
        return self._written.monitored

    def _token_label(self, token: int) -> str:
        assert isinstance(self._written, TextMedium)
        return self._written.tokenizer.symbol(token)

    @property
    def _written(self) -> Medium[Any]:
        if self._medium is None:
            unit, backwards = self.effective.unit, self.effective.backwards
            if unit == "notes" and backwards:
                raise ConfigError("backwards: expected text with it, got notes; leave backwards out")
            self._medium = NoteMedium() if unit == "notes" else TextMedium(unit, backwards)
        return self._medium

    def _read(self, data: Any, *, labelled: bool, part: Part = "test") -> Any:
        data = listed_texts(data)
        if self.effective.unit == "auto":
            unit = "notes" if _are_notes(data) else "character"
            self._decide(f"The unit is {unit!r}.", unit=unit)
        if part == "train" and self._model is None:
            self._suit(self.effective.unit, self._written.usual)
        return self._written.read(data, self.effective, part)

    def _folds(self, data: Any, count: int) -> Iterable[tuple[Any, Any]]:
        if isinstance(data, Texts):
            require_folds(count, data.characters // _SMALLEST_FOLD, f"{_SMALLEST_FOLD} characters")
            return data.folds(count)
        return example_folds(data, count, self.effective.seed, lambda example: ())

    def _hold_out(self, data: Any, *, keep_apart: bool) -> Shares[Any]:
        return self._written.hold_out(data, self.effective)

    def _prepare(self, train: Any) -> None:
        for note in getattr(train, "notes", ()):
            self._note(note)
        self._written.prepare(train, self.effective)
        if self.effective.unit == "word":
            self._note(
                "A word not seen in training costs the one unknown symbol, however long it is: scores per "
                "character look better than they are, the more so the higher unknown_share."
            )
        updates = self._written.updates(train, self.effective)
        if updates is not None:
            self._go_through_often(updates, _FEWEST_UPDATES)

    def _readings(self, train: Any, held_out: Any) -> list[str]:
        return self._written.described(train, held_out)

    def _build_model(self) -> SequenceModel:
        return self._written.build_model(self.effective)

    def _loader(self, data: Any, *, training: bool) -> Any:
        shard = self._shard if training else (0, 1)
        return self._written.loader(data, self.effective, shuffle=training, shard=shard)

    def _loss(self) -> Any:
        return self._written.loss(self.effective)

    def _scorer(self, data: Any) -> Callable[[], Scored]:
        return self._written.scorer(self.model, data)

    def _fit_baselines(self, train: Any) -> Iterable[Baseline]:
        baseline, sentence = self._written.fit_baseline(train, self.effective)
        self._note(sentence)
        return [baseline]

    def _score_baseline(self, baseline: Baseline, data: Any) -> Mapping[str, float]:
        return self._written.score_baseline(baseline, data)

    def _vocabularies(self) -> dict[str, Any]:
        return self._written.vocabularies()

    def _restore(self, vocabularies: Mapping[str, Any]) -> None:
        if vocabularies["unit"] != self.effective.unit:
            raise ValueError(f"expected text by {self.effective.unit}, got {vocabularies['unit']!r:.60}")
        self._written.restore(vocabularies)

    @classmethod
    def _baseline_kinds(cls) -> tuple[type[Baseline], ...]:
        return (WittenBell, NoteMarkov)


def _are_notes(data: Any) -> bool:
    """Whether the data is sequences of lists of numbers rather than text."""
    if isinstance(data, str | Path):
        path = Path(data)
        if are_rolls(path):
            return True
        if path.suffix.lower() not in (".json", ".jsonl") or not path.is_file():
            return False
        with open_text(path) as file:
            if path.suffix.lower() == ".json":
                return True  # no other JSON array is taken by this task
            try:
                return isinstance(json.loads(file.readline()), list)
            except (ValueError, RecursionError):
                return False
    return bool(data) and not isinstance(data[0], str | bytes)
