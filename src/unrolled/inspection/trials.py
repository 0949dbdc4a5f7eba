"""Remedies that were tried: short trainings from a model's own options, beside the unchanged one."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from unrolled.data.builtin import resolve
from unrolled.diagnosis import Evidence, Remedy, Verdict
from unrolled.diagnosis.remedies import worth_trying
from unrolled.diagnosis.result import Result
from unrolled.errors import ConfigError, DataError, DivergedError
from unrolled.inspection.pace import Clock, Pace, working_clock
from unrolled.tasks.base import Estimator
from unrolled.tasks.options import overridden
from unrolled.training.callback import Callback

if TYPE_CHECKING:
    from unrolled.models.base import SequenceModel
    from unrolled.training.trainer import Trainer

_FEWEST, _MOST = 3, 6
"""Remedies that are tried: the fewer, the less of a training the budget allows for each."""
_SEEDS = 3
"""Trainings of the unchanged network and of the best remedy, as far as the budget allows."""
_SLACK = 2.5
"""How many times its share of the budget a training may take: other cells take other times."""
_LEAST_SHARE = 0.05
_MEASURED = 0.05
"""Of the budget for measuring the pace of a training."""
_BETTER = 0.005
"""By what share a score has to be better to be better at all."""


@dataclass(frozen=True, slots=True)
class Trial(Result):
    """One short training, or several from different seeds.

    Attributes:
        name: of the remedy; "unchanged" of none.
        flag: the options that apply it, as flags of ``unrolled train``.
        score: the best dev score, the mean over the seeds; None where none was finite.
        seeds: how many there were.
        updates: made in the first of them.
        seconds: of work that all took.
        note: why there is no score; empty where there is one.
    """

    name: str
    flag: str
    score: float | None
    seeds: int
    updates: int
    seconds: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Trials(Result):
    """What short trainings came to.

    Attributes:
        data: what they were trained on.
        share: of the batches of every epoch.
        monitor: the dev score they are ranked by, and `mode` its better direction.
        unchanged: the network as it was.
        tried: the remedies, the best first.
        left: names of those that the budget left no time for.
        winner: the remedy that did better than the unchanged network and all others; None: none did.
        command: what to type to train with it; None where there is none.
    """

    data: str
    share: float
    monitor: str
    mode: Literal["min", "max"]
    unchanged: Trial
    tried: tuple[Trial, ...]
    left: tuple[str, ...]
    winner: Remedy | None
    command: str | None


def try_remedies(
    estimator: Estimator,
    evidence: Evidence,
    verdict: Verdict,
    data: Any,
    *,
    folder: str | Path,
    budget: float = 120.0,
    say: Callable[[str], None] = lambda text: None,
) -> Trials:
    """Train for a short while with each of the most promising remedies, and without any.

    All are trained for as many epochs as their options say, each on the same share of its batches, which the
    budget settles by the pace of the unchanged network; what takes far longer than its part of the budget
    ends there. Seconds are those that the processor works on it (`working_clock`): what else the machine does
    makes the trainings wait, and neither shorter nor fewer.

    Args:
        estimator: fitted or loaded; it stays as it is.
        evidence: what the verdict rests on.
        verdict: names the first remedies.
        data: what to train on where the model does not know what it was trained on.
        folder: the model's, for the command.
        budget: seconds for all trainings together.
        say: is told what is going on.
    """
    train, dev = _data(estimator, data)
    clock = working_clock(estimator.effective.device)
    ends = clock() + budget
    runs = _Runs(estimator, train, dev, clock, say)
    took = runs.measure(_epochs(estimator), _MEASURED * budget)
    whole = _MOST if took <= 0 else int(budget / took) - 1  # beside the unchanged network
    remedies = worth_trying(evidence, verdict.remedies, min(_MOST, max(_FEWEST, whole)))
    share = runs.divide(max(0.0, ends - clock()) / (len(remedies) + 1))
    unchanged = runs.first(None)
    tried: dict[str, Trial] = {}
    left: list[str] = []
    for remedy in remedies:
        if clock() >= ends:
            left.append(remedy.name)
        else:
            tried[remedy.name] = runs.first(remedy)
    by_name = {remedy.name: remedy for remedy in remedies}
    for seed in range(1, _SEEDS):
        best = _best(tried, runs)
        if best is None or clock() + best.seconds + unchanged.seconds / unchanged.seeds > ends:
            break
        unchanged = runs.again(unchanged, None, seed)
        tried[best.name] = runs.again(best, by_name[best.name], seed)
    best = _best(tried, runs)
    won = best is not None and runs.better(best, unchanged)
    winner = by_name[best.name] if best is not None and won else None
    return Trials(
        data=str(train) if isinstance(train, str | Path) else "the given data",
        share=share,
        monitor=runs.monitor,
        mode=runs.mode,
        unchanged=unchanged,
        tried=tuple(sorted(tried.values(), key=runs.rank)),
        left=tuple(left),
        winner=winner,
        command=None if winner is None else command(estimator, winner, folder, data),
    )


def command(estimator: Estimator, remedy: Remedy, folder: str | Path, data: Any) -> str:
    """The command line that trains a model anew with a remedy, ready to be pasted."""
    train, dev = _data(estimator, data)
    name = f"{Path(folder).name}-{'-'.join(str(value) for value in remedy.options.values())}"
    words = [
        *("unrolled", "train", estimator.task, str(train) if isinstance(train, str | Path) else "TRAIN"),
        *(("--dev", str(dev)) if isinstance(dev, str | Path) else ()),
        *("--config", str(Path(folder) / "config.json")),
        *remedy.flag.split(),
        *("-o", "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)),
    ]
    return shlex.join(words)


def with_gains(verdict: Verdict, trials: Trials) -> Verdict:
    """The verdict with its remedies in the order of what they gained, and each with its score."""
    scores = {trial.name: trial for trial in trials.tried}
    unchanged = _written(trials.unchanged.score)

    def told(remedy: Remedy) -> Remedy:
        trial = scores[remedy.name]
        beside = f"{trials.monitor} {_written(trial.score)}, unchanged {unchanged}"
        return replace(remedy, why=f"{remedy.why} Tried: {trial.note or beside}.")

    named = {remedy.name: remedy for remedy in verdict.remedies}
    if trials.winner is not None:
        named.setdefault(trials.winner.name, trials.winner)
    order = [trial.name for trial in trials.tried]
    ranked = sorted(
        named.values(), key=lambda each: order.index(each.name) if each.name in scores else len(order)
    )
    return replace(verdict, remedies=tuple(told(each) if each.name in scores else each for each in ranked))


class _Until(Callback):
    """Ends a training with the epoch in which its time is over."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._ends = clock, clock() + seconds

    def on_epoch_end(self, trainer: Trainer, model: SequenceModel) -> None:
        trainer.should_stop = trainer.should_stop or self._clock() >= self._ends


