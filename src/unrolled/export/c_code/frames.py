"""What stands around a network in C: numbers brought to its scale, and back.

Each frame says the same thing twice, as C and as NumPy: the second gives the test program's vectors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from unrolled.data.scaling import Scaling, fill
from unrolled.export.c_code.numbers import literal
from unrolled.export.c_code.source import Source


class Frame(ABC):
    """How a step's numbers become what a network reads, and its outputs what a person takes.

    Attributes:
        inputs: how many numbers a step has.
        says: what each of them is.
        gives: what each output is.
    """

    inputs: int
    says: str
    gives: str

    @abstractmethod
    def write_before(self, source: Source) -> str:
        """Write what comes before the network; the vector that it reads."""

    def write_after(self, source: Source, of: str, count: int) -> None:
        """Write what comes after it, into ``output``."""
        source.copy("output", of, count)

    @abstractmethod
    def draw(self, sequences: int, steps: int) -> np.ndarray:
        """Numbers such as may come, ``(sequence, step, inputs)`` float32."""

    @abstractmethod
    def before(self, numbers: np.ndarray) -> dict[str, Tensor]:
        """What the network reads of them, by name."""

    def after(self, outputs: np.ndarray) -> np.ndarray:
        """What comes of its outputs."""
        return outputs

    def series_of(self, sequences: int) -> np.ndarray | None:
        """Of which series those are that `draw` gives, where there are several."""
        return None


class TokenFrame(Frame):
    """Single tokens, given by their numbers."""

    inputs = 1

    def __init__(self, count: int, gives: str) -> None:
        self.count, self.gives = count, gives
        self.says = f"the number of a token, 0 to {count - 1}, in the order of the model's vocabulary.json."

    def write_before(self, source: Source) -> str:
        """Nothing is to be done."""
        return "input"

    def draw(self, sequences: int, steps: int) -> np.ndarray:
        """Any tokens."""
        drawn = np.random.default_rng(0).integers(min(2, self.count - 1), self.count, (sequences, steps, 1))
        return drawn.astype(np.float32)

    def before(self, numbers: np.ndarray) -> dict[str, Tensor]:
        """As whole numbers."""
        return {"tokens": torch.from_numpy(numbers[..., 0].astype(np.int64))}


class NumberFrame(Frame):
    """Numbers, each of which has a scale.

    Args:
        scaling: of each.
        says: what they are.
        gives: what each output is.
        target: the deviation and mean of the one output, where it is a number.
    """

    def __init__(
        self, scaling: Scaling, says: str, gives: str, target: tuple[float, float] | None = None
    ) -> None:
        self.scaling, self.says, self.gives, self.target = scaling, says, gives, target
        self.inputs = len(scaling.center)

    def write_before(self, source: Source) -> str:
        """Shift and stretch."""
        center = source.array("center", self.scaling.center)
        scale = source.array("scale", self.scaling.scale)
        read = source.room("scaled", self.inputs)
        source.each(self.inputs, f"{read}[j] = (input[j] - {center}[j]) / {scale}[j];")
        return read

    def write_after(self, source: Source, of: str, count: int) -> None:
        """Stretch and shift a number."""
        if self.target is None:
            super().write_after(source, of, count)
        else:
            scale, mean = map(literal, self.target)
            source.each(count, f"output[j] = {of}[j] * {scale} + {mean};")

    def draw(self, sequences: int, steps: int) -> np.ndarray:
        """Of the training data's mean and deviation."""
        drawn = np.random.default_rng(0).normal(size=(sequences, steps, self.inputs))
        return (drawn * self.scaling.scale + self.scaling.center).astype(np.float32)

    def before(self, numbers: np.ndarray) -> dict[str, Tensor]:
        """Shift and stretch."""
        return {"values": torch.from_numpy(self.scaling.apply(numbers).astype(np.float32))}

    def after(self, outputs: np.ndarray) -> np.ndarray:
        """Stretch and shift a number."""
        return outputs if self.target is None else outputs * self.target[0] + self.target[1]


