"""Many to many of unequal length: a text for a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from pydantic import with_config
from torch import Tensor
from typing_extensions import TypedDict

from unrolled.data.buckets import Encoded, collate_unequal
from unrolled.data.builtin import Reference, resolve
from unrolled.data.example import Example, Examples
from unrolled.data.loading import load_pairs
from unrolled.data.tokenizer import SavedTokenizer
from unrolled.errors import ConfigError
from unrolled.models.conditional import ConditionalModel
from unrolled.saving.schema import ENTRIES
from unrolled.tasks.baselines.base import Baseline, PredictingBaseline
from unrolled.tasks.baselines.retrieval import CopiedSource, MostFrequentTarget, NearestSource
from unrolled.tasks.evaluation import Scored
from unrolled.tasks.example_task import SHOWN, ExampleTask
from unrolled.tasks.inputs.schema import TextSchema
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.translation.config import TranslateConfig
from unrolled.tasks.translation.conversation import Conversation
from unrolled.tasks.translation.encoding import encoded
from unrolled.tasks.translation.lengths import Lengths, SavedLengths
from unrolled.tasks.translation.network import build_network
from unrolled.tasks.translation.symbols import Symbols
from unrolled.tasks.translation.units import settled_units
from unrolled.tasks.writing.alignment import Alignment, attention_weights
from unrolled.tasks.writing.beam_search import Hypothesis
from unrolled.tasks.writing.decoding import decode
from unrolled.tasks.writing.hypotheses import best_first, hypotheses
from unrolled.tasks.writing.measured import Measured, SavedMeasured
from unrolled.tasks.writing.scores import by_length, is_match, text_scores
from unrolled.tasks.writing.search import SearchConfig
from unrolled.tasks.writing.streaming import DecoderStream
from unrolled.training.loss import CrossEntropy, Loss, NegativeLogLikelihood

_FEWEST_UPDATES = 5_000
_LONGER = 1_000


@with_config(ENTRIES)
class _Saved(TypedDict):
    source: SavedTokenizer
    target: SavedTokenizer | None
    lengths: SavedLengths
    measured: SavedMeasured


class Translator(ExampleTask[TranslateConfig]):
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
    Saved = _Saved
    _counted = "pairs"
    Config = TranslateConfig
    collate = staticmethod(collate_unequal)
    Options = SearchConfig

    _symbols: Symbols
    _lengths: Lengths
    _measured: Measured

    def _reset(self) -> None:
        super()._reset()
        self._ramp = 1

    def _fit(
        self, train: Any, dev: Any, run_folder: str | Path | None, *, resume: bool, progress: bool
    ) -> None:
        super()._fit(train, dev, run_folder, resume=resume, progress=progress)
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
        self._dev_evaluation = replace(self.dev_evaluation, groups=groups)

    def predict(self, data: Any = None, **options: Any) -> list[Any]:
        """The best target of each source.

        Args:
            data: a path, a built-in name, or a list of sources.
            options: those of `unrolled.tasks.writing.search.SearchConfig`; by default as in training.

        Returns:
            Texts; where ``n_best`` is asked for, a dict for each of them: ``source``, ``rank``, ``text``,
            ``log_probability`` and ``score``, which divides that by the penalty of its length.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
            DataError: a source is longer than the longest allowed.
        """
        return super().predict(data, **options)

    @property
    def hub_task(self) -> str | None:
        """What it calls writing a text for a text."""
        return "translation"

    def input_schema(self) -> TextSchema:
        """A text."""
        self._require_fitted()
        return TextSchema(blank=True)

    def chosen_options(self, options: Mapping[str, Any]) -> SearchConfig:
        """As in training where they are left out."""
        usual = {"beam_size": self.effective.beam_size, "length_penalty": self.effective.length_penalty}
        return SearchConfig.over(usual, options)

    def _run(self, items: list[Encoded], options: SearchConfig) -> list[list[Hypothesis]]:
        target = self._symbols.target.tokenizer
        longest = self.effective.max_target_length
        # Nothing is written for nothing.
        said = [item for item in items if len(item) > 1]
        written = iter(
            decode(
                self._network,
                said,
                [longest or self._lengths.limit(len(item) - 1) for item in said],
                beam_size=options.beam_size,
                length_penalty=options.length_penalty,
                stop=target.end,
                never=target.unknown,
            )
        )
        nothing = [Hypothesis((target.end,), 0.0, True, 0.0)]
        return [next(written) if len(item) > 1 else nothing for item in items]

    def _decode(self, outputs: Sequence[Any], data: Examples, options: SearchConfig) -> list[Prediction]:
        return [
            self._prediction(example, rank, hypothesis, options)
            for example, written in zip(data, outputs, strict=True)
            for rank, hypothesis in best_first(hypotheses(written, self._symbols.end), options.n_best)
        ]

    def _prediction(
        self, example: Example, rank: int, hypothesis: Hypothesis, options: SearchConfig
    ) -> Prediction:
        text, probability = self._text(example, hypothesis), hypothesis.log_probability
        if options.n_best is None:
            return Prediction(text, log_probability=probability)
        row = {"source": example.inputs, "rank": rank, "text": text, "log_probability": probability}
        return Prediction(row | {"score": hypothesis.score}, log_probability=probability)

    def stream(self, **options: Any) -> DecoderStream:
        """A target, symbol by symbol: the first step is given the source."""
        self._require_fitted()
        target, longest = self._symbols.target.tokenizer, self.effective.max_target_length

        def text(symbols: list[int], source: str) -> str:
            return self._symbols.target.text(symbols, self._symbols.further(source))

        return DecoderStream(
            self._network,
            self._only_item,
            text,
            lambda item: longest or self._lengths.limit(len(item) - 1),
            beam_size=self.chosen_options(options).beam_size,
            stop=target.end,
            never=target.unknown,
        )

    def conversation(self, **options: Any) -> Conversation:
        """A talk that reads as many earlier exchanges as training put before a source.

        Args:
            options: as for `predict`.
        """
        self._require_fitted()
        return Conversation(self, **options)

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
        examples = self._read_inputs(data)
        items = self._encode(examples)
        best = [found[0] for found in self._run(items, self.chosen_options(options))]
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

    def _text(self, example: Example, hypothesis: Hypothesis) -> str:
        further = self._symbols.further(example.inputs)
        symbols = hypothesis.symbols[:-1] if hypothesis.finished else hypothesis.symbols
        return self._symbols.target.text(symbols, further)

    def _load(self, data: Any, *, labelled: bool) -> Examples:
        config = self.effective
        return load_pairs(
            data,
            paired=labelled,
            source=config.source_column,
            target=config.target_column,
            conversation=config.conversation_column,
            history=config.history,
            form=config.table_form(self._form),
        )

    def _given(self, example: Example, *, labelled: bool) -> Example:
        sides = {"source": example.inputs} | ({"target": example.target} if labelled else {})
        for side, text in sides.items():
            if not isinstance(text, str):
                raise example.source.error(f"expected a text as the {side}, got {text!r:.60}")
            if labelled and not text.strip():
                raise example.source.error(f"expected a text as the {side}, got none")
        # As in files: white space around a text is none of it.
        target = example.target.strip() if labelled else None
        return replace(example, inputs=example.inputs.strip(), target=target)

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
        self._go_through_often(batches, _FEWEST_UPDATES)
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

    def _encode(self, data: Examples) -> list[Encoded]:
        items, cut = encoded(data, self._symbols, self.effective)
        longest = self.effective.max_source_length
        said = f"{cut:,} of {len(items):,} sources were cut to {longest} symbols."
        if cut and said not in self.notices:  # training data is encoded to be measured, and to be trained on
            self._note(said)
        return items

    def _size(self, item: Encoded) -> int:
        """The steps that a pair takes in both networks."""
        return len(item) + len(item.target)

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
            found = self._run(items, self.chosen_options({}))
            written = [self._text(example, best) for example, (best, *_) in zip(data, found, strict=True)]
            shown = tuple(
                {"source": example.inputs, "expected": example.target, "written": text}
                for example, text in zip(data[:SHOWN], written, strict=False)
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
