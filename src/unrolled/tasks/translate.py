"""Many to many of unequal length: a text for a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from torch import Tensor

from unrolled.data.buckets import BucketLoader, Encoded, collate_unequal
from unrolled.data.builtin import Reference, resolve
from unrolled.data.example import Example, Examples
from unrolled.data.loading import load_pairs
from unrolled.errors import ConfigError
from unrolled.models.conditional import ConditionalModel
from unrolled.tasks.base import Estimator, Scored
from unrolled.tasks.baselines.base import Baseline, PredictingBaseline
from unrolled.tasks.baselines.retrieval import CopiedSource, MostFrequentTarget, NearestSource
from unrolled.tasks.beam_search import Hypothesis
from unrolled.tasks.decoding import decode
from unrolled.tasks.given import given_examples
from unrolled.tasks.holdout import hold_out
from unrolled.tasks.translation.alignment import Alignment, attention_weights
from unrolled.tasks.translation.config import SearchConfig, TranslateConfig
from unrolled.tasks.translation.encoding import encoded
from unrolled.tasks.translation.lengths import Lengths
from unrolled.tasks.translation.measured import Measured
from unrolled.tasks.translation.network import build_network
from unrolled.tasks.translation.scores import by_length, is_match, text_scores
from unrolled.tasks.translation.symbols import Symbols
from unrolled.tasks.translation.units import settled_units
from unrolled.training.loss import CrossEntropy, Loss, NegativeLogLikelihood

_SHOWN = 12
_FEWEST_UPDATES = 5_000
_LONGER = 1_000


class Translator(Estimator[Examples]):
    """Write a text for a text: a translation, an answer, a summary, a pronunciation, a sorted list.

    Data is a path (CSV, TSV, JSON lines, Parquet with a column of sources and one of targets; lines ``IN: ...
    OUT: ...``), two paths of parallel text files with a comma between them, the name of built-in data, a
    DataFrame, or a list: of ``(source, target)`` pairs to learn from, of sources to write for.

    Example:
        >>> pairs = [("one two", "2 1"), ("two one", "1 2"), ("two two", "2 2"), ("one one", "1 1")]
        >>> translator = Translator(hidden_size=16, epochs=60, learning_rate=0.02, patience=None)
        >>> translator.fit(pairs, dev=pairs).predict(["two one"])
        ['1 2']
    """

    task: ClassVar[str] = "translate"
    _counted = "pairs"
    Config = TranslateConfig
    Options = SearchConfig

    effective: TranslateConfig
    _symbols: Symbols
    _lengths: Lengths
    _measured: Measured

    def _reset(self) -> None:
        super()._reset()
        self._ramp = 1

    def _fit(self, train: Any, dev: Any, run_folder: str | Path | None, resume: bool, progress: bool) -> None:
        super()._fit(train, dev, run_folder, resume, progress)
        known = resolve(train) if isinstance(train, str | Path) else None
        longer = known.longer() if isinstance(known, Reference) else None
        if longer is not None:
            self._score_longer(longer)

    def _score_longer(self, built_in: Reference) -> None:
        """Score generated data longer than the training data was, beside the dev data's lengths."""
        examples = [
            example
            for example in built_in.load("pairs")
            if len(self._symbols.source.encode(example.inputs)) > self._lengths.source
        ]
        self._note(f"Sources longer than in training are scored too, drawn from {built_in.written}.")
        assert self.dev_evaluation is not None
        groups = {name: dict(parts) for name, parts in self.dev_evaluation.groups.items()}
        for name, parts in self._scorer(Examples(tuple(examples[:_LONGER])))().groups.items():
            groups[name] |= parts
        self.dev_evaluation = replace(self.dev_evaluation, groups=groups)

    def predict(self, data: Any, **options: Any) -> list[Any]:
        """The best target of each source.

        Args:
            data: a path, a built-in name, or a list of sources.
            options: those of `unrolled.tasks.translation.config.SearchConfig`; by default as in training.

        Returns:
            Texts; where ``n_best`` is asked for, a dict for each of them: ``source``, ``rank``, ``text``,
            ``log_probability`` and ``score``, which divides that by the penalty of its length.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
            DataError: a source is longer than the longest allowed.
        """
        self._require_fitted()
        examples, search = self._read_later(data, labelled=False), self._search(options)
        found = self._found(examples, self._encode(examples), search)
        if "n_best" not in options:
            return [self._text(example, best) for example, (best, *_) in zip(examples, found, strict=True)]
        return [
            {
                "source": example.inputs,
                "rank": rank,
                "text": self._text(example, hypothesis),
                "log_probability": hypothesis.log_probability,
                "score": hypothesis.score,
            }
            for example, hypotheses in zip(examples, found, strict=True)
            for rank, hypothesis in enumerate(hypotheses[: search.n_best], start=1)
        ]

    def align(self, data: Any, **options: Any) -> Iterator[Alignment]:
        """The best target of each source, and what each of its symbols was written from.

        Args:
            data: as for `predict`.
            options: as for `predict`.

        Raises:
            ConfigError: the model does not attend to its source.
        """
        self._require_fitted()
        if "n_best" in options:
            raise ConfigError("n_best: the best target alone is aligned to its source; leave n_best out")
        if self.effective.attention == "none":
            raise ConfigError(
                "attention: this model has none; train one with --attention additive or multiplicative"
            )
        examples = self._read_later(data, labelled=False)
        items = self._encode(examples)
        found = self._found(examples, items, self._search(options))
        best = [hypotheses[0] for hypotheses in found]
        written = [replace(item, target=np.array(one.symbols)) for item, one in zip(items, best, strict=True)]
        weights = attention_weights(self._network, written) if written else iter(())
        for example, hypothesis, each in zip(examples, best, weights, strict=True):
            further = self._symbols.further(example.inputs)
            yield Alignment(
                source=[*self._symbols.source.split(example.inputs)[: each.shape[1] - 1], "end"],
                target=[
                    "end" if symbol == self._symbols.end else self._symbols.target.text([symbol], further)
                    for symbol in hypothesis.symbols
                ],
                weights=each,
                text=self._text(example, hypothesis),
            )

    def accepts(self, source: str) -> bool:
        """Whether a source is no longer than the longest allowed."""
        self._require_fitted()
        return len(self._symbols.source.encode(source)) <= self.effective.max_source_length

    def _search(self, options: Mapping[str, Any]) -> SearchConfig:
        usual = {"beam_size": self.effective.beam_size, "length_penalty": self.effective.length_penalty}
        return SearchConfig.over(usual, options)

    @property
    def _network(self) -> ConditionalModel:
        return cast(ConditionalModel, self.model)

    def step_labels(self, inputs: Mapping[str, Tensor]) -> list[str]:
        """What each step of the encoder reads or, given ``previous`` alone, of the decoder."""
        reads = "tokens" in inputs
        tokenizer = (self._symbols.source if reads else self._symbols.target).tokenizer
        steps = inputs["tokens" if reads else "previous"].tolist()
        labels = [tokenizer.symbol(step).strip() if step < tokenizer.size else "copied" for step in steps]
        return labels if reads else ["<start>", *labels[1:]]

    def target_labels(self, targets: Tensor) -> list[str]:
        """What the decoder is to write at each step: what it reads at the next."""
        return self.step_labels({"previous": torch.cat([targets[:1], targets])})[1:]

    def _found(
        self, examples: Examples, items: list[Encoded], search: SearchConfig
    ) -> list[list[Hypothesis]]:
        target = self._symbols.target.tokenizer
        longest = self.effective.max_target_length
        # Nothing is written for nothing.
        said = [item for example, item in zip(examples, items, strict=True) if example.inputs]
        written = iter(
            decode(
                self._network,
                said,
                [longest or self._lengths.limit(len(item) - 1) for item in said],
                beam_size=search.beam_size,
                length_penalty=search.length_penalty,
                stop=target.end,
                never=target.unknown,
            )
        )
        nothing = [Hypothesis((target.end,), 0.0, True, 0.0)]
        return [next(written) if example.inputs else nothing for example in examples]

    def _text(self, example: Example, hypothesis: Hypothesis) -> str:
        further = self._symbols.further(example.inputs)
        symbols = hypothesis.symbols[:-1] if hypothesis.finished else hypothesis.symbols
        return self._symbols.target.text(symbols, further)

    def _read(self, data: Any, *, labelled: bool) -> Examples:
        config = self.effective
        if isinstance(data, str | Path) or hasattr(data, "columns"):
            return load_pairs(
                data,
                paired=labelled,
                source=config.source_column,
                target=config.target_column,
                conversation=config.conversation_column,
                history=config.history,
                form=config.table_form(self._form),
            )
        examples = given_examples(data, labelled)
        for example in examples:
            sides = {"source": example.inputs} | ({"target": example.target} if labelled else {})
            for side, text in sides.items():
                if not isinstance(text, str):
                    raise example.source.error(f"expected a text as the {side}, got {text!r:.60}")
                if labelled and not text.strip():
                    raise example.source.error(f"expected a text as the {side}, got none")
        # As in files: white space around a text is none of it.
        stripped = (
            replace(each, inputs=each.inputs.strip(), target=each.target.strip() if labelled else None)
            for each in examples
        )
        return Examples(tuple(stripped), examples.notes)

    def _hold_out(self, data: Examples) -> tuple[Examples, Examples, str]:
        config = self.effective
        return hold_out(data, config.holdout, config.seed, lambda example: ())

    def _prepare(self, train: Examples) -> None:
        for note in train.notes:
            self._note(note)
        self._settle_units(train)
        self._symbols = Symbols.fit(train, self.effective)
        self._lengths = Lengths.of(self._encode(train))
        self._measured = Measured.of(
            self.effective.target_unit, [one.inputs for one in train], [one.target for one in train]
        )
        batches = -(-len(train) // self.effective.batch_size)
        epochs = _FEWEST_UPDATES // batches
        if "epochs" not in self.config.model_fields_set and epochs > self.effective.epochs:
            self._decide(f"The data is small: it is gone through up to {epochs} times.", epochs=epochs)
        self._ramp = max(1, self.effective.epochs * batches // 2)

    def _settle_units(self, train: Examples) -> None:
        units = settled_units(self.effective, train)
        if units != {name: getattr(self.effective, name) for name in units}:
            self._decide(
                f"Sources are read by {units['unit']}, targets written by {units['target_unit']}; set unit "
                "and target_unit to change that.",
                **units,
            )

    def _readings(self, train: Examples, held_out: Examples) -> list[str]:
        config = self.effective
        sizes = self._symbols.source.tokenizer.size, self._symbols.target.tokenizer.size
        return [
            f"sources by {config.unit}, {sizes[0]:,} symbols",
            f"targets by {config.target_unit}, {sizes[1]:,} symbols",
            *super()._readings(train, held_out),
        ]

    def _build_model(self) -> ConditionalModel:
        source, target = self._symbols.source.tokenizer, self._symbols.target.tokenizer
        return build_network(self.effective, source.size, target.size, target.unknown, self._ramp)

    def _encode(self, examples: Examples) -> list[Encoded]:
        items, cut = encoded(examples, self._symbols, self.effective)
        longest = self.effective.max_source_length
        said = f"{cut:,} of {len(items):,} sources were cut to {longest} symbols."
        if cut and said not in self.notices:  # training data is encoded to be measured, and to be trained on
            self._note(said)
        return items

    def _loader(self, data: Examples, *, training: bool) -> BucketLoader:
        config, items = self.effective, self._encode(data)
        if training:
            return BucketLoader(
                items, collate_unequal, config.batch_size, seed=config.seed, size=_size, shard=self._shard
            )
        return BucketLoader(items, collate_unequal, config.batch_size, shuffle=False, bucket=1)

    def _loss(self) -> Loss:
        reduction = self.effective.loss_reduction
        return NegativeLogLikelihood(reduction) if self.effective.copying else CrossEntropy(reduction)

    @property
    def monitored(self) -> tuple[str, Literal["min", "max"]]:
        """The error rate by edits: of words, or of the phones or characters that targets are made of."""
        return self._measured.error_rate, "min"

    def _scorer(self, data: Examples) -> Callable[[], Scored]:
        items = self._encode(data)
        expected = [example.target for example in data]
        lengths = [len(item) - 1 for item in items]

        def score() -> Scored:
            found = self._found(data, items, self._search({}))
            written = [self._text(example, best) for example, (best, *_) in zip(data, found, strict=True)]
            shown = tuple(
                {"source": example.inputs, "expected": example.target, "written": text}
                for example, text in zip(data[:_SHOWN], written, strict=False)
            )
            matches = list(map(is_match, expected, written))
            groups = {"exact match by source length": by_length(lengths, matches, self._lengths.source)}
            scores = text_scores(expected, written, self._measured)
            return Scored(scores, len(data), "sequences", shown, groups)

        return score

    def _fit_baselines(self, train: Examples) -> Iterable[Baseline]:
        sources, targets = [one.inputs for one in train], [one.target for one in train]
        return [
            CopiedSource(),
            MostFrequentTarget.fit(targets),
            NearestSource.fit(sources, targets),
        ]

    def _score_baseline(self, baseline: Baseline, data: Examples) -> Mapping[str, float]:
        assert isinstance(baseline, PredictingBaseline)
        written = baseline.predict([example.inputs for example in data])
        return text_scores([example.target for example in data], written, self._measured)

    def _vocabularies(self) -> dict[str, Any]:
        return self._symbols.to_json() | {
            "lengths": asdict(self._lengths),
            "measured": asdict(self._measured),
        }

    def _restore(self, vocabularies: Mapping[str, Any]) -> None:
        self._symbols = Symbols.from_json(vocabularies, self.effective.copying)
        self._lengths = Lengths(**vocabularies["lengths"])
        self._measured = Measured(**vocabularies["measured"])

    @classmethod
    def _baseline_kinds(cls) -> tuple[type[Baseline], ...]:
        return (CopiedSource, MostFrequentTarget, NearestSource)


def _size(item: Encoded) -> int:
    """The steps that a pair takes in both networks."""
    return len(item) + len(item.target)
