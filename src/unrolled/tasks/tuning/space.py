"""What a search may choose from, for every option that is searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from unrolled.errors import ConfigError
from unrolled.tasks.config import TaskConfig
from unrolled.tasks.options import validated

if TYPE_CHECKING:
    from optuna.trial import Trial


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]

    def drawn(self, trial: Trial, name: str) -> Any:
        """The value that a trial is to try."""
        return self.values[cast(int, trial.suggest_categorical(name, range(len(self.values))))]

    def ends(self) -> Sequence[Any]:
        """Values that must all be allowed."""
        return self.values


@dataclass(frozen=True, slots=True)
class Range:
    """A number from one to another; of numbers above 0 that lie far apart, by its logarithm."""

    low: float
    high: float

    def drawn(self, trial: Trial, name: str) -> Any:
        """The value that a trial is to try."""
        far = self.low > 0 and self.high / self.low >= 8
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(name, self.low, self.high, log=far)
        return float(f"{trial.suggest_float(name, self.low, self.high, log=far):.3g}")

    def ends(self) -> Sequence[Any]:
        """Values that must all be allowed."""
        return self.low, self.high


Space = Mapping[str, Choice | Range]


def usual_space(config: TaskConfig) -> dict[str, Choice | Range]:
    """The few options that matter for any task, around what was asked for.

    Example:
        >>> space = usual_space(TaskConfig(hidden_size=64))
        >>> space["hidden_size"].values, list(space)
        ((32, 64, 128), ['learning_rate', 'hidden_size', 'dropout', 'num_layers', 'cell', 'weight_decay'])
    """
    space: dict[str, Choice | Range] = {
        "learning_rate": Range(config.learning_rate / 4, config.learning_rate * 4)
    }
    if isinstance(config.hidden_size, int):
        size = config.hidden_size
        space["hidden_size"] = Choice(tuple(sorted({max(1, size // 2), size, 2 * size})))
        space |= {"dropout": Range(0.0, 0.6), "num_layers": Choice((1, 2))}
    if config.cell in ("gru", "lstm") and not config.peepholes:
        space["cell"] = Choice(("gru", "lstm"))
    space["weight_decay"] = Choice((0.0, 0.01, 0.05))
    return space


def given_space(config: type[TaskConfig], asked: Mapping[str, Any]) -> dict[str, Choice | Range]:
    """A search's space as a person gives it: a list of values, or a pair of ends, for each option.

    Raises:
        ConfigError: there is no such option, it cannot have such a value, or there is nothing to choose from.

    Example:
        >>> given_space(TaskConfig, {"hidden_size": [16, 32], "learning_rate": (0.001, 0.1)})
        {'hidden_size': Choice(values=(16, 32)), 'learning_rate': Range(low=0.001, high=0.1)}
    """
    space: dict[str, Choice | Range] = {}
    for name, values in asked.items():
        if isinstance(values, Choice | Range):
            space[name] = values
        elif isinstance(values, tuple) and len(values) == 2 and all(map(_is_number, values)):
            space[name] = Range(*values)
        elif isinstance(values, Sequence) and not isinstance(values, str) and values:
            space[name] = Choice(tuple(values))
        else:
            raise ConfigError(
                f"space: expected for {name!r} a list of values, or a pair of numbers to search between, got "
                f"{values!r}"
            )
        ends = space[name].ends()
        if isinstance(space[name], Range) and not ends[0] < ends[1]:
            raise ConfigError(f"space: expected for {name!r} the lower end first, got {ends[0]} to {ends[1]}")
        for value in ends:
            validated(config, {name: value})
    return space


def written_space(words: Sequence[str]) -> dict[str, Any]:
    """The space in the words of a command: ``hidden-size=16,32`` or ``learning-rate=1e-4..1e-2``.

    Raises:
        ConfigError: a word is not of that form.

    Example:
        >>> written_space(["hidden-size=16,32", "dropout=0..0.5"])
        {'hidden_size': ['16', '32'], 'dropout': (0, 0.5)}
    """
    space: dict[str, Any] = {}
    for word in words:
        name, equals, values = word.partition("=")
        if not equals or not values:
            raise ConfigError(f"--search {word}: expected OPTION=VALUE,VALUE,... or OPTION=LOW..HIGH")
        low, dots, high = values.partition("..")
        try:
            found: Any = (
                (_number(low), _number(high)) if dots else [part.strip() for part in values.split(",")]
            )
        except ValueError:
            raise ConfigError(f"--search {word}: expected two numbers around .., got {values!r}") from None
        space[name.strip().replace("-", "_")] = found
    return space


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
