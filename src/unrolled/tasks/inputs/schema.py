"""What is handed over for a prediction: said in JSON Schema, and read from JSON or from a line of text."""

from __future__ import annotations

import base64
import binascii
import io
import json
import wave
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, SerializeAsAny

from unrolled.data.example import Source
from unrolled.data.text_pairs import TextPair, pair_of

_HANDED_OVER = Source()
_NUMBERS = {"type": "array", "items": {"type": "number"}}


class InputSchema(BaseModel, ABC):
    """One kind of input.

    Attributes:
        kind: its name.
        blank: whether an empty line is an input; where it is none, it is left out, as files leave it out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    blank: bool = False

    @abstractmethod
    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of one input."""

    @abstractmethod
    def from_json(self, value: Any, source: Source = _HANDED_OVER) -> Any:
        """One input as `Estimator.predict` takes it, from a JSON value.

        Raises:
            DataError: the value is not of this kind; it points at ``source``.
        """

    @abstractmethod
    def example(self) -> Any:
        """A JSON value that is such an input; None where none can be made."""

    def length(self, given: Any) -> int:
        """The steps of an input that `from_json` has read: what the work on it grows with."""
        return len(given)

    def from_line(self, line: str) -> Any:
        """One input as `Estimator.predict` takes it, from a line of text without its end."""
        return line

    def lines(self, lines: Iterable[str]) -> Iterator[Any]:
        """The inputs of some lines, whose ends may be there."""
        stripped = (line.rstrip("\r\n") for line in lines)
        return (self.from_line(line) for line in stripped if self.blank or line.strip())


class TextSchema(InputSchema):
    """A text, or a string of symbols.

    Example:
        >>> TextSchema().json_schema()
        {'type': 'string'}
    """

    kind: str = "text"

    def json_schema(self) -> dict[str, Any]:
        """A string."""
        return {"type": "string"}

    def example(self) -> str:
        """Two words."""
        return "two words"

    def from_json(self, value: Any, source: Source = _HANDED_OVER) -> str:
        """The text."""
        if not isinstance(value, str):
            raise source.error(f"expected a text, got {value!r:.60}")
        return value


class PairSchema(InputSchema):
    r"""Two texts.

    Example:
        >>> PairSchema().from_line("It rains.\tIt is wet.")
        TextPair(first='It rains.', second='It is wet.')
    """

    kind: str = "pair"

    def json_schema(self) -> dict[str, Any]:
        """A list of two strings, or an object of two."""
        two = {"minItems": 2, "maxItems": 2}
        of_names = {"minProperties": 2, "maxProperties": 2, "additionalProperties": {"type": "string"}}
        return {
            "anyOf": [{"type": "array", "items": {"type": "string"}, **two}, {"type": "object", **of_names}]
        }

    def example(self) -> list[str]:
        """Two texts."""
        return ["two words", "three more words"]

    def from_json(self, value: Any, source: Source = _HANDED_OVER) -> TextPair:
        """The texts."""
        return pair_of(value, source)

    def length(self, given: TextPair) -> int:
        """The characters of both."""
        return len(given.first) + len(given.second)

    def from_line(self, line: str) -> Any:
        """Those of a JSON list or object, or on both sides of a tab."""
        read = _json_or_text(line)
        return pair_of(line.split("\t") if isinstance(read, str) else read, _HANDED_OVER)


class WordsSchema(InputSchema):
    """A sentence: its words, or a text that is split at white space.

    Attributes:
        marks: whether marks are words of their own there.
    """

    kind: str = "words"
    blank: bool = True
    marks: bool = False

    def json_schema(self) -> dict[str, Any]:
        """A list of strings, or a string."""
        return {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}

    def example(self) -> list[str]:
        """Two words."""
        return ["two", "words"]

    def from_json(self, value: Any, source: Source = _HANDED_OVER) -> Any:
        """The words."""
        if isinstance(value, str):
            return self.from_line(value)
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise source.error(f"expected a list of words, got {value!r:.60}")
        return tuple(value)

    def from_line(self, line: str) -> tuple[str, ...]:
        """The words between white space."""
        from unrolled.data.offset_spans import tokens_in
        from unrolled.data.token_columns import words_in

        return tokens_in(line) if self.marks else words_in(line)


class NumbersSchema(InputSchema):
    """A sequence of numbers.

    Attributes:
        channels: numbers a step.
        gaps: whether some may be missing.
    """

    kind: str = "numbers"
    channels: int
    gaps: bool = False

    def json_schema(self) -> dict[str, Any]:
        """A list of steps, each a number where there is one channel, else a list of them; null for a gap."""
        number = {"type": ["number", "null"] if self.gaps else "number"}
        step = {"type": "array", "items": number, "minItems": self.channels, "maxItems": self.channels}
        items = {"anyOf": [number, step]} if self.channels == 1 else step
        return {"type": "array", "items": items}

    def example(self) -> list[Any]:
        """Three steps."""
        step = [0.25] * self.channels
        return [step, step, step]

    def from_json(self, value: Any, source: Source = _HANDED_OVER) -> np.ndarray:
        """The numbers ``(time, channels)``."""
        from unrolled.data.number_lists import number_sequence

        if not isinstance(value, list):
            raise source.error(f"expected a list of numbers, got {value!r:.60}")
        return number_sequence(value, source, gaps=True)

    def from_line(self, line: str) -> Any:
        """The numbers of a JSON list; what is none stays a text, which the task will refuse."""
        if not line.lstrip().startswith("["):
            return line
        try:
            return np.asarray(json.loads(line), dtype=np.float64)
        except (ValueError, RecursionError):
            return line