class _Runs:
    """Trains the network with changed options, and keeps the scores of every seed."""

    def __init__(
        self, estimator: Estimator, train: Any, dev: Any, clock: Clock, say: Callable[[str], None]
    ) -> None:
        self.monitor: str
        self.mode: Literal["min", "max"]
        course = estimator.history
        # That which training chooses by: of the network, whatever else has a part in the model's answers.
        self.monitor, self.mode = estimator.monitored if course is None else (course.monitor, course.mode)
        self._kind = type(estimator)
        self._settings = _settings(estimator)
        self._train, self._dev, self._clock, self._say = train, dev, clock, say
        self._pace, self._epochs, self._around = Pace(clock, 0.0), 1, 0.0
        self._share, self._seconds = 1.0, 0.0

    def measure(self, epochs: int, most: float) -> float:
        """The seconds that so many epochs of the unchanged network take, with all there is around them.

        Args:
            epochs: it is trained for.
            most: seconds of training after which enough is known.
        """
        started, self._pace, self._epochs = self._clock(), Pace(self._clock, most), epochs
        with suppress(DivergedError):  # what it is worth is for its trial to say
            self._kind.exactly(**self._settings).fit(self._train, dev=self._dev, callbacks=[self._pace])
        pace = self._pace
        seen = self._clock() - started
        self._around = max(0.0, seen - pace.scoring - pace.trained)
        return self._around + epochs * (pace.batches * pace.batch + pace.scoring)

    def divide(self, seconds: float) -> float:
        """Have each training take so many seconds: the share of its batches that there is time for."""
        self._share = max(_LEAST_SHARE, self._pace.share(seconds - self._around, self._epochs))
        self._seconds = _SLACK * seconds
        return self._share

    def first(self, remedy: Remedy | None) -> Trial:
        """Train with a remedy, or without one."""
        name, flag = ("unchanged", "") if remedy is None else (remedy.name, remedy.flag)
        self._say(f"Trying {name}" + (f": {flag}" if flag else ""))
        score, updates, seconds, note = self._run(remedy, 0)
        return Trial(name, flag, score, 1, updates, seconds, note)

    def again(self, trial: Trial, remedy: Remedy | None, seed: int) -> Trial:
        """The same from another seed."""
        self._say(f"Trying {trial.name} once more, from another seed")
        score, _, seconds, _ = self._run(remedy, seed)
        if score is None or trial.score is None:
            return replace(trial, score=None, seeds=trial.seeds + 1, note="did not train from every seed")
        mean = fmean([trial.score] * trial.seeds + [score])
        return replace(trial, score=mean, seeds=trial.seeds + 1, seconds=trial.seconds + seconds)

    def _run(self, remedy: Remedy | None, seed: int) -> tuple[float | None, int, float, str]:
        options = overridden(self._settings, {} if remedy is None else remedy.options)
        options["seed"] = (options["seed"] + seed) % 2**32
        started = self._clock()
        try:
            fitted = self._kind.exactly(**options).fit(
                self._train, dev=self._dev, share=self._share, callbacks=[_Until(self._clock, self._seconds)]
            )
        except (DivergedError, ConfigError) as error:
            said = "diverged" if isinstance(error, DivergedError) else f"does not fit: {error}"
            return None, 0, self._clock() - started, said
        assert fitted.history is not None
        epochs = fitted.history.epochs
        scores = [epoch.scores[self.monitor] for epoch in epochs if isfinite(epoch.scores[self.monitor])]
        best = None if not scores else (min if self.mode == "min" else max)(scores)
        updates = sum(epoch.updates for epoch in epochs)
        return best, updates, self._clock() - started, "" if scores else "no finite score"

    def rank(self, trial: Trial) -> float:
        """Less is better."""
        if trial.score is None:
            return float("inf")
        return trial.score if self.mode == "min" else -trial.score

    def better(self, trial: Trial, other: Trial) -> bool:
        """Whether a trial did better than another by enough to count."""
        if trial.score is None or other.score is None:
            return trial.score is not None
        return self.rank(other) - self.rank(trial) > _BETTER * abs(other.score)


def _best(tried: Mapping[str, Trial], runs: _Runs) -> Trial | None:
    ranked = sorted((each for each in tried.values() if each.score is not None), key=runs.rank)
    return ranked[0] if ranked else None


def _settings(estimator: Estimator) -> dict[str, Any]:
    """The options that were used; what follows a training is no part of a try."""
    settings = dict(estimator.effective)
    return settings | ({"refit": False} if "refit" in settings else {})


def _epochs(estimator: Estimator) -> int:
    """The epochs of the training that the model comes from, as far as that is known."""
    history = estimator.history
    return estimator.effective.epochs if history is None else max(1, len(history.epochs))


def _data(estimator: Estimator, data: Any) -> tuple[Any, Any]:
    """What the model was trained on, where that is still there, or else the data at hand."""
    train, dev = estimator.trained_on
    try:
        if train is not None:
            resolve(train)
            return train, dev
    except DataError:
        pass
    return data, None


def _written(score: float | None) -> str:
    return "none" if score is None else f"{score:.4g}"