class SeriesFrame(Frame):
    """A series' newest number, its covariates, and the next step's place in the calendar.

    Args:
        scalings: of each series, by name.
        covariates: their scaling.
        names: of the covariates.
        circles: sines and cosines that tell the next step's place in the calendar, one after the other.
        mask: whether the network is told which numbers were missing.
        horizon: steps ahead.
        levels: of the quantiles.
    """

    def __init__(
        self,
        scalings: Mapping[str, Scaling],
        covariates: Scaling,
        names: Sequence[str],
        circles: Sequence[str],
        mask: bool,
        horizon: int,
        levels: Sequence[float],
    ) -> None:
        self.series, self.scalings = tuple(scalings), tuple(scalings.values())
        self.covariates, self.circles = covariates, tuple(circles)
        self.names, self.mask = tuple(names), mask
        self.inputs = 1 + len(names) + len(circles)
        places = f"; {', '.join(circles)} of the step that follows" if circles else ""
        said = f", then {', '.join(names)}" if names else ""
        self.says = f"the series' newest number, NAN where it is missing{said}{places}."
        self.levels = tuple(levels)
        each = ", ".join(["the point", *(f"the quantile {level:g}" for level in levels)])
        self.gives = f"for each of the next {horizon} steps {each}."

    def write_before(self, source: Source) -> str:
        """Scale; a missing number is the last one that was there."""
        known = 1 + len(self.names)
        read = source.room("scaled", self.inputs + self.mask)
        last = source.carry("last", known)
        if len(self.series) > 1:
            source.series = self.series
            source.counters.append("series")
        center, scale, floor = (self._number(source, at) for at in ("center", "scale", "floor"))
        number = "input[0]"
        if floor is not None:
            number = "number"
            source.write(
                "{",
                f"    const float above = larger(input[0], {floor}), below = smaller(input[0], {floor});",
                f"    const float number = logf(above) + (below / {floor} - 1.0f);",
            )
        source.write(f"{read}[0] = ({number} - {center}) / {scale};", *(["}"] if floor is not None else []))
        if self.names:
            others = source.array("covariate_center", self.covariates.center)
            widths = source.array("covariate_scale", self.covariates.scale)
            source.write(
                f"for (j = 1; j < {known}; j++) {read}[j] = (input[j] - {others}[j - 1]) / {widths}[j - 1];"
            )
        source.write(
            f"for (j = 0; j < {known}; j++) {{",
            f"    if ({read}[j] == {read}[j]) {last}[j] = {read}[j];",
            f"    {read}[j] = {last}[j];",
            "}",
        )
        if self.circles:
            source.write(f"for (j = {known}; j < {self.inputs}; j++) {read}[j] = input[j];")
        if self.mask:
            source.write(f"{read}[{self.inputs}] = input[0] == input[0] ? 1.0f : 0.0f;")
        return read

    def _number(self, source: Source, name: str) -> str | None:
        """A number of the series' scale; None where it has none of this name."""
        numbers = [getattr(scaling, name) for scaling in self.scalings]
        if numbers[0] is None:
            return None
        if len(numbers) == 1:
            return literal(float(numbers[0]))
        array = f"series_{name}"
        if not any(array in each for each in source.constants):
            source.array(array, np.array(numbers, dtype=np.float64))
        return f"{array}[state->series]"

    def write_after(self, source: Source, of: str, count: int) -> None:
        """Back to the series' own scale."""
        center, scale, floor = (self._number(source, at) for at in ("center", "scale", "floor"))
        if floor is None:
            source.each(count, f"output[j] = {of}[j] * {scale} + {center};")
            return
        source.write("{", f"const float lowest = logf({floor});")
        source.each(
            count,
            f"const float number = {of}[j] * {scale} + {center};",
            f"output[j] = expf(larger(number, lowest)) + {floor} * smaller(number - lowest, 0.0f);",
        )
        source.write("}")

    def series_of(self, sequences: int) -> np.ndarray | None:
        """From the first to the last."""
        count = len(self.series)
        return None if count == 1 else np.arange(sequences) * max(1, (count - 1) // 2) % count

    def _scalings_of(self, sequences: int) -> list[Scaling]:
        places = self.series_of(sequences)
        return [self.scalings[0 if places is None else places[at]] for at in range(sequences)]

    def draw(self, sequences: int, steps: int) -> np.ndarray:
        """A random walk of the series' size; now and then a number is missing where the network is told."""
        generator = np.random.default_rng(0)
        walk = generator.normal(size=(sequences, steps, 1)).cumsum(1) * 0.5
        each = zip(self._scalings_of(sequences), walk[..., 0], strict=True)
        around = [np.stack([scaling.undo(own) for scaling, own in each])[..., None]]
        rest = generator.normal(size=(sequences, steps, len(self.names)))
        around.append(rest * self.covariates.scale + self.covariates.center)
        around.append(np.sin(generator.normal(size=(sequences, steps, len(self.circles)))))
        drawn = np.concatenate(around, axis=-1).astype(np.float32)
        if self.mask:
            drawn[..., 0][generator.random((sequences, steps)) < 0.2] = np.nan
        return drawn

    def before(self, numbers: np.ndarray) -> dict[str, Tensor]:
        """As `unrolled.data.windows.features` puts a series' columns side by side."""
        known = 1 + len(self.names)
        each = zip(self._scalings_of(len(numbers)), numbers[..., 0].astype(np.float64), strict=True)
        value = np.stack([scaling.apply(own) for scaling, own in each])[..., None]
        others = self.covariates.apply(numbers[..., 1:known].astype(np.float64))
        both = np.concatenate([value, others], axis=-1)
        columns = [np.stack([fill(each) for each in both]), numbers[..., known:]]
        if self.mask:
            columns.append(~np.isnan(numbers[..., :1]))
        return {"values": torch.from_numpy(np.concatenate(columns, axis=-1).astype(np.float32))}

    def after(self, outputs: np.ndarray) -> np.ndarray:
        """Back to the series' own scale, the steps ahead one after the other."""
        each = zip(self._scalings_of(len(outputs)), outputs.astype(np.float64), strict=True)
        return np.stack([scaling.undo(own) for scaling, own in each]).reshape(*outputs.shape[:2], -1)
