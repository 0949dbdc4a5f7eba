"""One to many: a text for an image, a vector, or a few classes and numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import numpy as np
from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.data.buckets import Encoded, collate_unequal
from unrolled.data.captions import condition
from unrolled.data.example import Example, Examples
from unrolled.data.images import formed, is_picture
from unrolled.data.loading import load_captions
from unrolled.data.media import MediaForms
from unrolled.data.tokenizer import SavedTokenizer, tokenizer_from_dict
from unrolled.errors import ConfigError
from unrolled.models.conditional import ConditionalModel, ScheduledSampling
from unrolled.models.decoder import Decoder
from unrolled.models.one_to_many import OneToMany
from unrolled.saving.schema import ENTRIES, Size
from unrolled.tasks.baselines.base import Baseline, PredictingBaseline
from unrolled.tasks.baselines.class_ngram import ClassNgram
from unrolled.tasks.baselines.nearest import NearestVector
from unrolled.tasks.baselines.ngram import WittenBell
from unrolled.tasks.baselines.retrieval import MostFrequentTarget
from unrolled.tasks.captioning.config import SUITED, CaptionConfig, CaptioningConfig
from unrolled.tasks.captioning.likelihood import nats_per_symbol
from unrolled.tasks.evaluation import Scored
from unrolled.tasks.example_task import SHOWN, ExampleTask
from unrolled.tasks.given_inputs import GivenForm
from unrolled.tasks.holdout import hold_out
from unrolled.tasks.inputs.base import PerceivedKind
from unrolled.tasks.inputs.files import from_file
from unrolled.tasks.inputs.kinds import perceived_from_json, perceived_kind, to_json
from unrolled.tasks.inputs.picture_scale import picture_form
from unrolled.tasks.inputs.pictures import PictureKind
from unrolled.tasks.inputs.saved import SavedKind
from unrolled.tasks.inputs.schema import InputSchema
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.shares import Shares
from unrolled.tasks.writing.beam_search import Hypothesis
from unrolled.tasks.writing.decoding import decode
from unrolled.tasks.writing.drawing import draw
from unrolled.tasks.writing.hypotheses import best_first, hypotheses
from unrolled.tasks.writing.measured import Measured, SavedMeasured
from unrolled.tasks.writing.sampling import Sampling
from unrolled.tasks.writing.scores import text_scores
from unrolled.tasks.writing.side import Side
from unrolled.tasks.writing.streaming import DecoderStream
from unrolled.tasks.writing.units import guess_unit
from unrolled.training.loss import CrossEntropy, Loss

_FEWEST_UPDATES = 2_000
_NATS = "nats per symbol"
_ORDER = 5
"""Symbols that the n-gram baseline looks at, the one it predicts included."""


@with_config(ENTRIES)
class _Saved(TypedDict):
    subjects: SavedKind
    texts: SavedTokenizer
    longest: Size
    measured: SavedMeasured


class Captioner(ExampleTask[CaptionConfig]):
    """Write a text for an image, a vector, or a few classes and numbers.

    Data is a folder of images (with ``metadata.csv`` or ``metadata.jsonl``, or a folder for every class), a
    table (of images, of vectors, or of classes and numbers, beside the texts), the name of built-in data, a
    DataFrame, or a list: of ``(input, text)`` pairs to learn from, of inputs to write for. An input is an
    image ``(height, width, channel)`` of bytes or the path of one, a vector, vectors ``(region, feature)``, a
    class, or a dict of classes and numbers.

    Example:
        >>> names = [("cat", "Tom"), ("dog", "Rex"), ("cat", "Tom"), ("dog", "Rex")]
        >>> captioner = Captioner(hidden_size=32, dropout=0, epochs=100, learning_rate=0.02)
        >>> captioner.fit(names, dev=names).predict(["dog", "cat"])
        ['Rex', 'Tom']
    """

    task: ClassVar[str] = "caption"
    Saved = _Saved
    Config = CaptionConfig
    collate = staticmethod(collate_unequal)
    # Batch normalisation must see inputs as mixed as the data are.
    _sorted = False
    Options = CaptioningConfig

    _inputs: PerceivedKind
    _texts: Side
    _longest: int
    _measured: Measured

    def _reset(self) -> None:
        super()._reset()
        self._ramp = 1

    def predict(self, data: Any = None, **options: Any) -> list[Any]:
        """The text for each input.

        Args:
            data: a path, a built-in name, or a list of inputs.
            options: those of `unrolled.tasks.captioning.config.CaptioningConfig`; by default as in training.

        Returns:
            Texts; where ``n_best`` is asked for, a dict with ``input`` (its place, counted from 1), ``rank``,
            ``text`` and ``log_probability`` for each of them.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
            DataError: an input is not of the kind seen in training.
        """
        return super().predict(data, **options)

    @property
    def hub_task(self) -> str | None:
        """By what is read."""
        return "image-to-text" if isinstance(self._inputs, PictureKind) else "text-generation"

    def input_schema(self) -> InputSchema:
        """That of the kind of input seen in training."""
        self._require_fitted()
        return self._inputs.schema()

    def depends_on_place(self, **options: Any) -> bool:
        """Where texts are drawn: from one generator, one after the other."""
        return self.chosen_options(options).draws

    def stream(self, **options: Any) -> DecoderStream:
        """A text, symbol by symbol: the first step is given the input."""
        self._require_fitted()
        if self.chosen_options(options).draws:
            raise ConfigError("temperature: expected 0 where a text is written step by step, got more")
        tokenizer, limit = self._texts.tokenizer, self.effective.max_length or 2 * self._longest
        return DecoderStream(
            self._network,
            self._only_item,
            lambda symbols, given: self._texts.text(symbols),
            lambda item: limit,
            beam_size=self.chosen_options(options).beam_size,
            stop=tokenizer.end,
            never=tokenizer.unknown,
        )

    def _decode(self, outputs: Sequence[Any], data: Examples, options: CaptioningConfig) -> list[Prediction]:
        return [
            self._prediction(place, rank, hypothesis, options)
            for place, written in enumerate(outputs, start=1)
            for rank, hypothesis in best_first(hypotheses(written, self._texts.tokenizer.end), options.n_best)
        ]

    def _prediction(
        self, place: int, rank: int, hypothesis: Hypothesis, options: CaptioningConfig
    ) -> Prediction:
        text, probability = self._text(hypothesis), hypothesis.log_probability
        if options.n_best is None:
            return Prediction(text, log_probability=probability)
        row = {"input": place, "rank": rank, "text": text, "log_probability": probability}
        return Prediction(row, log_probability=probability)

    def chosen_options(self, options: Mapping[str, Any]) -> CaptioningConfig:
        """As in training where they are left out."""
        usual = {"beam_size": self.effective.beam_size, "length_penalty": self.effective.length_penalty}
        return CaptioningConfig.over(usual, options)

    @property
    def _network(self) -> ConditionalModel:
        return cast(ConditionalModel, self.model)

    def _run(self, items: list[Encoded], options: CaptioningConfig) -> list[list[Hypothesis]]:
        tokenizer = self._texts.tokenizer
        limit = self.effective.max_length or 2 * self._longest
        if options.draws:
            sampling, count = Sampling(options.temperature), options.n_best or 1
            repeated = [item for item in items for _ in range(count)]
            drawn = draw(
                self._network,
                repeated,
                limit,
                sampling,
                seed=options.seed,
                stop=tokenizer.end,
                never=tokenizer.unknown,
            )
            return [drawn[start : start + count] for start in range(0, len(drawn), count)]
        return decode(
            self._network,
            items,
            [limit] * len(items),
            beam_size=options.beam_size,
            length_penalty=options.length_penalty,
            stop=tokenizer.end,
            never=tokenizer.unknown,
        )

    def _text(self, hypothesis: Hypothesis) -> str:
        return self._texts.text(hypothesis.symbols[:-1] if hypothesis.finished else hypothesis.symbols)

    def _load(self, data: Any, *, labelled: bool) -> Examples:
        config = self.effective
        return load_captions(
            data,
            text=config.text_column,
            conditions=config.condition_columns,
            form=config.table_form(self._form),
            captioned=labelled,
            forms=self._forms(),
        )

    def _given(self, example: Example, *, labelled: bool) -> Example:
        if labelled and not (isinstance(example.target, str) and example.target.strip()):
            raise example.source.error(f"expected a text, got {example.target!r:.60}")
        return Example(self._subject(example), example.target, example.source)

    def _all_given(self, examples: Examples, *, labelled: bool) -> Examples:
        return formed(examples, self._forms().picture)

    def _forms(self) -> MediaForms:
        return MediaForms(picture_form(self.effective.image_size, self.effective.colour))

    def file_ending(self, first: str) -> str | None:
        """As for any task, but that objects in JSON are inputs of their own: values by name."""
        return None if first.lstrip().startswith("{") else super().file_ending(first)

    def _sequences(self, X: Any, *, fitting: bool) -> list[Any]:
        if hasattr(X, "columns"):  # values by name
            self._given_form = self._given_form or GivenForm()
            return X.to_dict("records")
        return super()._sequences(X, fitting=fitting)

    def _subject(self, example: Example) -> Any:
        given = example.inputs
        reads_images = self._model is not None and isinstance(self._inputs, PictureKind)
        if isinstance(given, str) and reads_images:
            given = Path(given)
        if isinstance(given, Path | bytes):
            return from_file(given, example.source, self._forms(), "images" if reads_images else None)
        return given if is_picture(given) else condition(given, example.source)

    def _hold_out(self, data: Examples, *, keep_apart: bool) -> Shares[Examples]:
        seen = perceived_kind(data).fit(data, self.effective).seen
        return Shares(*hold_out(data, self.effective.holdout, self.effective.seed, seen))

    def _prepare(self, train: Examples) -> None:
        for note in train.notes:
            self._note(note)
        self._inputs = perceived_kind(train).fit(train, self.effective)
        self._settle(train)
        texts = [example.target for example in train]
        self._texts = Side.fit(texts, self.effective, self.effective.unit)
        self._measured = Measured.of(self.effective.unit, (), texts)
        self._longest = max(len(self._texts.encode(text)) for text in set(texts)) + 1
        batches = -(-len(train) // self.effective.batch_size)
        self._go_through_often(batches, _FEWEST_UPDATES)
        self._ramp = max(1, self.effective.epochs * batches // 2)

    def _settle(self, train: Examples) -> None:
        """Fill in what the data says: the form of images, the columns of classes, the unit of texts."""
        suited = {**self._inputs.settled(), **SUITED.get(self._inputs.kind, {})}
        if self.effective.input_feeding:
            suited.pop("attention", None)  # it needs some
        self._suit(self._inputs.kind, suited)
        if self.effective.unit == "auto":
            unit = guess_unit([example.target for example in train])
            self._decide(f"Texts are written by {unit}; set unit to change that.", unit=unit)

    def _readings(self, train: Examples, held_out: Examples) -> list[str]:
        return [
            f"{self._inputs.kind} to texts, written by {self.effective.unit}",
            *super()._readings(train, held_out),
        ]

    def _build_model(self) -> ConditionalModel:
        config, tokenizer = self.effective, self._texts.tokenizer
        perception = self._inputs.perception(config)
        decoder = Decoder(
            tokenizer.size,
            config.embedding_size,
            config,
            memory_size=perception.region_size,
            attention=config.attention,
            input_feeding=config.input_feeding,
            unknown=tokenizer.unknown,
        )
        sampling = ScheduledSampling(config.scheduled_sampling, self._ramp)
        return OneToMany(perception, decoder, config.dropout, sampling)

    def _encode(self, data: Examples) -> list[Encoded]:
        end = self._texts.tokenizer.end
        return [
            Encoded(inputs, np.append(self._texts.encode(example.target or ""), end))
            for inputs, example in zip(self._inputs.encode(data), data, strict=True)
        ]

    def _loss(self) -> Loss:
        return CrossEntropy(self.effective.loss_reduction)

    @property
    def monitored(self) -> tuple[str, Literal["min", "max"]]:
        """The error rate by edits; for classes, of which many texts are right, nats per symbol."""
        return _NATS if self._inputs.likelihood else self._measured.error_rate, "min"

    def _scorer(self, data: Examples) -> Callable[[], Scored]:
        items = self._encode(data)

        def score() -> Scored:
            many_are_right = self._inputs.likelihood
            found = self._run(items[:SHOWN] if many_are_right else items, self.chosen_options({}))
            written = [self._text(best) for best, *_ in found]
            shown = tuple(
                {"input": self._inputs.shown(example), "expected": example.target, "written": text}
                for example, text in zip(data[:SHOWN], written, strict=False)
            )
            if many_are_right:
                count = sum(len(item.target) for item in items)
                return Scored({_NATS: nats_per_symbol(self._network, items)}, count, "symbols", shown)
            return Scored(self._text_scores(data, written), len(data), "texts", shown)

        return score

    def _text_scores(self, data: Examples, written: list[str]) -> dict[str, float]:
        return text_scores([example.target for example in data], written, self._measured)

    def _fit_baselines(self, train: Examples) -> Iterable[Baseline]:
        texts = [example.target for example in train]
        if self._inputs.likelihood:
            size, symbols = self._texts.tokenizer.size, self._symbols(train)
            by_class = ClassNgram.fit(self._keys(train), symbols, size, _ORDER)
            return [by_class.everything, by_class]
        return [MostFrequentTarget.fit(texts), NearestVector.fit(self._inputs.vectors(train), texts)]

    def _keys(self, data: Examples) -> list[str]:
        """The classes of each input in one word."""
        return [", ".join(self._inputs.seen(example)) for example in data]

    def _symbols(self, data: Examples) -> list[np.ndarray]:
        end = self._texts.tokenizer.end
        return [np.append(self._texts.encode(example.target), end) for example in data]

    def _score_baseline(self, baseline: Baseline, data: Examples) -> Mapping[str, float]:
        if isinstance(baseline, WittenBell):
            return {_NATS: float(-baseline.log_probabilities(self._symbols(data)).mean())}
        if isinstance(baseline, ClassNgram):
            found = baseline.log_probabilities(self._keys(data), self._symbols(data))
            return {_NATS: float(-found.mean())}
        assert isinstance(baseline, PredictingBaseline)
        return self._text_scores(data, list(baseline.predict(self._inputs.vectors(data))))

    def _vocabularies(self) -> dict[str, Any]:
        return {
            "subjects": to_json(self._inputs),
            "texts": self._texts.tokenizer.to_dict(),
            "longest": self._longest,
            "measured": asdict(self._measured),
        }

    def _restore(self, vocabularies: Mapping[str, Any]) -> None:
        self._inputs = perceived_from_json(vocabularies["subjects"], self.effective)
        self._texts = Side(tokenizer_from_dict(vocabularies["texts"]))
        self._longest = vocabularies["longest"]
        self._measured = Measured(**vocabularies["measured"])

    @classmethod
    def _baseline_kinds(cls) -> tuple[type[Baseline], ...]:
        return (MostFrequentTarget, NearestVector, WittenBell, ClassNgram)