class FileSchema(InputSchema):
    """A file's content: a recording, an image, or a clip.

    Attributes:
        media_type: such as ``image/*``.
    """

    kind: str
    media_type: str

    def json_schema(self) -> dict[str, Any]:
        """The file in base64."""
        return {"type": "string", "contentEncoding": "base64", "contentMediaType": self.media_type}

    def example(self) -> str | None:
        """A grey image, a silent recording; no clip."""
        makes = {"image/*": _grey_image, "audio/*": _silence}.get(self.media_type)
        return None if makes is None else base64.b64encode(makes()).decode()

    def length(self, given: bytes) -> int:
        """One: what a file may hold is bounded where it is read."""
        return 1

    def from_json(self, value: Any, source: Source = _HANDED_OVER) -> bytes:
        """The file's bytes."""
        try:
            return base64.b64decode(value, validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise source.error(f"expected a file's content in base64, got {value!r:.60}") from None

    def from_line(self, line: str) -> Path:
        """The path of a file."""
        return Path(line)


class VectorsSchema(InputSchema):
    """A vector, or one for each region.

    Attributes:
        features: numbers of a vector.
    """

    kind: str = "vectors"
    features: int

    def json_schema(self) -> dict[str, Any]:
        """A list of numbers, or a list of such lists."""
        vector = _NUMBERS | {"minItems": self.features, "maxItems": self.features}
        return {"anyOf": [vector, {"type": "array", "items": vector}]}

    def example(self) -> list[float]:
        """A vector."""
        return [0.25] * self.features

    def from_json(self, value: Any, source: Source = _HANDED_OVER) -> Any:
        """The vector or vectors."""
        if not isinstance(value, list):
            raise source.error(f"expected a list of {self.features} numbers, got {value!r:.60}")
        return value

    def from_line(self, line: str) -> Any:
        """Those of a JSON list."""
        return _json_or_text(line)


class ClassesSchema(InputSchema):
    """Values by name: one of some classes each, or a number.

    Attributes:
        classes: the classes by name.
        numbers: the names of numbers.
    """

    kind: str = "classes"
    classes: Mapping[str, tuple[str, ...]]
    numbers: tuple[str, ...] = ()

    def json_schema(self) -> dict[str, Any]:
        """An object; a single class stands for itself."""
        properties = self.properties()
        if list(properties) == ["class"]:
            return properties["class"]
        return {"type": "object", "properties": properties, "required": list(properties)}

    def properties(self) -> dict[str, Any]:
        """The JSON Schema of each value."""
        of_classes = {name: {"type": "string", "enum": list(each)} for name, each in self.classes.items()}
        return {**of_classes, **{name: {"type": "number"} for name in self.numbers}}

    def example(self) -> Any:
        """The first class of each, and a number."""
        values = {name: each[0] for name, each in self.classes.items()} | dict.fromkeys(self.numbers, 0.25)
        return values["class"] if list(values) == ["class"] else values

    def length(self, given: Any) -> int:
        """One."""
        return 1

    def from_json(self, value: Any, source: Source = _HANDED_OVER) -> Any:
        """The values by name, or the one class."""
        if not isinstance(value, str | int | float | dict):
            raise source.error(f"expected a class, or values by name, got {value!r:.60}")
        return value

    def from_line(self, line: str) -> Any:
        """Those of a JSON object; or one class."""
        return _json_or_text(line)


class SeveralSchema(InputSchema):
    """A sequence, by the name ``input``, with further values by their names.

    Attributes:
        sequence: what the sequence is.
        beside: what the further values are.
    """

    kind: str = "several"
    sequence: SerializeAsAny[InputSchema]
    beside: ClassesSchema

    def json_schema(self) -> dict[str, Any]:
        """An object."""
        further = self.beside.properties()
        properties = {"input": self.sequence.json_schema(), **further}
        return {"type": "object", "properties": properties, "required": list(properties)}

    def example(self) -> Any:
        """A sequence with a value of each name."""
        sequence, beside = self.sequence.example(), self.beside.example()
        if sequence is None:
            return None
        (*_, name) = self.beside.properties()
        return {"input": sequence} | (beside if isinstance(beside, dict) else {name: beside})

    def length(self, given: dict[str, Any]) -> int:
        """That of the sequence."""
        return self.sequence.length(given["input"])

    def from_json(self, value: Any, source: Source = _HANDED_OVER) -> dict[str, Any]:
        """The sequence and the values, by name."""
        if not isinstance(value, dict) or "input" not in value:
            raise source.error(f"expected an object with 'input' and further values, got {value!r:.60}")
        return {**value, "input": self.sequence.from_json(value["input"], source)}

    def from_line(self, line: str) -> Any:
        """Those of a JSON object."""
        read = _json_or_text(line)
        return self.from_json(read) if isinstance(read, dict) else read


class NotesSchema(InputSchema):
    """Steps of notes, each a list of MIDI notes, to go on from."""

    kind: str = "notes"
    blank: bool = True

    def json_schema(self) -> dict[str, Any]:
        """A list of lists of whole numbers."""
        note = {"type": "integer", "minimum": 0, "maximum": 127}
        return {"type": "array", "items": {"type": "array", "items": note}}

    def example(self) -> list[list[int]]:
        """Two steps."""
        return [[60, 64], [62]]

    def from_json(self, value: Any, source: Source = _HANDED_OVER) -> list[list[int]]:
        """The steps."""
        if not isinstance(value, list) or not all(isinstance(step, list) for step in value):
            raise source.error(f"expected a list of lists of notes, got {value!r:.60}")
        return value


class SeriesSchema(InputSchema):
    """A series of numbers up to the present.

    Attributes:
        targets: the names of the numbers, where several are forecast, or ``y`` is a covariate.
        covariates: the names of what else is known of every step.
        categories: those of the covariates that are categories.
        times: some of the training data, as they are written.
        columns: what ``unique_id``, ``ds`` and ``y`` are called in the tables that the model was trained on,
            where that is otherwise.
    """

    kind: str = "series"
    targets: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    categories: Mapping[str, Sequence[str]] = {}
    times: tuple[int | float | str, ...] = ()
    columns: Mapping[str, str] = {}

    def json_schema(self) -> dict[str, Any]:
        """An object of columns: ``ds``, the times, and ``y``, or each target, null where one is missing."""
        numbers = {"type": "array", "items": {"type": ["number", "null"]}}
        times = {"type": "array", "items": {"type": ["string", "number"]}}
        words = {"type": "array", "items": {"type": ["string", "number", "boolean", "null"]}}
        kinds = {name: words if name in self.categories else numbers for name in self.covariates}
        return {
            "type": "object",
            "properties": {"unique_id": {"type": "string"}, "ds": times}
            | dict.fromkeys(self._forecast, numbers)
            | kinds,
            "required": [*self._forecast, *self.covariates],
        }

    @property
    def _forecast(self) -> tuple[str, ...]:
        return self.targets or ("y",)

    def example(self) -> dict[str, Any]:
        """A few steps, at the latest times of the training data."""
        count = len(self.times) or 8
        numbers = [float(1 + step % 3) for step in range(count)]
        columns: dict[str, list[Any]] = {name: list(numbers) for name in (*self._forecast, *self.covariates)}
        columns |= {name: [known[-1]] * count for name, known in self.categories.items()}
        return {"ds": list(self.times), **columns} if self.times else columns

    def from_json(self, value: Any, source: Source = _HANDED_OVER) -> Any:
        """A table with a row a step."""
        import pandas as pd

        if isinstance(value, dict):
            value = self._by_short_names(value, source)
        if not isinstance(value, dict) or any(name not in value for name in self._forecast):
            lists = " and a list ".join(map(repr, self._forecast))
            raise source.error(f"expected a series as an object with a list {lists}, got {value!r:.60}")
        for name, each in value.items():
            for entry in each if isinstance(each, list) else [each]:
                if isinstance(entry, list | dict):
                    raise source.error(
                        f"expected numbers, texts or null in {name!r:.60} of a series, got {entry!r:.60}"
                    )
        columns = {name: each for name, each in value.items() if isinstance(each, list)}
        lengths = {name: len(each) for name, each in columns.items()}
        if len(set(lengths.values())) != 1:
            listed = ", ".join(f"{name} {count}" for name, count in lengths.items())
            raise source.error(f"expected lists of equal length in a series, got {listed}")
        table = pd.DataFrame({name: value[name] for name in value})
        if "ds" in table and all(isinstance(time, str) for time in value["ds"]):
            with suppress(ValueError):  # not of this form: then as in the training data
                table["ds"] = pd.to_datetime(table["ds"], format="ISO8601")
        return table.rename(columns=dict(self.columns))

    def _by_short_names(self, value: Mapping[str, Any], source: Source) -> dict[str, Any]:
        """Columns that are called as in the training data, as the schema calls them."""
        for name, column in self.columns.items():
            if name in value and column in value:
                raise source.error(f"expected {name!r} or {column!r:.60} of a series, got both")
        short = {column: name for name, column in self.columns.items()}
        return {short.get(name, name): each for name, each in value.items()}


def _grey_image() -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("L", (8, 8), 128).save(buffer, "png")
    return buffer.getvalue()


def _silence() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(2 * 4_000))
    return buffer.getvalue()


def _json_or_text(line: str) -> Any:
    if line.lstrip().startswith(("{", "[")):
        try:
            return json.loads(line)
        except (ValueError, RecursionError):
            return line
    return line
